/* A few nodes of a step, for a stage: the accepted path and the nodes nearest to it, as many as there is room for. */

import { layOutTree } from "./layout.js";

/** @import { Layout, Room, Step, StepRow, Widths } from "./types.js" */

export const MAX_NODES = 12;
const BESIDE = 3; // rejected children shown of each node of the path, where there is room
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
 * The layout of the few nodes that there is room for, at most MAX_NODES; a longer path keeps its first ones.
 * @param {Step} step
 * @param {Widths[]} widths by node
 * @param {Room} room
 * @returns {{ layout: Layout, kept: number[] }}
 */
export function layOutFew(step, widths, { width, height, letter }) {
  const most = Math.min(MAX_NODES, step.states.length);
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

/**
 * The nodes that tell a step as a scene: the accepted path, a node below its end, and the first rejected ones along it.
 * @param {Step} step
 * @param {number} [most]
 * @returns {Set<number>}
 */
export function tellingNodes({ row }, most = MAX_NODES) {
  const { path, parents } = row;
  const few = new Set(path.slice(0, most));
  /** @param {number} parent @param {number} count */
  const add = (parent, count) => {
    for (const [node, above] of parents.entries()) {
      if (above !== parent || few.has(node) || count === 0) continue;
      if (few.size >= most) return;
      few.add(node);
      count -= 1;
    }
  };
  add(path[path.length - 1], 1);
  for (const node of path) add(node, BESIDE);
  if (few.size === 1) add(0, most - 1); // nothing was accepted
  return few;
}
