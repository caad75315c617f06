/* The panel of the draft tree: as a tree, as rows, or as the mask of tree attention. */

import { t } from "../page/i18n.js";
import { caretMove, el, holds, panel, setText } from "./dom.js";
import { edgesElement } from "./edges.js";
import { MAX_NODES, fewNodes, layOutFew, tellingNodes } from "./few.js";
import { layOutTree } from "./layout.js";
import { linkOf } from "./links.js";
import { drawMask } from "./mask.js";
import { nodeElement, nodeWidths } from "./nodes.js";
import { rowElements } from "./rows.js";
import { beatWords } from "./sentence.js";
import { createSketch } from "./sketch.js";
import { outcomeSentence, sentenceAt } from "./words.js";
import { createZoom } from "./zoom.js";

/** @import {
 *   Callbacks, Fitting, Frame, PanelWithBoxes, Room, Step, StepFrame, Trace, TreeParts, TreeState, Widths, Zoom
 * } from "./types.js" */

const VIEW_TITLES = [
  ["tree", t("step.view-tree")],
  ["rows", t("step.view-rows")],
  ["mask", t("step.view-mask")],
];
const MIN_TREE = 560; // px; a narrower panel shows rows
const JUDGED = 4; // the first beat at which nodes are accepted or rejected
const SMALLER = 0.95; // relative size of a tree that would not fit whole
const SCENE_SIZES = [3, 2.75, 2.5, 2.25, 2, 1.8, 1.6, 1.4, 1.2, 1, 0.9];

/**
 * @param {Pick<Callbacks, "point" | "set">} on is told the node that is pointed at or focused, and the view
 *   that was chosen
 * @returns {PanelWithBoxes}
 */
export function createTreePanel(on) {
  const view = panel("tree", t("step.tree"), "draft-tree");
  const tree = el("div", { class: "ls-branches", role: "tree", "aria-label": t("step.tree-of-step") });
  const mask = el("div", { class: "ls-mask" });
  const empty = el("div", { class: "ls-empty" });
  const others = el("p", { class: "ls-others" });
  const notes = el("ol", { class: "ls-notes", hidden: true });
  const sketch = createSketch();
  const sweep = el("div", { class: "ls-sweep", "aria-hidden": "true" });
  const zoom = createZoom(view.body, tree);
  const views = viewButtons((name) => on.set({ treeView: name }));
  view.note.after(views.element);
  view.body.append(tree, mask, empty);
  const more = el("p", { class: "ls-more-nodes", hidden: true });
  view.element.append(notes, others, zoom.element, sweep, more);
  /** @type {TreeState} */
  const state = { frame: null, key: null, room: null, marks: [], scrolled: false, scene: false, said: 0 };
  const parts = { ...view, tree, mask, empty, others, notes, zoom, views, sketch, more };
  const repaint = () => {
    if (state.frame) paintTree(parts, state, state.frame);
  };
  measureRoom(view.body, state, repaint);
  for (const each of [tree, mask]) listenToNodes(each, on, zoom);
  pinWhileScrolling(view.body, state);
  return {
    element: view.element,
    paint(frame) {
      state.frame = frame;
      paintTree(parts, state, frame);
    },
    boxOf: (node) => nodeBox(view.body, state.frame, node),
  };
}

/** Why there is no step to show. @param {Frame} frame */
const noStepWords = ({ name }) => t(name === "done" || name === "error" ? "step.no-step-made" : "step.no-step");

/** @param {TreeParts} parts @param {TreeState} state @param {Frame} frame */
function paintTree(parts, state, frame) {
  const { trace, step, beat, hurried } = frame;
  const scene = frame.scene && !frame.settings.stage;
  setText(parts.empty, trace && !step ? noStepWords(frame) : "");
  setText(parts.note, step ? treeNote(step, beat) : "");
  if (state.room === null || state.scene !== scene) state.room = roomOf(parts.body);
  state.scene = scene;
  const few = scene && step ? tellingNodes(step) : null;
  setText(parts.others, few && step ? othersWords(step.row.tokens.length - few.size) : "");
  paintNotes(parts.notes, scene, frame);
  const view = scene ? "tree" : viewFor(frame.settings.treeView, state.room.width);
  parts.views.paint(view, viewFor("tree", state.room.width) === "tree");
  parts.zoom.element.hidden = view !== "tree" || scene;
  const { width, height, letter } = state.room;
  const stage = Boolean(frame.settings.stage);
  const isSketch = Boolean(hurried) && view === "tree" && !stage;
  const key = [trace, step, view, width, height, letter, isSketch, stage, scene];
  const previous = state.key;
  if (!previous || key.some((part, at) => part !== previous[at])) {
    const isOtherView = !previous || previous[1] !== step || previous[2] !== view;
    state.key = key;
    if (isSketch && frame.step) drawSketch(parts, frame, state.room);
    else drawStep(parts, view, frame, state.room);
    if (isOtherView && state.scrolled) parts.body.scrollTo(0, 0);
    state.marks = [];
    state.said = JUDGED;
  }
  sayNodes(parts, state, frame);
  markPointed(parts, state, frame);
}

/**
 * Tells screen readers no more about the nodes than the beat shows.
 * @param {TreeParts} parts
 * @param {TreeState} state
 * @param {Frame} frame
 */
function sayNodes({ tree }, state, { trace, step, beat }) {
  const said = Math.min(JUDGED, beat);
  if (!step || state.said === said) return;
  state.said = said;
  /** @type {NodeListOf<HTMLElement>} */
  const nodes = tree.querySelectorAll("[data-node][aria-label]");
  for (const each of nodes) each.setAttribute("aria-label", sentenceAt(trace, step, Number(each.dataset.node), beat));
}

/**
 * What a beat is about, in the panel's head.
 * @param {Step} step
 * @param {number} beat
 */
function treeNote(step, beat) {
  if (beat === 1) return t("step.root-certain");
  if (beat === 2) return t("step.drafted", { n: step.drafted });
  if (beat === 3) return t("step.rows-at-once", { n: step.row.tokens.length });
  return outcomeSentence(step);
}

/**
 * With reduced motion, a scene says in numbered notes what its motions would have shown.
 * @param {HTMLElement} notes
 * @param {boolean} scene
 * @param {Frame} frame
 */
function paintNotes(notes, scene, { trace, step, cursor }) {
  notes.hidden = !scene || !step || !matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (notes.hidden || !trace) return notes.replaceChildren();
  const [root, guesses, pass, walk] = [1, 2, 3, 4].map((beat) => beatWords(trace, cursor, beat));
  const words = [root.headline, guesses.sentence, pass.headline, walk.sentence];
  notes.replaceChildren(...words.map((each) => el("li", {}, each)));
}

/** @param {number} count */
const othersWords = (count) => (count > 0 ? t("step.scene-others", { n: count }) : "");

/** @param {string} choice @param {number} width */
const viewFor = (choice, width) => (choice === "tree" && width < MIN_TREE ? "rows" : choice);

/** @param {TreeParts} parts @param {StepFrame} frame @param {Room} room */
function drawSketch({ tree, mask, zoom, sketch }, frame, room) {
  const { layout, fit } = stepLayout(frame.trace, frame.step, room);
  zoom.fit(fit);
  mask.replaceChildren();
  mask.hidden = true;
  tree.hidden = false;
  tree.classList.remove("ls-rows");
  tree.style.width = tree.style.height = "";
  if (sketch.element.parentNode !== tree) tree.replaceChildren(sketch.element);
  sketch.draw(frame, layout, room.letter * zoom.size(), room);
}

/** @param {TreeParts} parts @param {string} view @param {Frame} frame @param {Room} room */
function drawStep({ body, tree, mask, zoom, sketch, more }, view, { trace, step, settings, scene }, room) {
  const stage = Boolean(settings.stage);
  sketch.rest();
  more.hidden = true;
  const { activeElement } = document;
  const focused = activeElement && body.contains(activeElement) && activeElement.closest("[data-node]");
  const isMask = view === "mask";
  tree.hidden = isMask;
  mask.hidden = !isMask;
  tree.classList.toggle("ls-rows", view === "rows");
  (isMask ? tree : mask).replaceChildren();
  tree.style.width = tree.style.height = "";
  if (!step) return (isMask ? mask : tree).replaceChildren();
  if (view === "rows") tree.replaceChildren(...rowElements(trace, step, stage ? fewNodes(step, MAX_NODES) : null));
  else if (isMask) drawMask(mask, trace, step);
  else drawTree(tree, zoom, trace, step, fittingOf(trace, step, room, stage, scene));
  if (stage && !isMask) showMore(more, step.states.length - tree.querySelectorAll("[data-node]").length);
  if (view === "rows") tree.style.fontSize = "";
  /** @type {HTMLElement | null} */
  const first = body.querySelector("[data-node][tabindex='0']");
  if (focused && first) first.focus({ preventScroll: true });
}

/** @param {HTMLElement} more @param {number} count of nodes that are not drawn */
function showMore(more, count) {
  more.hidden = count === 0;
  setText(more, count ? t("present.more-nodes", { n: count }) : "");
}

/**
 * @param {Trace} trace
 * @param {Step} step
 * @param {Room} room
 * @param {boolean} stage whether only a few nodes are drawn, as many as there is room for
 * @param {boolean} scene whether the nodes that tell the step are drawn, as large as there is room for
 * @returns {Fitting}
 */
function fittingOf(trace, step, room, stage, scene) {
  if (stage) return { ...layOutFew(step, nodeWidths(trace, step), room), fit: 1 };
  return scene ? sceneLayout(trace, step, room) : stepLayout(trace, step, room);
}

/** @param {HTMLElement} tree @param {Zoom} zoom @param {Trace} trace @param {Step} step @param {Fitting} fitting */
function drawTree(tree, zoom, trace, step, { layout, fit }) {
  const nodes = layout.order.map((node) => {
    const { x, y, width } = layout.nodes[node];
    const place = node === 0 ? "" : `left: ${x}em; top: ${y}em; `;
    return nodeElement(trace, step, node, `${place}width: ${width}em; --ls-depth: ${step.depths[node]}`);
  });
  tree.style.width = layout.width + "em";
  tree.style.height = layout.height + "em";
  tree.replaceChildren(...nodes, edgesElement(step, layout));
  const { path } = step.row;
  // The notes of a scene are about these; the third is about the pass.
  for (const [note, node] of [[1, 0], [2, path[1]], [4, path[path.length - 1]]]) {
    const noted = nodes[layout.order.indexOf(node)];
    if (noted && !noted.dataset.note) noted.dataset.note = String(note);
  }
  zoom.fit(fit);
}

/** @param {Trace} trace @param {Step} step @param {Room} room */
const stepLayout = (trace, step, room) => fittingLayout(step, nodeWidths(trace, step), room, [1, SMALLER]);

/** @param {Trace} trace @param {Step} step @param {Room} room */
const sceneLayout = (trace, step, room) =>
  fittingLayout(step, nodeWidths(trace, step, true), room, SCENE_SIZES, tellingNodes(step));

/**
 * The layout at the largest of the sizes at which the whole tree fits, or else at the last.
 * @param {Step} step
 * @param {Widths[]} widths
 * @param {Room} room
 * @param {number[]} sizes relative, in descending order
 * @param {Set<number>} [few] the only nodes to show
 * @returns {Fitting}
 */
function fittingLayout(step, widths, { width, height, letter }, sizes, few) {
  for (const fit of sizes) {
    const smallest = fit === sizes[sizes.length - 1];
    // A scene's few nodes do not wrap, except at the smallest size.
    const layout = layOutTree(step, widths, few && !smallest ? Infinity : width / (letter * fit), few);
    const fits = layout.height * letter * fit <= height && layout.width * letter * fit <= width;
    if (fits || smallest) return { fit, layout };
  }
  throw new Error("no size to draw at");
}

/**
 * The room inside the box, without the scroll bar, and the height of a letter in it; px.
 * @param {HTMLElement} body
 */
function roomOf(body) {
  const style = getComputedStyle(body);
  const sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  const ends = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
  return {
    width: body.clientWidth - sides,
    height: body.clientHeight - ends,
    letter: parseFloat(style.fontSize),
  };
}

/**
 * Measures when the box changes, not when a step is drawn: that would lay out the page twice per step.
 * @param {HTMLElement} body
 * @param {TreeState} state
 * @param {() => void} repaint
 */
function measureRoom(body, state, repaint) {
  const observer = new ResizeObserver(() => {
    const room = roomOf(body);
    const same = JSON.stringify(room) === JSON.stringify(state.room);
    if (room.width <= 0 || same) return;
    state.room = room;
    repaint();
  });
  observer.observe(body);
}

/** @param {(view: string) => void} onView */
function viewButtons(onView) {
  const buttons = VIEW_TITLES.map(([name, title]) => {
    const button = el("button", { type: "button", class: "ls-button", "data-view": name }, title);
    button.addEventListener("click", () => onView(name));
    return button;
  });
  return {
    element: el("div", { class: "ls-views", role: "group", "aria-label": t("step.views") }, ...buttons),
    /** @param {string} view @param {boolean} wide */
    paint(view, wide) {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
      buttons[0].hidden = !wide;
    },
  };
}

/**
 * Marks the node that the pointer or the focus is on, here or elsewhere, and the path to it.
 * @param {TreeParts} parts
 * @param {TreeState} state
 * @param {Frame} frame
 */
function markPointed({ body, mask }, state, frame) {
  const link = linkOf(frame);
  const node = link && link.number === frame.cursor ? link.node : null;
  mask.style.setProperty("--ls-at", node === null ? null : String(node));
  mask.toggleAttribute("data-at", node !== null);
  for (const each of state.marks) {
    each.removeAttribute("data-pointed");
    each.removeAttribute("data-way");
  }
  state.marks = [];
  if (node === null || !frame.step) return;
  for (let way = node; way >= 0; way = frame.step.row.parents[way]) {
    for (const each of body.querySelectorAll(`[data-node="${way}"], [data-edge="${way}"]`)) {
      each.setAttribute(way === node ? "data-pointed" : "data-way", "");
      state.marks.push(each);
    }
  }
}

/** @param {HTMLElement} body @param {Frame | null} frame @param {number} node */
function nodeBox(body, frame, node) {
  const element = frame && body.querySelector(`[data-node="${node}"]`);
  if (!element || (frame.beat === 1 && node !== 0)) return null;
  const box = element.getBoundingClientRect();
  const outer = body.getBoundingClientRect();
  const inSight = box.right > outer.left && box.left < outer.right && box.bottom > outer.top && box.top < outer.bottom;
  return inSight && box.width > 0 ? box : null;
}

/**
 * Gives the root a background of its own while the tree is scrolled, since nodes pass below it.
 * @param {HTMLElement} body
 * @param {TreeState} state
 */
function pinWhileScrolling(body, state) {
  const mark = () => {
    state.scrolled = body.scrollLeft > 0 || body.scrollTop > 0;
    body.classList.toggle("ls-scrolled", state.scrolled);
  };
  body.addEventListener("scroll", mark, { passive: true });
}

/**
 * The node that an element belongs to.
 * @param {EventTarget | null} target
 */
function nodeOf(target) {
  /** @type {HTMLElement | null} */
  const element = target instanceof Element ? target.closest("[data-node]") : null;
  return element ? { node: Number(element.dataset.node) } : null;
}

/** @param {HTMLElement} list @param {Pick<Callbacks, "point">} on @param {Zoom} zoom */
function listenToNodes(list, on, zoom) {
  const focused = () => (holds(list, document.activeElement) ? nodeOf(document.activeElement) : null);
  list.addEventListener("pointerover", (event) => on.point(nodeOf(event.target) || focused()));
  list.addEventListener("pointerleave", () => on.point(focused()));
  list.addEventListener("focusin", (event) => on.point(nodeOf(event.target)));
  list.addEventListener("focusout", () => on.point(null));
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (moveInTree(list, event) || (!zoom.element.hidden && zoom.key(event))) event.preventDefault();
  });
}

/**
 * One tab stop for the whole tree; left and right are for the steps, so up and down move between nodes, and
 * with shift held along the path to the root and down again.
 * @param {HTMLElement} list
 * @param {KeyboardEvent} event
 */
function moveInTree(list, event) {
  const move = caretMove(event);
  if (!move) return false;
  /** @type {NodeListOf<HTMLElement>} */
  const all = list.querySelectorAll("[data-node]");
  const nodes = [...all];
  const at = Math.max(0, nodes.findIndex((each) => each === document.activeElement));
  const next = event.shiftKey ? relative(nodes, nodes[at], move) : nodes[at + move];
  if (!next) return true;
  for (const each of nodes) if (each.tabIndex === 0) each.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
  return true;
}

/**
 * The parent's element, or the first child's in reading order.
 * @param {HTMLElement[]} nodes
 * @param {HTMLElement} element
 * @param {number} move
 */
function relative(nodes, element, move) {
  if (move < 0) return nodes.find((each) => each.dataset.node === element.dataset.parent);
  return nodes.find((each) => each.dataset.parent === element.dataset.node);
}
