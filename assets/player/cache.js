/* The KV cache: the rows it had, the rows of this pass, and which of them it keeps. */

import { LAST_BEAT } from "./beats.js";
import { childrenOf, el, nearest, setData, setText } from "./dom.js";
import { linkOf } from "./links.js";
import { plural } from "./words.js";

/** @import { Callbacks, Frame, Step, Trace } from "./types.js" */

/** @param {Pick<Callbacks, "point">} on hears of the node whose row is pointed at */
export function createCache(on) {
  const before = el("span");
  const kept = el("div", { class: "ls-cache-kept" }, before);
  const cells = el("div", { class: "ls-cache-rows" });
  const bar = el("div", { class: "ls-cache-bar", role: "img" }, kept, cells);
  const title = el("span", { class: "ls-title" }, "KV cache");
  const words = el("span", { class: "ls-note" });
  const element = el("div", { class: "ls-cache" }, title, bar, words);
  listenToRows(cells, on);
  /** @type {Step | null} */
  let drawn = null;
  return {
    element,
    /** @param {Frame} frame */
    paint(frame) {
      const { trace, step, beat } = frame;
      element.hidden = !step;
      if (!step) return;
      if (drawn !== step) drawRows(cells, step);
      drawn = step;
      const { position, tokens } = step.row;
      setText(before, plural(position, "row"));
      kept.style.setProperty("--ls-share", cacheShare(position, tokens.length).toFixed(4));
      const said = cacheWords(trace, frame.cursor, beat);
      setText(words, said);
      bar.setAttribute("aria-label", said);
      const link = linkOf(frame);
      showPointedRow(cells, link && link.number === frame.cursor ? link.node : null);
    },
  };
}

/**
 * The part of the bar that the rows before the step take: never so much that those of the pass vanish.
 * @param {number} before
 * @param {number} rows
 */
function cacheShare(before, rows) {
  return Math.min(0.5, before / (before + rows));
}

/**
 * In the order of the pass; the style brings accepted rows to the front, from as far as --ls-shift cells.
 * Rows stay from step to step, so that only those that differ are styled anew.
 * @param {HTMLElement} cells
 * @param {Step} step
 */
function drawRows(cells, step) {
  const { path, tokens } = step.row;
  for (const row of childrenOf(cells).slice(tokens.length)) row.remove();
  for (let node = cells.children.length; node < tokens.length; node += 1) {
    cells.append(el("i", { class: "ls-cache-row", "data-row": node }));
  }
  const rows = childrenOf(cells);
  tokens.forEach((token, node) => {
    const row = rows[node];
    setData(row, "origin", step.origins[node].origin);
    setData(row, "fate", step.states[node]);
    const shift = path.indexOf(node);
    if (shift >= 0) row.style.setProperty("--ls-shift", String(node - shift));
  });
  cells.style.setProperty("--ls-rows", String(tokens.length));
}

/**
 * What the cache holds at a beat, in words.
 * @param {Trace} trace
 * @param {number} number
 * @param {number} beat
 */
export function cacheWords(trace, number, beat) {
  const { position, path, tokens } = trace.steps[number - 1].row;
  const before = plural(position, "row");
  if (beat < 3) return `${before}: one for every token of the text before the root`;
  const pass = `${before} + ${tokens.length} of this pass`;
  if (beat < LAST_BEAT) return pass;
  const gone = tokens.length - path.length;
  const fall = gone ? `, ${gone} fall away` : "";
  const stay = `${path.length} accepted ${path.length === 1 ? "row stays" : "rows stay"}`;
  return `${pass}: ${stay}${fall}, ${position + path.length} in all`;
}

/** @param {HTMLElement} cells @param {number | null} node */
function showPointedRow(cells, node) {
  const before = cells.querySelector("[data-pointed]");
  const now = node === null ? null : cells.querySelector(`[data-row="${node}"]`);
  if (before === now) return;
  if (before) before.removeAttribute("data-pointed");
  if (now) now.setAttribute("data-pointed", "");
}

/** @param {HTMLElement} cells @param {Pick<Callbacks, "point">} on */
function listenToRows(cells, on) {
  cells.addEventListener("pointerover", (event) => {
    const cell = nearest(event, "[data-row]");
    on.point(cell ? { node: Number(cell.dataset.row) } : null);
  });
  cells.addEventListener("pointerleave", () => on.point(null));
}
