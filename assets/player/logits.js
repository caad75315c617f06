/* The last logits: the tokens that could have been the root, and which of them were drafted after it. */

const RANKS_SHOWN = 12;

function createLogitsPanel() {
  const view = panel("logits", "Last logits");
  const about = { role: "list", tabindex: 0, "aria-label": "Most probable tokens" };
  const list = el("div", { class: "ls-ranks", ...about });
  const more = el("button", { type: "button", class: "ls-button ls-more", hidden: true });
  view.body.append(list, more);
  const state = { trace: null, step: null, all: false };
  more.addEventListener("click", () => {
    state.all = !state.all;
    drawRanks(view, list, more, state);
  });
  return {
    element: view.element,
    paint({ trace, step }) {
      if (state.step === step) return;
      Object.assign(state, { trace, step });
      drawRanks(view, list, more, state);
    },
  };
}

function drawRanks(view, list, more, { trace, step, all }) {
  if (!step) {
    list.replaceChildren();
    more.hidden = true;
    return setText(view.note, "");
  }
  const { ids, probs } = step.row.last;
  const shown = all ? ids.length : Math.min(RANKS_SHOWN, ids.length);
  const drafted = draftedRanks(step);
  const rows = ids.slice(0, shown).map((id, rank) => {
    return rankElement(trace, step, rank, id, probs[rank], probs[0], drafted.get(rank));
  });
  list.replaceChildren(...rows);
  more.hidden = ids.length <= RANKS_SHOWN;
  more.setAttribute("aria-expanded", String(all));
  const hidden = [...drafted.keys()].filter((rank) => rank >= RANKS_SHOWN).length;
  const extra = hidden && !all ? ` (${hidden} more drafted)` : "";
  setText(more, all ? `Show the first ${RANKS_SHOWN}` : `Show all ${ids.length}${extra}`);
  setText(view.note, ids.includes(step.row.tokens[0]) ? "" : "the root was drawn from below these");
}

/** Ranks that were drafted as next-next tokens, with the best fate of their nodes. */
function draftedRanks(step) {
  const ranks = new Map();
  step.origins.forEach(({ origin, rank }, node) => {
    if (origin !== "logit" || rank === null) return;
    if (ranks.get(rank) !== "accepted") ranks.set(rank, step.states[node]);
  });
  return ranks;
}

function rankElement(trace, step, rank, id, probability, most, drafted) {
  const text = el("span", { class: "ls-rank-token" });
  fillToken(text, spellToken(trace, id), true);
  const isRoot = id === step.row.tokens[0];
  const share = most > 0 ? (probability / most) * 100 : 0;
  const bar = el("span", { class: "ls-bar" }, el("span", { style: `width: ${share.toFixed(2)}%` }));
  const attributes = {
    class: "ls-rank-row",
    role: "listitem",
    "data-rank": rank,
    "data-kind": isRoot ? "root" : drafted ? "logit" : null,
    "data-fate": isRoot ? "accepted" : drafted,
  };
  const mark = isRoot ? "next token" : drafted ? "drafted, " + STATE_TITLES[drafted] : "";
  return el(
    "div",
    attributes,
    el("span", { class: "ls-rank" }, String(rank)),
    text,
    bar,
    el("span", { class: "ls-share" }, percent(probability)),
    el("span", { class: "ls-mark" }, mark),
  );
}
