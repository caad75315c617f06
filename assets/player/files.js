/* Files: traces in by button or drop; out as a trace, as a page that plays it, as a picture of the step
   or as a link to it. */

const FILE_BYTES_AT_MOST = 256e6;
const SAID_FOR = 6000;
const TOO_LARGE = "This file is too large for a trace.";

/**
 * @param {object} player with `element`, `open` and `options`; of those
 * @param {function(string, number): (string|null|Promise)} [player.options.link] gives the address at
 *   which a step of a run is to be seen; null for a run that can't be had by an address
 */
function createFiles(player) {
  const files = { player, trace: null, cursor: 0, silence: null };
  const button = (label, title, action) => fileButton(files, label, title, action);
  const needTrace = [
    button("Save trace", "Save every step of this run as a file", saveTrace),
    button("Save page", "Save one page that plays this run without a network", savePage),
    button("Save picture", "Save a picture of this step, for slides", savePicture),
    button("Copy link", "Copy a link to this step", copyLink),
  ];
  const input = el("input", { type: "file", accept: ".json,.gz", hidden: true, "aria-label": "A saved trace" });
  const open = button("Open trace", "Open a saved trace; or drop one here", () => input.click());
  files.said = el("span", { class: "ls-said", role: "status" });
  files.element = el("div", { class: "ls-files", role: "group", "aria-label": "Files" });
  files.element.append(open, ...needTrace, input, files.said);
  input.addEventListener("change", () => {
    if (input.files[0]) openFile(files, input.files[0]);
    input.value = "";
  });
  needTrace[1].hidden = ownSource() === null;
  listenToDrops(files, player.element);
  return {
    element: files.element,
    paint({ trace, cursor, step }) {
      Object.assign(files, { trace, cursor });
      for (const each of needTrace) each.disabled = step === null;
    },
  };
}

function fileButton(files, label, title, action) {
  const element = el("button", { type: "button", class: "ls-button ls-file", title }, label);
  element.addEventListener("click", async () => {
    try {
      await action(files);
    } catch (error) {
      say(files, error.message);
    }
  });
  return element;
}

/** A short word on what was done, which goes by itself. */
function say(files, words) {
  clearTimeout(files.silence);
  setText(files.said, words);
  files.silence = setTimeout(() => setText(files.said, ""), SAID_FOR);
}

/* In */

function listenToDrops(files, root) {
  const carriesFile = (event) => [...event.dataTransfer.types].includes("Files");
  const over = (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    root.dataset.dropping = "true";
  };
  root.addEventListener("dragenter", over);
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) delete root.dataset.dropping;
  });
  root.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    delete root.dataset.dropping;
    if (event.dataTransfer.files[0]) openFile(files, event.dataTransfer.files[0]);
  });
}

async function openFile(files, file) {
  try {
    const text = await textOf(file);
    files.player.open(text);
    say(files, "");
    files.player.element.focus({ preventScroll: true });
  } catch (error) {
    say(files, error.message === TOO_LARGE ? TOO_LARGE : "This file is damaged; save the trace again.");
  }
}

/** The text of a file, unpacked where it is gzipped. */
async function textOf(file) {
  if (file.size > FILE_BYTES_AT_MOST) throw new Error(TOO_LARGE);
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (head[0] !== 0x1f || head[1] !== 0x8b) return file.text();
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    size += value.length;
    if (size > FILE_BYTES_AT_MOST) {
      await reader.cancel();
      throw new Error(TOO_LARGE);
    }
    parts.push(value);
  }
}

/* Out */

/** A name for a file of the run: letters and digits of its title. */
function fileName(trace, ending) {
  const words = runTitle(trace).normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[a-z0-9]+/g) || [];
  return words.join("-").slice(0, 48).replace(/-+$/, "") + ending;
}

function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

function saveTrace(files) {
  const name = fileName(files.trace, ".json");
  download(name, traceText(files.trace), "application/json");
  say(files, `Saved as ${name}.`);
}

function savePage(files) {
  const { trace } = files;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const nonce = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const style = ownStyle(files.element);
  if (style === null) throw new Error("The page can't be saved here: its style is not to be found.");
  const parts = { trace: traceText(files.trace), title: runTitle(trace), source: ownSource(), style, nonce };
  const name = fileName(trace, ".html");
  download(name, exportedPage(parts), "text/html");
  say(files, `Saved as ${name}.`);
}

function savePicture(files) {
  const { trace, cursor } = files;
  const name = fileName(trace, `-step-${cursor}.svg`);
  download(name, stillPicture(trace, cursor), "image/svg+xml");
  say(files, `Saved as ${name}.`);
}

async function copyLink(files) {
  const { trace, cursor } = files;
  const { link } = files.player.options;
  const address = link ? await link(trace.run, cursor) : location.href.replace(/#.*/, "") + "#step=" + cursor;
  if (!address) return say(files, "No address leads to this run: it is kept in this page only. Save the page.");
  const copied = await copyText(files, address);
  say(files, copied ? `Link to step ${cursor} copied.` : address);
}

// The clipboard is for secure pages; the old way works on any, after a click.
async function copyText(files, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "ls-copying", readonly: true, "aria-hidden": "true" });
    area.value = text;
    files.element.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
