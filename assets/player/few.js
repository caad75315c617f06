/* Few nodes of a step, for a stage: the accepted path and what stood nearest to it, as many as there is room for. */

import { layOutTree } from "./layout.js";

/** @import { Layout, Room, Step, StepRow, Widths } from "./types.js" */

export const MOST_NODES = 12;
const SIBLING = 0.35; // how much further from the path a sibling is than the one before it; a child is 1 further

/**
 * The accepted path and the nodes nearest to it, parents before children.
 * @param {Pick<Step, "states"> & { row: Pick<StepRow, "parents"> }} step
 * @param {number} most
 * @returns {number[]}
 */
export function fewNodes({ row, states }, most) {
  /** @type {number[]} */
  const distance = [];
  /** @type {number[]} by node, children seen that were not accepted */
  const seen = row.parents.map(() => 0);
  row.parents.forEach((parent, node) => {
    if (states[node] === "accepted") return distance.push(0);
    distance.push(distance[parent] + 1 + SIBLING * seen[parent]);
    seen[parent] += 1;
  });
  const order = distance.map((_, node) => node).sort((a, b) => distance[a] - distance[b] || a - b);
  return order.slice(0, most).sort((a, b) => a - b);
}

/**
 * The layout of the few nodes that the room holds, at most MOST_NODES; a path that is longer keeps its first ones.
 * @param {Step} step
 * @param {Widths[]} widths by node
 * @param {Room} room
 * @returns {{ layout: Layout, kept: number[] }}
 */
export function layOutFew(step, widths, { width, height, letter }) {
  const most = Math.min(MOST_NODES, step.states.length);
  for (let count = most; ; count -= 1) {
    const kept = fewNodes(step, count);
    const layout = layOutOnly(step, widths, kept, width / letter);
    const fits = layout.height * letter <= height && layout.width * letter <= width;
    if (fits || count <= 2) return { layout, kept };
  }
}

/** @param {Step} step @param {Widths[]} widths @param {number[]} kept @param {number} room @returns {Layout} */
function layOutOnly(step, widths, kept, room) {
  const parents = kept.map((node) => kept.indexOf(step.row.parents[node]));
  const states = kept.map((node) => step.states[node]);
  const layout = layOutTree({ row: { parents }, states }, kept.map((node) => widths[node]), room);
  /** @type {Layout["nodes"]} */
  const nodes = [];
  layout.nodes.forEach((each, at) => (nodes[kept[at]] = each));
  const edges = layout.edges.map((edge) => ({
    ...edge,
    node: edge.node === null ? null : kept[edge.node],
    of: edge.of.map((at) => kept[at]),
  }));
  return { ...layout, nodes, edges, order: layout.order.map((at) => kept[at]) };
}
