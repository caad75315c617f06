/* Bars with their numbers: one row for each lane, with its name and its number in words. */

import { el } from "../player/dom.js";
import { ORIGINS } from "../player/origins.js";

/** @import { BarPart, BarRow } from "../player/types.js" */

/**
 * @param {string} kind names the chart in the page
 * @param {string} title
 * @param {string} note what is counted
 * @param {Array<{title: string, number: string, parts: Array<{share: number, origin?: string, kind?: string}>}>} rows
 *   share: of the longest bar, 0 to 1
 */
export function createBars(kind, title, note, rows) {
  const caption = el("figcaption", { class: "lr-caption" }, el("b", {}, title), el("span", {}, note));
  const list = el("ul", { class: "lr-rows" }, ...rows.map(barRow));
  return el("figure", { class: "lr-bars", "data-bars": kind }, caption, list);
}

/** @param {BarRow} row */
function barRow({ title, number, parts }) {
  const bar = el("span", { class: "lr-bar", "aria-hidden": "true" }, ...parts.map(barPart));
  const name = el("span", { class: "lr-row-title" }, title);
  return el("li", { class: "lr-row" }, name, el("span", { class: "lr-number" }, number), bar);
}

/** @param {BarPart} part */
function barPart({ share, origin = null, kind = null }) {
  const element = el("i", { class: "lr-part", "data-origin": origin, "data-part": kind });
  element.style.width = (share * 100).toFixed(2) + "%";
  if (origin) element.style.setProperty("--lr-height", ORIGINS[origin].track_height + "%");
  return element;
}
