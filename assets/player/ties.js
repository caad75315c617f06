/* Ties: lines over the panels, from a draft to its source. */

import { t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { childrenOf, el, svg } from "./dom.js";
import { startCopies, startFlights } from "./flights.js";
import { headOf, linkOf, rankOfNode, stretchesOf, stretchesShown } from "./links.js";
import { aroundText, fromRank, shifted, withinText } from "./ways.js";
import { excerpt, quotedFrom } from "./words.js";

/** @import {
 *   Box, Frame, Panels, Part, SourceTie, Step, StepFrame, Stretch, TextPanel, Tie, TiesState, Trace, Way
 * } from "./types.js" */

const MAX_TIES = 40;
const TIES_REST = 160;
const SWEEP_BEAT = 3; // it shows the one pass over all nodes

/** @param {Panels} panels @returns {Part} */
export function createTies(panels) {
  const lines = svg("svg", { class: "ls-tie-lines" });
  const pills = el("div", { class: "ls-tie-pills" });
  const flights = el("div", { class: "ls-flights" });
  const element = el("div", { class: "ls-ties", "aria-hidden": "true" }, lines, pills, flights);
  /** @type {TiesState} */
  const state = { element, lines, pills, flights, panels, frame: null, key: "", timer: null, request: null };
  const soon = () => {
    if (state.request === null && state.timer === null) state.request = requestAnimationFrame(() => drawTies(state));
  };
  listenToMoves(state, soon);
  return { element, paint: (frame) => paintTies(state, frame, soon) };
}

/**
 * Everything that moves the ends of ties: scrolling, a new size, the end of a motion, panning the tree.
 * @param {TiesState} state
 * @param {() => void} soon
 */
function listenToMoves({ element }, soon) {
  const listen = () => {
    const frame = element.parentElement;
    if (!frame) return requestAnimationFrame(listen);
    frame.addEventListener("scroll", soon, { capture: true, passive: true });
    for (const event of ["transitionend", "animationend", "ls-moved"]) frame.addEventListener(event, soon);
    if (typeof ResizeObserver === "function") new ResizeObserver(soon).observe(frame);
  };
  listen();
}

/**
 * Ties to what is pointed at are drawn immediately; those of a step at rest wait until it stays.
 * @param {TiesState} state
 * @param {Frame} frame
 * @param {() => void} soon
 */
function paintTies(state, frame, soon) {
  const { trace, cursor, beat, pointed, visible, playing } = frame;
  const key = JSON.stringify([trace && trace.run, cursor, beat, pointed, visible]);
  state.frame = frame;
  if (key === state.key) return soon();
  state.key = key;
  clearTimeout(state.timer || undefined);
  state.timer = null;
  state.lines.replaceChildren();
  state.pills.replaceChildren();
  state.flights.replaceChildren();
  const flies = beat === LAST_BEAT || (frame.scene && beat === 2);
  if (frame.moving && flies && frame.step) requestAnimationFrame(() => fly(state, key));
  if (!trace || (beat === SWEEP_BEAT && !pointed) || (playing && beat === LAST_BEAT && !pointed)) return;
  if (pointed || beat < LAST_BEAT) return soon();
  state.timer = setTimeout(() => {
    state.timer = null;
    soon();
  }, TIES_REST);
}

/** @param {TiesState} state @param {string} scheduledKey */
function fly({ flights, frame, key, panels }, scheduledKey) {
  if (key !== scheduledKey || !frame || !frame.step) return;
  const start = frame.beat === LAST_BEAT ? startFlights : startCopies;
  start(flights, frame, panels);
}

/** @param {TiesState} state */
function drawTies(state) {
  const { element, lines, pills, frame, panels } = state;
  state.request = null;
  if (!frame || !frame.trace || !frame.step || element.offsetParent === null) return;
  if (frame.beat === SWEEP_BEAT && !frame.pointed) return;
  const sources = sourceTies(frame, panels).slice(0, MAX_TIES);
  const ties = [...sources, ...rankTies(frame, panels)].slice(0, MAX_TIES);
  const origin = element.getBoundingClientRect();
  element.dataset.kind = frame.pointed ? "pointed" : frame.beat < LAST_BEAT ? "beat" : "rest";
  pills.replaceChildren(...pillsOf(frame.trace, panels, sources, origin));
  const edges = new Map(childrenOf(pills).map((pill) => [pill.dataset.side, pill.getBoundingClientRect()]));
  const text = panels.text.body.getBoundingClientRect();
  const elements = ties.flatMap((tie) => {
    const box = tie.boxes[tie.boxes.length - 1] || edges.get(tie.side || "");
    if (!box || !tie.to) return [];
    const [from, to, around] = [box, tie.to, text].map((each) => shifted(each, origin));
    return [tieElement(tie, tie.way(from, to, around))];
  });
  lines.replaceChildren(...elements);
}

/**
 * Copies and their sources; boxes: where the source is in the text, none when it is out of sight.
 * @param {StepFrame} frame
 * @param {Panels} panels
 * @returns {SourceTie[]}
 */
function sourceTies(frame, { text, tree }) {
  const { step, stretches } = stretchesShown(frame);
  const link = linkOf(frame);
  const elsewhere = link !== null && link.number !== frame.cursor;
  return stretches.map((stretch) => {
    const boxes = text.boxesOf(stretch.from, stretch.to);
    const own = link ? link.node : null;
    const node = own !== null && stretch.nodes.includes(own) ? own : stretch.start;
    const to = elsewhere ? boxOfPlace(text, link.position) : tree.boxOf(node);
    const side = boxes.length ? "inside" : text.sideOf(stretch.from);
    const state = step ? step.states[stretch.start] : "uncompared";
    return { kind: "source", way: elsewhere ? withinText : aroundText, boxes, to, side, stretch, state, node };
  });
}

/**
 * Drafted runners-up and their ranks: the one that began the branch of what is pointed at, else, while the
 * step drafts, those that a copy continues from.
 * @param {StepFrame} frame
 * @param {Panels} panels
 * @returns {Tie[]}
 */
function rankTies(frame, { tree, logits }) {
  const { step, cursor, beat } = frame;
  const link = linkOf(frame);
  if (link ? link.number !== cursor || link.node === null : beat !== 2) return [];
  const nodes = link && link.node !== null ? [headOf(step, link.node)] : guessesWithCopies(step);
  return nodes.flatMap((node) => {
    const rank = rankOfNode(step, node);
    const box = rank === null ? null : logits.boxOf(rank);
    const to = tree.boxOf(node);
    if (!box || !to || to.left < box.right) return []; // too far apart when one is below the other
    return [{ kind: step.origins[node].origin, way: fromRank, boxes: [box], to, side: "inside", node }];
  });
}

/** @param {Step} step */
function guessesWithCopies(step) {
  const goesOn = new Set(stretchesOf(step).map(({ start }) => step.row.parents[start]));
  return step.origins.flatMap(({ origin }, node) => (origin === "logit" && goesOn.has(node) ? [node] : []));
}

/** @param {TextPanel} text @param {number | null} position */
const boxOfPlace = (text, position) => (position === null ? null : text.boxOf(position));

/** @param {Tie} tie @param {Way} way */
function tieElement({ kind, state }, { start, curve, head }) {
  const attributes = { class: "ls-tie", "data-tie": kind, "data-fate": state || null };
  return svg(
    "g",
    attributes,
    svg("path", { class: "ls-tie-halo", d: curve }),
    svg("path", { class: "ls-tie-line", d: curve, pathLength: 1 }),
    svg("circle", { class: "ls-tie-dot", cx: start.x, cy: start.y, r: 3.5 }),
    svg("path", { class: "ls-tie-head", d: head }),
  );
}

/**
 * The notes at the edges of the text for sources out of sight: where they are, and what they say.
 * @param {Trace} trace
 * @param {Panels} panels
 * @param {SourceTie[]} ties
 * @param {Box} origin
 */
function pillsOf(trace, panels, ties, origin) {
  const outer = panels.text.body.getBoundingClientRect();
  const title = panels.text.element.querySelector(".ls-title");
  const beside = outer.right - (title ? title.getBoundingClientRect().right : outer.left); // in the panel's head
  return ["above", "below"].flatMap((side) => {
    const there = ties.filter((tie) => tie.side === side);
    if (there.length === 0) return [];
    const first = there.find((tie) => tie.state === "accepted") || there[0];
    const words = pillWords(trace, there.map((tie) => tie.stretch), first.stretch);
    const pill = el("button", { type: "button", class: "ls-pill", tabindex: -1, "data-side": side });
    pill.append(el("span", { class: "ls-pill-arrow" }, side === "above" ? "↑" : "↓"), ...words);
    const right = origin.right - outer.right + 10;
    const top = (side === "above" ? outer.top : outer.bottom) - origin.top;
    pill.style.cssText = `right: ${right}px; top: ${top}px; max-width: ${(side === "above" ? beside : outer.width) - 30}px`;
    pill.addEventListener("click", () => panels.text.scrollTo(first.stretch.from));
    return [pill];
  });
}

/** @param {Trace} trace @param {Stretch[]} stretches @param {Stretch} stretch */
function pillWords(trace, stretches, { from, to, match }) {
  const others = new Set(stretches.map((stretch) => stretch.from)).size - 1;
  const copy = el("span", { class: "ls-quote", "data-source": "copy" }, excerpt(trace, from, to));
  const key = el("span", { class: "ls-quote", "data-source": "match" }, excerpt(trace, quotedFrom(match), match[1]));
  const more = others > 0 ? " " + t("player.pill-more", { n: others }) : "";
  return [t("player.pill-position", { from }), " …", key, copy, "…", more];
}
