/* The edges of a tree as SVG: line style by origin, weight by the node's state. */

import { svg } from "./dom.js";

/** @import { Edge, Layout, Step } from "./types.js" */

/** @param {Step} step @param {Layout} layout */
export function edgesElement(step, { edges, width, height }) {
  const size = { viewBox: `0 0 ${width} ${height}`, style: `width: ${width}em; height: ${height}em` };
  const drawing = svg("svg", { class: "ls-edges", "aria-hidden": "true", ...size });
  /** @param {Edge} edge */
  const last = (edge) => (stateOfEdge(step, edge) === "accepted" ? 1 : 0);
  // The accepted path lies on top of edges that share its line.
  for (const edge of [...edges].sort((a, b) => last(a) - last(b))) drawing.append(edgeElement(step, edge));
  return drawing;
}

/** @param {Step} step @param {Edge} edge */
function edgeElement(step, edge) {
  const { kind, node, of, path } = edge;
  const attributes = {
    class: "ls-edge ls-" + kind,
    "data-edge": node,
    "data-origin": originOfEdge(step, edge),
    "data-state": stateOfEdge(step, edge),
    style: `--ls-depth: ${step.depths[of[0]]}`,
    d: path,
  };
  return svg("path", attributes);
}

/**
 * The origin of an edge that several nodes share, if they agree on one.
 * @param {Step} step
 * @param {Pick<Edge, "kind" | "of">} edge
 */
export function originOfEdge({ origins }, { kind, of }) {
  if (kind === "trunk") return null;
  const first = origins[of[0]].origin;
  return of.every((node) => origins[node].origin === first) ? first : null;
}

/**
 * The best state among its nodes.
 * @param {Step} step
 * @param {Pick<Edge, "of">} edge
 */
export function stateOfEdge({ states }, { of }) {
  for (const state of ["accepted", "rejected"]) if (of.some((node) => states[node] === state)) return state;
  return "uncompared";
}
