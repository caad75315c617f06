/* The KV cache: the rows it had, the rows of this pass, and which of them it keeps. */

import { LAST_BEAT } from "./beats.js";
import { el, setData, setText } from "./dom.js";
import { linkOf } from "./links.js";
import { plural } from "./words.js";

/**
 * @param {{point: function({node: number}|null)}} on told the node whose row is pointed at
 */
export function createCache(on) {
  const kept = el("div", { class: "ls-cache-kept" }, el("span", {}));
  const cells = el("div", { class: "ls-cache-rows" });
  const bar = el("div", { class: "ls-cache-bar", role: "img" }, kept, cells);
  const title = el("span", { class: "ls-title" }, "KV cache");
  const words = el("span", { class: "ls-note" });
  const element = el("div", { class: "ls-cache" }, title, bar, words);
  listenToRows(cells, on);
  let drawn = null;
  return {
    element,
    paint(frame) {
      const { trace, step, beat } = frame;
      element.hidden = !step;
      if (!step) return;
      if (drawn !== step) drawRows(cells, step);
      drawn = step;
      const { position, tokens } = step.row;
      setText(kept.firstChild, plural(position, "row"));
      kept.style.setProperty("--ls-share", cacheShare(position, tokens.length).toFixed(4));
      const told = cacheWords(trace, frame.cursor, beat);
      setText(words, told);
      bar.setAttribute("aria-label", told);
      const link = linkOf(frame);
      showPointedRow(cells, link && link.number === frame.cursor ? link.node : null);
    },
  };
}

/** The part of the bar that the rows before the step take: never so much that those of the pass vanish. */
function cacheShare(before, rows) {
  return Math.min(0.5, before / (before + rows));
}

// In the order of the pass; the style brings accepted rows to the front, from as far as --ls-shift cells.
// Rows stay from step to step, so that only those that differ are styled anew.
function drawRows(cells, step) {
  const { path, tokens } = step.row;
  while (cells.children.length > tokens.length) cells.lastChild.remove();
  for (let node = cells.children.length; node < tokens.length; node += 1) {
    cells.append(el("i", { class: "ls-cache-row", "data-row": node }));
  }
  tokens.forEach((token, node) => {
    const row = cells.children[node];
    setData(row, "origin", step.origins[node].origin);
    setData(row, "fate", step.states[node]);
    const shift = path.indexOf(node);
    if (shift >= 0) row.style.setProperty("--ls-shift", String(node - shift));
  });
  cells.style.setProperty("--ls-rows", String(tokens.length));
}

/** What the cache holds at a beat, in words. */
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

function showPointedRow(cells, node) {
  const before = cells.querySelector("[data-pointed]");
  const now = node === null ? null : cells.querySelector(`[data-row="${node}"]`);
  if (before === now) return;
  if (before) before.removeAttribute("data-pointed");
  if (now) now.setAttribute("data-pointed", "");
}

function listenToRows(cells, on) {
  cells.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("[data-row]");
    on.point(cell ? { node: Number(cell.dataset.row) } : null);
  });
  cells.addEventListener("pointerleave", () => on.point(null));
}
