/* The exported page: one file that plays one run and fetches nothing. logitspec/export.py writes the
   same. The player's scripts are one function, `logitspecPlayer`, whose own text goes into the page. */

const PAGE_POLICY =
  "default-src 'none'; script-src 'nonce-NONCE'; style-src 'unsafe-inline'; img-src data: blob:;" +
  " base-uri 'none'; form-action 'none'";
const PAGE_STYLE = `:root { color-scheme: light dark; }
body { margin: 16px; background: light-dark(#ffffff, #0d0f12); }`;
const PAGE_START = "\nlogitspecPlayer().startStandalone();";
const TITLE_LETTERS = 60;

/** The player's own scripts as text; null where the host has not wrapped them as one function. */
function ownSource() {
  return typeof logitspecPlayer === "function" ? String(logitspecPlayer) : null;
}

/** The player's style sheet on the page of `element`; null where the host brought it another way. */
function ownStyle(element) {
  const root = element.getRootNode();
  const style = (root.head || root).querySelector("style[data-logitspec-style]");
  return style ? style.textContent : null;
}

/**
 * A whole document that plays a run.
 * @param {object} parts
 * @param {string} parts.trace the run as JSON
 * @param {string} parts.title
 * @param {string} parts.source the player's scripts, see `ownSource`
 * @param {string} parts.style
 * @param {string} parts.nonce letters and digits that no one could foresee: only what carries them runs
 * @returns {string}
 */
function exportedPage({ trace, title, source, style, nonce }) {
  const player =
    '<section data-logitspec-player class="ls-player" role="group" aria-label="LogitSpec step player"' +
    ' tabindex="0" data-steps="0" data-cursor="0" data-state="idle" data-playing="false"></section>';
  const off = "This page plays its run with JavaScript, which is turned off here.";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY.replace("NONCE", nonce)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="LogitSpec Live">
<title>${stillEscaped(title)}</title>
<style data-logitspec-style>${style}</style>
<style>${PAGE_STYLE}</style>
</head>
<body>
${player}
<noscript>${off}</noscript>
<script type="application/json" id="logitspec-trace">${trace.replace(/</g, "\\u003c")}<${"/"}script>
<script nonce="${nonce}">${source}${PAGE_START}<${"/"}script>
</body>
</html>
`;
}

/** What to call a run: its recorded title, or the beginning of its prompt, on one line. */
function runTitle({ header }) {
  const words = (header.recorded || header.prompt || "a run").replace(/[\s\p{C}]+/gu, " ").trim();
  const letters = [...words];
  const cut = letters.length > TITLE_LETTERS;
  return "LogitSpec: " + (cut ? letters.slice(0, TITLE_LETTERS - 1).join("") + "…" : words);
}

/** The step that an address like `run.html#step=12` asks for; 0 for none. */
function stepInAddress(address) {
  const found = /#(?:.*&)?step=(\d{1,7})(?:&|$)/.exec(address);
  return found ? Number(found[1]) : 0;
}

/** Begins an exported page: plays its run, or stands still at the step that its address names. */
function startStandalone() {
  const player = createPlayer(document.querySelector("[data-logitspec-player]"));
  const go = () => {
    const step = stepInAddress(location.href);
    if (!step) return;
    player.pause();
    player.show(step);
  };
  player.open(document.getElementById("logitspec-trace").textContent);
  go();
  addEventListener("hashchange", go);
  return player;
}
