/* The mask of tree attention as a matrix: one row for each node, dark where the row may attend. Every node
   sees the text before the tree, its ancestors and itself. */

import { term } from "../page/gloss.js";
import { pieces, t } from "../page/i18n.js";
import { el, svg } from "./dom.js";
import { tokenElement } from "./nodes.js";
import { quoted } from "./words.js";

/** @import { Step, Trace } from "./types.js" */

const MASK_TITLE = t("player.mask-title");

/**
 * The nodes that each node sees, itself last: the rows of the mask.
 * @param {Step} step
 */
export function ancestorsOf({ row }) {
  /** @type {number[][]} */
  const paths = [];
  row.parents.forEach((parent, node) => paths.push(parent < 0 ? [node] : [...paths[parent], node]));
  return paths;
}

/**
 * The position id of each node: the root's absolute position and its depth.
 * @param {Step} step
 */
export function positionIds({ row, depths }) {
  return depths.map((depth) => row.position + depth);
}

/** @param {HTMLElement} mask @param {Trace} trace @param {Step} step */
export function drawMask(mask, trace, step) {
  const visible = ancestorsOf(step);
  const positions = positionIds(step);
  const count = visible.length;
  mask.style.setProperty("--ls-columns", String(count));
  const rows = visible.map((nodes, node) => maskRow(trace, step, node, nodes, positions[node]));
  const list = el("div", { class: "ls-mask-rows", role: "list", "aria-label": MASK_TITLE }, ...rows);
  mask.replaceChildren(maskHead(step, count), list, maskFoot(step, count));
}

/** @param {Step} step @param {number} count */
function maskHead({ row }, count) {
  const step = count > 32 ? 8 : count > 16 ? 4 : 1;
  const marks = [];
  for (let column = 0; column < count; column += step) {
    marks.push(el("span", { style: `--ls-column: ${column}` }, String(column)));
  }
  return el(
    "div",
    { class: "ls-mask-head", "aria-hidden": "true" },
    el("span", { class: "ls-mask-name" }, t("player.mask-node")),
    el("span", { class: "ls-mask-position" }, t("player.mask-position")),
    el("span", { class: "ls-mask-prefix" }, row.position > 0 ? `0–${row.position - 1}` : "–"),
    el("span", { class: "ls-mask-columns" }, ...marks),
  );
}

/** @param {Trace} trace @param {Step} step @param {number} node @param {number[]} nodes @param {number} position */
function maskRow(trace, step, node, nodes, position) {
  const { origin, rank } = step.origins[node];
  const attributes = {
    class: "ls-mask-row",
    role: "listitem",
    tabindex: node === 0 ? "0" : "-1",
    "aria-label": maskSentence(trace, step, node, nodes, position),
    "data-node": node,
    "data-parent": node === 0 ? null : step.row.parents[node],
    "data-origin": origin,
    "data-state": step.states[node],
    style: `--ls-depth: ${step.depths[node]}; --ls-column: ${node}`,
  };
  const badge = origin === "logit" ? el("span", { class: "ls-rank" }, String(rank)) : null;
  return el(
    "div",
    attributes,
    el("span", { class: "ls-mask-name" }, el("b", {}, String(node)), badge, tokenElement("ls-node-text", trace, step.row.tokens[node])),
    el("span", { class: "ls-mask-position" }, String(position)),
    el("span", { class: "ls-mask-prefix" }),
    cellsElement(step, nodes),
  );
}

/**
 * One path for each row: a square for each node that it sees, with a hole in its own.
 * @param {Step} step
 * @param {number[]} nodes
 */
function cellsElement({ row }, nodes) {
  const count = row.tokens.length;
  const own = nodes[nodes.length - 1];
  /** @param {number} column @param {number} inset */
  const square = (column, inset) => {
    const side = 1 - 2 * inset;
    return `M${column + inset} ${inset}h${side}v${side}h-${side}z`;
  };
  const hole = `M${own + 0.36} .36v.28h.28v-.28z`;
  const path = nodes.map((column) => square(column, 0.08)).join("") + hole;
  const attributes = { class: "ls-mask-cells", viewBox: `0 0 ${count} 1`, "aria-hidden": "true" };
  return svg("svg", { ...attributes, preserveAspectRatio: "none" }, svg("path", { d: path }));
}

/** @param {Trace} trace @param {Step} step @param {number} node @param {number[]} nodes @param {number} position */
function maskSentence(trace, step, node, nodes, position) {
  const token = quoted(trace, step.row.tokens[node]);
  const before = t("player.tokens", { n: step.row.position });
  const above = nodes.slice(0, -1).map((each) => quoted(trace, step.row.tokens[each]));
  const about = { row: node, token, position, before, above: above.join(t("player.list-comma")) };
  return t(above.length ? "player.mask-row-above" : "player.mask-row", about);
}

/** @param {Step} step @param {number} count */
function maskFoot({ row }, count) {
  const rows = term("rows", t("player.rows", { n: count }));
  const words = pieces("player.mask-foot", { rows, before: t("player.tokens", { n: row.position }) });
  return el("p", { class: "ls-mask-foot" }, ...words);
}
