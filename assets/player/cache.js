/* The KV cache: its rows before the pass, the rows of the pass, and which of these it keeps. */

import { term } from "../page/gloss.js";
import { t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { childrenOf, el, nearest, setData, setText } from "./dom.js";
import { linkOf } from "./links.js";

/** @import { Callbacks, Frame, Step, Trace } from "./types.js" */

/** @param {Pick<Callbacks, "point">} on is told the node whose row is pointed at */
export function createCache(on) {
  const before = el("span");
  const earlier = el("div", { class: "ls-cache-kept" }, before);
  const cells = el("div", { class: "ls-cache-rows" });
  const bar = el("div", { class: "ls-cache-bar", role: "img" }, earlier, cells);
  const title = el("span", { class: "ls-title" }, term("kv-cache", t("player.cache")));
  const note = el("span", { class: "ls-note" });
  const element = el("div", { class: "ls-cache" }, title, bar, note);
  listenToRows(cells, on);
  /** @type {Step | null} */
  let paintedStep = null;
  return {
    element,
    /** @param {Frame} frame */
    paint(frame) {
      const { trace, step, beat } = frame;
      element.hidden = !step;
      if (!step) return;
      if (paintedStep !== step) drawRows(cells, step);
      paintedStep = step;
      const { position, tokens } = step.row;
      setText(before, t("player.rows", { n: position }));
      earlier.style.setProperty("--ls-share", cacheShare(position, tokens.length).toFixed(4));
      const words = cacheWords(trace, frame.cursor, beat);
      setText(note, words);
      bar.setAttribute("aria-label", words);
      const link = linkOf(frame);
      showPointedRow(cells, link && link.number === frame.cursor ? link.node : null);
    },
  };
}

/**
 * The part of the bar for the rows before the step, limited so that those of the pass stay visible.
 * @param {number} before
 * @param {number} rows
 */
function cacheShare(before, rows) {
  return Math.min(0.5, before / (before + rows));
}

/**
 * Draws rows in the order of the pass; the style moves accepted rows to the front, --ls-shift cells back.
 * Elements stay from step to step, so that the browser restyles only rows that differ.
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
  const rows = t("player.rows", { n: position });
  if (beat < 3) return t("player.cache-before", { rows });
  const pass = t("player.cache-pass", { rows, pass: tokens.length });
  if (beat < LAST_BEAT) return pass;
  const dropped = tokens.length - path.length;
  const stay = t("player.cache-stay", { n: path.length });
  const kept = { pass, stay, dropped, all: position + path.length };
  return t(dropped ? "player.cache-kept-fall" : "player.cache-kept", kept);
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
