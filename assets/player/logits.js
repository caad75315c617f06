/* The last logits: the best tokens for the root's position, and which of them were drafted after the root. */

import { decimal, t } from "../page/i18n.js";
import { caretMove, childrenOf, el, nearest, panel, setAttributes, setData, setText, svg } from "./dom.js";
import { linkOf } from "./links.js";
import { fillToken } from "./spelling.js";
import { spellToken } from "./trace.js";
import { STATE_TITLES, percent, quoted } from "./words.js";

/** @import { Callbacks, Frame, NodeState, PanelWithBoxes, RanksState, Step, Trace } from "./types.js" */

const RANKS_SHOWN = 16;
/** @type {Record<NodeState, string>} */
const FATE_PATHS = {
  accepted: "M2 7l3.5 3.5L12 3",
  rejected: "M3 3l8 8M11 3l-8 8",
  uncompared: "M2 7h2M6 7h2M10 7h2",
};

/**
 * @param {Pick<Callbacks, "point">} on is told the rank that is pointed at
 * @returns {PanelWithBoxes}
 */
export function createLogitsPanel(on) {
  const view = panel("logits", t("player.logits"), "logits");
  const label = t("player.logits-label");
  const list = el("div", { class: "ls-ranks", role: "list", tabindex: 0, "aria-label": label });
  const log = toggleButton("ls-scale", t("player.log"), t("player.log-title"));
  const more = toggleButton("ls-more", t("player.all"), t("player.all-title"));
  const spoken = el("div", { class: "ls-spoken", role: "status" });
  const tools = el("div", { class: "ls-ranks-tools" }, more, log);
  view.note.after(tools);
  view.body.append(list, spoken);
  const blank = { frame: null, drawnStep: null, drawnRows: 0, caret: null, focusRank: null, all: false, logScale: false, judged: false };
  /** @type {RanksState} */
  const state = { view, list, more, log, spoken, inSight: RANKS_SHOWN, ...blank };
  new ResizeObserver(() => {
    const [row] = childrenOf(list);
    if (row && row.offsetHeight) state.inSight = Math.ceil(list.clientHeight / row.offsetHeight);
  }).observe(list);
  listenToRanks(state, on);
  return {
    element: view.element,
    /** @param {Frame} frame */
    paint: (frame) => paintRanks(state, frame),
    /** @param {number} rank */
    boxOf: (rank) => rankBox(state, rank),
  };
}

/** @param {string} kind @param {string} words @param {string} title */
function toggleButton(kind, words, title) {
  const attributes = { type: "button", class: "ls-button " + kind, title, hidden: true };
  return el("button", { ...attributes, "aria-pressed": "false" }, words);
}

/** @param {RanksState} state @param {Pick<Callbacks, "point">} on */
function listenToRanks(state, on) {
  const { list, more, log } = state;
  const redraw = () => {
    state.drawnStep = null;
    if (state.frame) paintRanks(state, state.frame);
  };
  more.addEventListener("click", () => {
    state.all = !state.all;
    more.setAttribute("aria-pressed", String(state.all));
    redraw();
  });
  log.addEventListener("click", () => {
    state.logScale = !state.logScale;
    log.setAttribute("aria-pressed", String(state.logScale));
    redraw();
  });
  /** @param {Event} event */
  const rankOf = (event) => {
    const row = nearest(event, "[data-rank]");
    return row ? { rank: Number(row.dataset.rank) } : null;
  };
  list.addEventListener("pointerover", (event) => on.point(rankOf(event)));
  list.addEventListener("pointerleave", () => on.point(null));
  list.addEventListener("keydown", (event) => moveRank(state, on, event));
  list.addEventListener("blur", () => {
    if (state.caret === null) return;
    state.caret = null;
    on.point(null);
  });
}

/** @param {RanksState} state @param {Pick<Callbacks, "point">} on @param {KeyboardEvent} event */
function moveRank(state, on, event) {
  const { list, frame, spoken } = state;
  const move = caretMove(event);
  if (!move || !frame || !frame.step) return;
  event.preventDefault();
  const last = list.children.length - 1;
  state.caret = state.caret === null ? 0 : Math.max(0, Math.min(last, state.caret + move));
  const row = childrenOf(list)[state.caret];
  if (row.offsetTop < list.scrollTop) list.scrollTop = row.offsetTop;
  const under = row.offsetTop + row.offsetHeight - list.clientHeight;
  if (under > list.scrollTop) list.scrollTop = under;
  on.point({ rank: state.caret });
  setText(spoken, row.ariaLabel || "");
}

/** @param {RanksState} state @param {Frame} frame */
function paintRanks(state, frame) {
  state.frame = frame;
  const { step } = frame;
  const link = linkOf(frame);
  const rank = link && link.number === frame.cursor ? link.rank : null;
  const focusRank = rank ?? acceptedRank(frame);
  const isNew = focusRank !== null && focusRank !== state.focusRank;
  state.focusRank = focusRank;
  if (focusRank !== null && focusRank >= state.list.children.length) state.drawnStep = null;
  // While steps rush by, only the rows in sight are worth drawing.
  const maxRows = frame.hurried && state.list.scrollTop === 0 ? state.inSight : Infinity;
  const judged = frame.beat > 3;
  if (state.drawnStep !== step || !step || state.drawnRows < maxRows || state.judged !== judged) {
    if (state.drawnStep !== step) state.caret = null;
    Object.assign(state, { drawnStep: step, drawnRows: maxRows, judged });
    drawRanks(state, frame, maxRows);
  }
  for (const row of state.list.querySelectorAll("[data-pointed]")) row.removeAttribute("data-pointed");
  const row = rank === null ? null : state.list.children[rank];
  if (row) row.setAttribute("data-pointed", "");
  const byPointer = frame.pointed !== null && "rank" in frame.pointed;
  if (isNew && !byPointer && !frame.hurried) showRow(state.list, focusRank);
}

/**
 * The rank to show for a step at rest: that of the accepted runner-up; null where none was accepted.
 * @param {Frame} frame
 */
function acceptedRank({ step, beat }) {
  if (!step || beat < 4) return null;
  const node = step.row.path.find((each) => step.origins[each].origin === "logit");
  return node === undefined ? null : step.origins[node].rank;
}

/** @param {HTMLElement} list @param {number} rank */
function showRow(list, rank) {
  const row = childrenOf(list)[rank];
  if (!row) return;
  const inSight = row.offsetTop >= list.scrollTop && row.offsetTop + row.offsetHeight <= list.scrollTop + list.clientHeight;
  if (!inSight) list.scrollTop = row.offsetTop - list.clientHeight / 2;
}

/** @param {RanksState} state @param {Frame} frame @param {number} maxRows */
function drawRanks({ view, list, more, log, all, logScale, focusRank, judged }, { trace, step }, maxRows) {
  log.hidden = !step;
  if (!step) {
    list.replaceChildren();
    more.hidden = true;
    return setText(view.note, "");
  }
  const { ids, probs } = step.row.last;
  const count = all ? ids.length : Math.min(Math.max(RANKS_SHOWN, (focusRank ?? 0) + 1), ids.length);
  const drafted = draftedRanks(step);
  const scale = logScale ? logBars(probs) : linearBars(probs);
  for (const row of childrenOf(list).slice(count)) row.remove();
  ids.slice(0, Math.min(count, maxRows)).forEach((id, rank) => {
    if (!list.children[rank]) list.append(rankElement(rank));
    const about = { rank, id, probability: probs[rank], share: scale(probs[rank]) };
    showRank(childrenOf(list)[rank], trace, step, { ...about, fate: drafted.get(rank), judged });
  });
  list.dataset.scale = logScale ? "log" : "linear";
  more.hidden = ids.length <= RANKS_SHOWN;
  setText(more, t("player.all-ranks", { n: ids.length }));
  const words = drafted.size ? t("player.runners-up-drafted", { n: drafted.size }) : "";
  setText(view.note, ids.includes(step.row.tokens[0]) ? words : t("player.root-below"));
}

/**
 * Ranks that were drafted as next-next tokens, with the best fate of their nodes.
 * @param {Step} step
 */
function draftedRanks(step) {
  /** @type {Map<number, NodeState>} */
  const ranks = new Map();
  step.origins.forEach(({ origin, rank }, node) => {
    if (origin !== "logit" || rank === null) return;
    const state = step.states[node];
    if (state === "accepted" || !ranks.has(rank)) ranks.set(rank, state);
  });
  return ranks;
}

/**
 * Lengths in proportion to the greatest probability.
 * @param {number[]} probs
 */
function linearBars(probs) {
  return (/** @type {number} */ probability) => probability / (probs[0] || 1);
}

/**
 * Lengths on a scale of powers of ten, from a tenth of the least probability listed to the greatest.
 * @param {number[]} probs
 */
export function logBars(probs) {
  const low = Math.log10(Math.max(1e-12, Math.min(...probs.filter((each) => each > 0)))) - 1;
  const high = Math.log10(probs[0] || 1);
  /** @param {number} probability */
  const length = (probability) => (Math.log10(probability) - low) / (high - low);
  return (/** @type {number} */ probability) => (probability > 0 ? Math.max(0, length(probability)) : 0);
}

/**
 * A probability in percent, with two significant digits however small it is.
 * @param {number} probability
 */
export function share(probability) {
  if (probability === 0 || probability >= 0.0001) return percent(probability);
  if (probability < 1e-8) return t("player.percent-of", { share: `< ${decimal(0.000001, 6)}` });
  return t("player.percent-of", { share: decimal(probability * 100, 1 - Math.floor(Math.log10(probability * 100))) });
}

/** @param {number} rank */
function rankElement(rank) {
  return el(
    "div",
    { class: "ls-rank-row", role: "listitem", "data-rank": rank, style: `--ls-order: ${Math.min(rank, 16)}` },
    el("span", { class: "ls-rank" }, String(rank)),
    el("span", { class: "ls-bar" }, el("span", { class: "ls-bar-length" }), el("span", { class: "ls-rank-token" })),
    el("span", { class: "ls-share" }),
    el("span", { class: "ls-mark" }),
  );
}

/**
 * Fills a row. Rows are kept from step to step, so that only differences cause a layout.
 * @param {HTMLElement} row
 * @param {Trace} trace
 * @param {Step} step
 * @param {{ rank: number, id: number, probability: number, share: number, fate: NodeState | undefined,
 *   judged: boolean }} about `share`: the length of its bar, 0 to 1; judged: whether the fate is read out
 */
function showRank(row, trace, step, { rank, id, probability, share: part, fate, judged }) {
  const [, bar, chances, mark] = childrenOf(row);
  const [length, text] = childrenOf(bar);
  const isRoot = id === step.row.tokens[0];
  const drafted = fate && (judged ? t("player.drafted-state", { state: STATE_TITLES[fate] }) : t("player.drafted-mark"));
  const words = isRoot ? t("player.next-certain-long") : drafted;
  const chance = share(probability);
  const about = { rank, token: quoted(trace, id), share: chance, fate: words };
  const label = t(words ? "player.rank-label-more" : "player.rank-label", about);
  setAttributes(row, { "aria-label": label });
  setData(row, "kind", isRoot ? "root" : fate ? "logit" : null);
  length.style.width = (part * 100).toFixed(2) + "%";
  fillToken(text, spellToken(trace, id), true);
  setText(chances, chance);
  setData(row, "fate", isRoot ? "accepted" : fate || null);
  const became = isRoot ? "root" : fate || "";
  if (mark.dataset.of === became) return;
  mark.dataset.of = became;
  mark.replaceChildren(...rankMark(isRoot, fate));
}

/**
 * The fate of a rank: the root, or a draft and later the draft's state.
 * @param {boolean} isRoot
 * @param {NodeState} [fate]
 */
function rankMark(isRoot, fate) {
  if (isRoot) return [el("span", { class: "ls-mark-root" }, t("player.next-certain"))];
  if (!fate) return [];
  const judged = el("span", { class: "ls-mark-fate" }, fateIcon(fate), STATE_TITLES[fate]);
  return [el("span", { class: "ls-mark-draft" }, t("player.drafted-mark")), judged];
}

/** @param {NodeState} fate */
function fateIcon(fate) {
  const attributes = { class: "ls-fate-icon", viewBox: "0 0 14 14", "aria-hidden": "true" };
  return svg("svg", attributes, svg("path", { d: FATE_PATHS[fate] }));
}

/**
 * Where a rank's bar is drawn, in the window's coordinates; null when it is out of sight.
 * @param {RanksState} state
 * @param {number} rank
 */
function rankBox({ list }, rank) {
  const row = list.children[rank];
  if (!row) return null;
  const outer = list.getBoundingClientRect();
  const box = row.getBoundingClientRect();
  return box.height === 0 || box.bottom <= outer.top + 4 || box.top >= outer.bottom - 4 ? null : box;
}
