/* The tree while steps rush by: on a canvas, every node at its place with its token, without small print.
   A page that had to lay out as many elements could not keep up, nor could one that drew dashes: accepted nodes
   are filled, rejected ones have an outline, those that were not compared have none. */

import { t } from "../page/i18n.js";
import { el } from "./dom.js";
import { originOfEdge, stateOfEdge } from "./edges.js";
import { CHIP_HEIGHT } from "./layout.js";
import { ORIGINS, ORIGIN_NAMES } from "./origins.js";
import { drawnText, shortened } from "./spelling.js";
import { spellToken } from "./trace.js";

/** @import { Layout, Looks, Room, Sketch, Step, StepFrame, Trace } from "./types.js" */

const SKETCH_COLOURS = ["text", "soft", "ground", "line-hard", ...ORIGIN_NAMES];

/** @returns {Sketch} */
export function createSketch() {
  // Elements inside a canvas are styled but not drawn: they give the page's current colours.
  const probes = SKETCH_COLOURS.map((name) => el("i", { style: `color: var(--ls-${name})` }));
  const element = el("canvas", { class: "ls-sketch", role: "img" }, ...probes);
  element.setAttribute("aria-label", t("player.sketch"));
  /** @type {Looks | null} the page's current look */
  let looks = null;
  return {
    element,
    rest() {
      looks = null;
    },
    draw(frame, layout, letter, room) {
      const scale = window.devicePixelRatio || 1;
      resizeSketch(element, room, scale);
      looks = looks || looksOf(element, probes);
      const pen = element.getContext("2d");
      if (!pen) return;
      pen.setTransform(scale * letter, 0, 0, scale * letter, 0, 0);
      pen.clearRect(0, 0, element.width, element.height);
      drawEdges(pen, looks, frame.step, layout);
      drawBoxes(pen, looks, frame.step, layout);
      drawTokens(pen, looks, frame, layout);
    },
  };
}

/** @param {HTMLCanvasElement} element @param {Room} room @param {number} scale */
function resizeSketch(element, { width, height }, scale) {
  const across = Math.round(width * scale);
  const down = Math.round(height * scale);
  if (element.width !== across) element.width = across;
  if (element.height !== down) element.height = down;
}

/** @param {HTMLCanvasElement} element @param {HTMLElement[]} probes */
function looksOf(element, probes) {
  /** @type {Record<string, string>} */
  const colours = {};
  probes.forEach((probe, at) => (colours[SKETCH_COLOURS[at]] = getComputedStyle(probe).color));
  return { colours, font: getComputedStyle(element).fontFamily };
}

/**
 * Groups things that look alike, because each stroke on the canvas has a cost.
 * @template Thing
 * @param {Thing[]} things
 * @param {(thing: Thing) => string} keyOf what tells them apart
 */
function grouped(things, keyOf) {
  /** @type {Map<string, Thing[]>} */
  const groups = new Map();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group) group.push(thing);
    else groups.set(keyOf(thing), [thing]);
  }
  return groups.values();
}

/** @param {CanvasRenderingContext2D} pen @param {Looks} looks @param {Step} step @param {Layout} layout */
function drawEdges(pen, { colours }, step, { edges }) {
  const strokes = edges.map((edge) => {
    const isShared = edge.kind === "trunk" || edge.kind === "bus";
    const state = stateOfEdge(step, edge);
    const origin = originOfEdge(step, edge);
    return { edge, origin, state, onPath: state === "accepted" && !isShared };
  });
  strokes.sort((a, b) => Number(a.onPath) - Number(b.onPath));
  for (const group of grouped(strokes, ({ origin, state, onPath }) => [origin, state, onPath].join())) {
    const { origin, state, onPath } = group[0];
    pen.strokeStyle = onPath ? colours.text : colours[origin || "line-hard"];
    pen.globalAlpha = state === "uncompared" ? 0.55 : 0.85;
    pen.lineWidth = onPath ? 0.26 : 0.11;
    pen.stroke(new Path2D(group.map(({ edge }) => edge.path).join("")));
  }
}

/** @param {CanvasRenderingContext2D} pen @param {Looks} looks @param {Step} step @param {Layout} layout */
function drawBoxes(pen, { colours }, { origins, states }, { nodes, order }) {
  for (const group of grouped(order, (node) => origins[node].origin + states[node])) {
    const { origin } = origins[group[0]];
    const state = states[group[0]];
    const thick = state === "accepted" && origin !== "root" ? 0.2 : 0.13;
    pen.beginPath();
    for (const node of group) addBox(pen, nodes[node], thick / 2, origin);
    if (origin === "root") for (const node of group) addBox(pen, nodes[node], 0.3, origin);
    pen.fillStyle = pen.strokeStyle = colours[origin];
    pen.globalAlpha = 0.26;
    if (state === "accepted") pen.fill();
    pen.globalAlpha = 1;
    pen.lineWidth = thick;
    if (state !== "uncompared") pen.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Layout["nodes"][number]} place
 * @param {number} inset
 * @param {string} origin
 */
function addBox(pen, { x, y, width }, inset, origin) {
  pen.roundRect(x + inset, y + inset, width - 2 * inset, CHIP_HEIGHT - 2 * inset, ORIGINS[origin].corners);
}

/** @param {CanvasRenderingContext2D} pen @param {Looks} looks @param {StepFrame} frame @param {Layout} layout */
function drawTokens(pen, { colours, font }, { trace, step }, { nodes, order }) {
  const { origins, states, row } = step;
  pen.globalAlpha = 1;
  pen.textBaseline = "middle";
  for (const group of grouped(order, (node) => states[node])) {
    const state = states[group[0]];
    pen.font = `${state === "accepted" ? "bold " : ""}1px ${font}`;
    for (const node of group) {
      const { x, y, width } = nodes[node];
      const { origin, rank } = origins[node];
      const badge = origin === "logit" ? `${rank} ` : "";
      const left = x + (origin === "root" ? 0.81 : 0.5);
      pen.fillStyle = state === "uncompared" ? colours.soft : colours.text;
      pen.fillText(badge + sketchText(trace, row.tokens[node]), left, y + CHIP_HEIGHT / 2, x + width - 0.4 - left);
    }
  }
}

/**
 * The token as a plain string in which every character has a shape.
 * @param {Trace} trace
 * @param {number} token
 */
const sketchText = (trace, token) => drawnText(shortened(spellToken(trace, token)));
