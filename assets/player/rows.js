/* The draft tree as indented rows: one row per node, with words where there is room for them. A chain without
   forks is not indented, so that a long copy does not run off a narrow screen. */

import { t } from "../page/i18n.js";
import { el } from "./dom.js";
import { childGroups } from "./layout.js";
import { nodeElement } from "./nodes.js";
import { STATE_TITLES, originWords } from "./words.js";

/** @import { Step, Trace } from "./types.js" */

const MIN_FAN = 3;

/**
 * @param {Trace} trace
 * @param {Step} step
 * @param {number[] | null} [kept] the nodes to show, with their parents; null for all
 * @returns {HTMLElement[]} the rows, in reading order
 */
export function rowElements(trace, step, kept = null) {
  /** @param {number[]} group */
  const shown = (group) => group.filter((node) => !kept || kept.includes(node));
  const children = childGroups(step).map((groups) => groups.map(shown).filter((group) => group.length > 0));
  /** @type {HTMLElement[]} */
  const rows = [];
  /** @param {number} node @param {number} level @param {string | null | undefined} after */
  const add = (node, level, after) => {
    rows.push(rowElement(trace, step, [node], level, after));
    const groups = children[node];
    const forks = groups.length > 1 || groups.some((group) => group.length > 1);
    const below = level + (forks ? 1 : 0);
    for (const group of groups) {
      if (group.length >= MIN_FAN) rows.push(rowElement(trace, step, group, below));
      else for (const child of group) add(child, below, forks ? null : step.states[child]);
    }
  };
  add(0, 0, null);
  return rows;
}

/**
 * @param {Trace} trace
 * @param {Step} step
 * @param {number[]} nodes
 * @param {number} level
 * @param {string | null} [after] the state of a node that continues the row above
 */
function rowElement(trace, step, nodes, level, after) {
  const attributes = {
    class: nodes.length > 1 ? "ls-row ls-fan" : "ls-row",
    role: "none",
    "data-after": after,
    style: `--ls-level: ${level}; --ls-depth: ${step.depths[nodes[0]]}`,
  };
  return el("div", attributes, ...nodes.map((node) => lineElement(trace, step, node)));
}

/** @param {Trace} trace @param {Step} step @param {number} node */
function lineElement(trace, step, node) {
  // The target's choice is already next to the chip.
  const origin = originWords(trace, step, node);
  const words = node === 0 ? origin : t("player.fate-origin", { fate: STATE_TITLES[step.states[node]], origin });
  const line = el("span", { class: "ls-line-words", "aria-hidden": "true" }, words);
  return el("div", { class: "ls-line", role: "none" }, nodeElement(trace, step, node), line);
}
