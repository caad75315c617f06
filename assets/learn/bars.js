/* The bars of a station, grouped by what they measure; sealed ones show once the answer is revealed. */

import { el } from "../player/dom.js";

/** @import { Bar, Sayings } from "./types.js" */

/**
 * @param {Bar[]} bars
 * @param {Sayings} say
 * @param {boolean} sealed
 */
export function barFigures(bars, say, sealed) {
  /** @type {Map<string, Bar[]>} */
  const groups = new Map();
  for (const bar of bars) {
    const name = say.plain(bar.group);
    groups.set(name, [...(groups.get(name) || []), bar]);
  }
  return [...groups].map(([name, rows]) => figureOf(name, rows, say, sealed));
}

/** @param {string} name @param {Bar[]} rows @param {Sayings} say @param {boolean} sealed */
function figureOf(name, rows, say, sealed) {
  const shares = sharesOf(rows.map(({ figure }) => say.value(figure)));
  const items = rows.map((row, at) => barItem(row, say, shares[at], sealed && Boolean(row.sealed)));
  return el("figure", {}, el("figcaption", {}, name), el("ul", {}, ...items));
}

/**
 * Each value's share of the largest; a browser draws a bar of any other width in full.
 * @param {number[]} values
 */
export function sharesOf(values) {
  const largest = Math.max(...values);
  return values.map((value) => (largest > 0 ? Math.max(0, value / largest) : 0));
}

/** @param {Bar} row @param {Sayings} say @param {number} share of the longest @param {boolean} hidden */
function barItem({ text, figure, unit = "" }, say, share, hidden) {
  const bar = el("i", {});
  bar.style.width = hidden ? "100%" : `${100 * share}%`;
  const words = hidden ? "?" : `${say.write(figure)} ${unit}`.trim();
  const track = el("span", { class: "learn-bar", "aria-hidden": "true" }, bar);
  return el("li", { class: "learn-bar-row", "data-hidden": hidden }, el("span", {}, ...say.nodes(text)), el("b", {}, words), track);
}
