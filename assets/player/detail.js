/* The detail card of a token, node or rank: its origin, its fate and its alternatives. */

import { term } from "../page/gloss.js";
import { t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { el } from "./dom.js";
import { linkOf } from "./links.js";
import { share } from "./logits.js";
import { ORIGINS } from "./origins.js";
import { fillToken } from "./spelling.js";
import { sourceOf, spellToken } from "./trace.js";
import { STATE_TITLES, excerpt, originWords, quotedFrom, restSentence, stateWords } from "./words.js";

/** @import { Attributes, Frame, NodeLink, Step, StepRow, Trace, TraceFrame } from "./types.js" */

const ALTERNATIVES = 6;

export function createDetail() {
  const element = el("div", { class: "ls-detail", role: "region", "aria-label": t("player.detail") });
  let before = "";
  return {
    element,
    /** @param {Frame} frame */
    paint(frame) {
      const key = detailKey(frame);
      if (key === before) return;
      before = key;
      drawDetail(element, frame);
    },
  };
}

/**
 * What the card depends on, including the run: steps of different runs may have the same number.
 * @param {Frame} frame
 */
function detailKey(frame) {
  const { trace, cursor, visible, pointed, beat } = frame;
  if (!trace) return "";
  const finish = cursor === trace.steps.length ? trace.header.finish : "";
  return JSON.stringify([trace.run, trace.bytes.size, cursor, visible, beat, pointed, finish]);
}

/** @param {HTMLElement} element @param {Frame} frame */
function drawDetail(element, frame) {
  const { trace } = frame;
  const link = linkOf(frame);
  element.toggleAttribute("data-pointed", link !== null);
  if (!trace) return element.replaceChildren();
  if (!link) return element.replaceChildren(...restParts(frame));
  if (link.step === null) return element.replaceChildren(...promptParts(trace, link.position));
  if (link.node === null) return element.replaceChildren(...rankParts(trace, link.step, link.rank));
  element.replaceChildren(...nodeParts(trace, link));
}

/**
 * The card while the viewer points at nothing: how the step ended, and what to point at.
 * @param {TraceFrame} frame
 */
function restParts({ trace, cursor, step, beat }) {
  const hint = t("player.detail-hint");
  const summary = step && beat === LAST_BEAT ? restSentence(trace, cursor) : "";
  const head = el("div", { class: "ls-detail-head" }, el("span", { class: "ls-title" }, t("player.detail")));
  const rest = el("p", { class: "ls-detail-rest" }, summary);
  return [head, el("div", { class: "ls-detail-body" }, rest, el("p", { class: "ls-detail-hint" }, hint))];
}

/** @param {Trace} trace @param {number} position */
function promptParts(trace, position) {
  const facts = [[t("player.fact-place"), t("player.place-prompt", { position })]];
  return [headPart(trace, trace.ids[position], {}, t("player.prompt")), factsPart(facts)];
}

/** @param {Trace} trace @param {Step} step @param {number} rank */
function rankParts(trace, step, rank) {
  const { ids, probs } = step.row.last;
  const facts = [[term("rank", t("player.fact-rank")), t("player.rank-of", { rank, share: share(probs[rank]) })]];
  return [headPart(trace, ids[rank], {}, t("player.not-drafted")), factsPart(facts)];
}

/** @param {Trace} trace @param {NodeLink} link */
function nodeParts(trace, link) {
  const { step, node } = link;
  const state = step.states[node];
  const attributes = { "data-legend-origin": step.origins[node].origin, "data-legend-state": state };
  /** @type {[string | Node, string | Node | null][]} */
  const facts = [
    [t("player.fact-step"), placeWords(trace, link)],
    [t("player.fact-origin"), originWords(trace, step, node)],
    [t("player.fact-source"), sourcePart(trace, step, node)],
    [term("target", t("player.fact-target")), stateWords(trace, step, node)],
    [t(node === 0 ? "player.fact-instead" : "player.fact-beside"), alternativesPart(trace, step, node)],
  ];
  const title = node === 0 ? ORIGINS.root.title : STATE_TITLES[state];
  return [headPart(trace, step.row.tokens[node], attributes, title), factsPart(facts)];
}

/**
 * @param {Trace} trace
 * @param {number} id
 * @param {Record<string, string>} attributes of the chip: its origin and what became of it
 * @param {string} title
 */
function headPart(trace, id, attributes, title) {
  const chip = chipOf(trace, id, { ...attributes, class: "ls-chip ls-detail-chip" });
  const state = attributes["data-legend-state"];
  const words = el("span", { class: "ls-detail-title", "data-state-word": state }, title);
  return el("div", { class: "ls-detail-head" }, chip, words);
}

/** @param {any[]} facts */
function factsPart(facts) {
  const list = el("dl", { class: "ls-facts" });
  for (const [name, value] of facts) {
    if (value === null) continue;
    list.append(el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  }
  return el("div", { class: "ls-detail-body" }, list);
}

/** @param {Trace} trace @param {NodeLink} link */
function placeWords(trace, { number, step, node, position }) {
  return [
    t("player.place-step", { number, steps: trace.steps.length }),
    position === null ? [] : t("player.place-position", { position }),
    node === 0 ? [] : t("player.place-depth", { n: step.depths[node] }),
  ].flat().join(t("player.comma"));
}

/**
 * The words around a copied token: the n-gram that matched, the token itself.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 */
function sourcePart(trace, step, node) {
  const source = sourceOf(step, node);
  if (!source) return null;
  const { from, match } = source;
  const [start, end] = [quotedFrom(match), match[1]];
  /** @type {(start: number, end: number, attributes?: Attributes) => HTMLElement} */
  const piece = (a, b, attributes) => el("span", { class: "ls-quote", ...attributes }, excerpt(trace, a, b));
  return el(
    "span",
    {},
    "…",
    start > match[0] ? "" : piece(groupStart(trace, start - 4), start),
    piece(start, end, { "data-source": "match" }),
    piece(end, from, { "data-source": "stretch" }),
    piece(from, from + 1, { "data-source": "copy" }),
    piece(from + 1, Math.min(trace.ids.length, from + 5)),
    "…",
  );
}

/** @param {Trace} trace @param {number} position */
const groupStart = (trace, position) => trace.groupOf[Math.max(0, position)];

/**
 * The alternatives to a node. The trace has probabilities for the root and its drafted successors; for other
 * nodes there are only their siblings.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 */
function alternativesPart(trace, step, node) {
  const { parents, tokens, last } = step.row;
  const chips =
    node === 0 ? rankChips(trace, last, tokens[0]) : siblingChips(trace, step, parents, node);
  return chips.length ? el("span", { class: "ls-alternatives" }, ...chips) : null;
}

/** @param {Trace} trace @param {StepRow["last"]} last @param {number} root */
function rankChips(trace, { ids, probs }, root) {
  const others = ids.map((id, rank) => ({ id, rank })).filter(({ id }) => id !== root);
  return others.slice(0, ALTERNATIVES).map(({ id, rank }) => {
    return el("span", { class: "ls-alternative" }, chipOf(trace, id, {}), share(probs[rank]));
  });
}

/** @param {Trace} trace @param {Step} step @param {number[]} parents @param {number} node */
function siblingChips(trace, step, parents, node) {
  /** @param {number} other */
  const beside = (other) => other !== node && parents[other] === parents[node];
  const others = [...parents.keys()].filter(beside);
  const chips = others.slice(0, ALTERNATIVES).map((other) => {
    const attributes = {
      "data-legend-origin": step.origins[other].origin,
      "data-legend-state": step.states[other],
    };
    return el("span", { class: "ls-alternative" }, chipOf(trace, step.row.tokens[other], attributes));
  });
  const more = others.length - chips.length;
  return more > 0 ? [...chips, el("span", {}, t("player.and-more", { more }))] : chips;
}

/** @param {Trace} trace @param {number} id @param {Record<string, any>} attributes */
function chipOf(trace, id, attributes) {
  const text = el("span", { class: "ls-node-text" });
  fillToken(text, spellToken(trace, id), true);
  return el("span", { class: "ls-chip", ...attributes }, text);
}
