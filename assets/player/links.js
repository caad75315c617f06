/* Links: one thing in all its forms (a rank of the last logits, a node of the tree, a token of the text). */

import { tellingNodes } from "./few.js";
import { goesOn, matchBefore } from "./trace.js";

/** @import { AnyTraceFrame, Frame, Link, Step, Stretch, Trace, TraceFrame } from "./types.js" */

/**
 * The thing under the pointer or the focus, in each of its forms.
 * @param {Pick<AnyTraceFrame, "trace" | "cursor" | "visible" | "pointed">} frame
 * @returns {Link | null} `number`: its step, 0 for the prompt; node and rank are those of that step; position: where
 *   it is in the text that is shown. Null when nothing is pointed at.
 */
export function linkOf({ trace, cursor, visible, pointed }) {
  if (!trace || !pointed) return null;
  if ("position" in pointed) return linkOfPosition(trace, visible, pointed.position);
  if (cursor === 0) return null;
  const step = trace.steps[cursor - 1];
  if ("rank" in pointed) {
    const node = nodeOfRank(step, pointed.rank);
    if (node === null) return { number: cursor, step, node, rank: pointed.rank, position: null };
    return linkOfNode(trace, cursor, visible, node, pointed.rank);
  }
  if (!(pointed.node in step.states)) return null;
  return linkOfNode(trace, cursor, visible, pointed.node, rankOfNode(step, pointed.node));
}

/**
 * @param {Trace} trace
 * @param {number} number of the step
 * @param {number} visible
 * @param {number} node
 * @param {number | null} rank
 * @returns {Link}
 */
function linkOfNode(trace, number, visible, node, rank) {
  const step = trace.steps[number - 1];
  const position = positionOfNode(trace, number, node);
  return { number, step, node, rank, position: position !== null && position < visible ? position : null };
}

/**
 * @param {Trace} trace
 * @param {number} visible
 * @param {number} position
 * @returns {Link | null}
 */
function linkOfPosition(trace, visible, position) {
  if (!(position < visible)) return null;
  const number = trace.stepOf[position];
  if (number === 0) return { number, step: null, node: null, rank: null, position };
  const step = trace.steps[number - 1];
  const node = trace.nodeOf[position];
  return { number, step, node, rank: rankOfNode(step, node), position };
}

/**
 * The node that a rank of the last logits became, the root or a runner-up; null for a rank not drafted.
 * @param {Step} step
 * @param {number} rank
 */
function nodeOfRank({ row, origins }, rank) {
  if (row.last.ids[rank] === row.tokens[0]) return 0;
  const node = origins.findIndex((each) => each.origin === "logit" && each.rank === rank);
  return node < 0 ? null : node;
}

/**
 * The rank in the last logits of the root and of runners-up; null for other nodes and unlisted roots.
 * @param {Step} step
 * @param {number} node
 */
export function rankOfNode({ row, origins }, node) {
  if (node !== 0) return origins[node].origin === "logit" ? origins[node].rank : null;
  const rank = row.last.ids.indexOf(row.tokens[0]);
  return rank < 0 ? null : rank;
}

/**
 * The nearest node, from a node upwards, that has a rank of its own: a runner-up, or the root.
 * @param {Step} step
 * @param {number} node
 */
export function headOf({ row, origins }, node) {
  let head = node;
  while (head > 0 && origins[head].origin !== "logit") head = row.parents[head];
  return head;
}

/**
 * Where an accepted node's token is in the text; null for a node that was not accepted.
 * @param {Trace} trace
 * @param {number} number
 * @param {number} node
 */
function positionOfNode(trace, number, node) {
  const order = trace.steps[number - 1].row.path.indexOf(node);
  return order < 0 ? null : trace.totals[number - 1].end + order;
}

/**
 * The copies among a step's nodes: each a stretch of the text before the step, and the nodes
 * that were copied from it.
 * @param {Step} step
 * @param {number[]} [nodes] only stretches that hold one of these
 * @returns {Stretch[]}
 */
export function stretchesOf(step, nodes) {
  /** @type {(Stretch | null)[]} by node */
  const stretchOf = [];
  step.origins.forEach(({ from, match }, node) => {
    if (from === null) return stretchOf.push(null);
    const above = step.row.parents[node];
    const current = above >= 0 && goesOn(step.origins[above], step.origins[node]) ? stretchOf[above] : null;
    const stretch = current || { start: node, nodes: [], from, to: from, match: matchBefore(from, match) };
    stretchOf.push(stretch);
    stretch.nodes.push(node);
    stretch.to = Math.max(stretch.to, from + 1);
  });
  const stretches = new Set(nodes ? nodes.map((node) => stretchOf[node]) : stretchOf);
  return [...new Set(stretchOf)].flatMap((stretch) => (stretch && stretches.has(stretch) ? [stretch] : []));
}

/**
 * The copies whose sources are highlighted: those under the pointer; else, while the step drafts and verifies, all of
 * its copies; else those that were accepted.
 * @param {Frame} frame
 * @returns {{ step: Step | null, stretches: Stretch[], own: number | null }} own: the source of the one token that is
 *   pointed at
 */
export function stretchesShown(frame) {
  const { step, beat, scene } = frame;
  const link = linkOf(frame);
  if (link) {
    if (link.node === null) return { step: link.step, stretches: [], own: null };
    const own = link.step.origins[link.node].from;
    return { step: link.step, stretches: stretchesOf(link.step, [link.node]), own };
  }
  if (!step || beat === 1) return { step, stretches: [], own: null };
  const nodes = beat >= 4 ? step.row.path : scene ? [...tellingNodes(step)] : undefined;
  return { step, stretches: stretchesOf(step, nodes), own: null };
}

/**
 * The token that is certain to come next in the text of a frame; null after the end of a run.
 * @param {TraceFrame} frame
 */
export function nextRoot({ trace, cursor, step, beat }) {
  if (step && beat < 5) return step.row.tokens[0];
  if (trace.steps[cursor]) return trace.steps[cursor].row.tokens[0];
  if (!step || trace.header.finish) return null;
  return step.row.choices[step.row.path[step.row.path.length - 1]];
}
