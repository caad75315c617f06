/* The text on the page: blocks of lines, which hold chunks; chunks in sight hold a span for each token. */

import { t } from "../page/i18n.js";
import { WHOLE_BELOW, chunkAt, cutChunks, inWindow } from "./chunks.js";
import { el, setText } from "./dom.js";
import { foldOf } from "./fold.js";
import { fillToken } from "./spelling.js";
import { originAt, spellSequence } from "./trace.js";

/** @import { Segment, Sheet, Trace } from "./types.js" */

const SIGHT = 500; // px
const NEAR_AT_FIRST = 200; // tokens

/**
 * @param {HTMLElement} body scrolls; gets blocks as its children
 * @param {() => void} onUnfold is called when the viewer opens a fold
 * @returns {Sheet} what the functions below work on
 */
export function createSheet(body, onUnfold) {
  const ghost = el("span", { class: "ls-ghost", "aria-hidden": "true", hidden: true });
  const fold = el("button", { type: "button", class: "ls-button ls-fold" });
  /** @type {Sheet} */
  const sheet = {
    body, ghost, fold, trace: null, visible: 0, whitespace: false, open: new Set(), near: NEAR_AT_FIRST,
    chunks: [], entries: [], folded: null, marks: [],
  };
  fold.addEventListener("click", () => {
    if (sheet.trace) sheet.open.add(sheet.trace.run);
    clearSheet(sheet);
    drawSheet(sheet, sheet.visible);
    body.focus({ preventScroll: true });
    onUnfold();
  });
  clearSheet(sheet);
  return sheet;
}

/** @param {Sheet} sheet */
export function clearSheet(sheet) {
  sheet.body.replaceChildren();
  Object.assign(sheet, { chunks: [], entries: [], folded: null, marks: [] });
}

/**
 * Replaces the trace. Within a run, the beginning that both traces share stays on the page.
 * @param {Sheet} sheet
 * @param {Trace} trace
 */
export function setTrace(sheet, trace) {
  const old = sheet.trace;
  if (old === trace) return;
  if (old && old.run === trace.run) dropChanged(sheet, old, trace);
  else clearSheet(sheet);
  sheet.trace = trace;
}

/** @param {Sheet} sheet @param {Trace} old @param {Trace} trace */
function dropChanged(sheet, old, trace) {
  const { chunks, entries } = sheet;
  /** @param {number} position */
  const isSame = (position) =>
    old.ids[position] === trace.ids[position] &&
    originAt(old, position) === originAt(trace, position) &&
    old.stepOf[position] === trace.stepOf[position];
  const visible = Math.min(sheet.visible, trace.ids.length);
  let common = 0;
  while (common < visible && isSame(common)) common += 1;
  if (common === sheet.visible) return;
  if (common < old.promptLength) return clearSheet(sheet);
  const changed = chunkAt(chunks, common);
  while (entries.length > changed) eraseLast(sheet);
  chunks.length = Math.min(chunks.length, changed + 1);
}

/**
 * Whether spaces and tabs are marked.
 * @param {Sheet} sheet
 * @param {boolean} whitespace
 */
export function setWhitespace(sheet, whitespace) {
  if (sheet.whitespace === whitespace) return;
  sheet.whitespace = whitespace;
  sheet.body.dataset.whitespace = String(whitespace);
  clearSheet(sheet);
}

/**
 * Cuts a trace's text into chunks and folds the prompt's middle, unless the viewer opened it.
 * @param {Sheet} sheet
 * @param {Trace} trace
 */
function cutSheet(sheet, trace) {
  const { chunks } = sheet;
  /** @param {number} position */
  const endsLine = (position) => tokenEndsLine(trace, position);
  /** @param {number} position */
  const inside = (position) => position < trace.ids.length && trace.groupOf[position] !== position;
  if (chunks.length === 0) {
    const fold = foldOf(trace.promptLength, endsLine, inside);
    sheet.folded = sheet.open.has(trace.run) ? null : fold;
  }
  const { folded } = sheet;
  const borders = [trace.promptLength, ...(folded ? [folded.from, folded.to] : [])];
  cutChunks(chunks, trace.ids.length, { endsLine, inside, borders: borders.filter((at) => !inside(at)) });
}

/** @param {Trace} trace @param {number} position */
function tokenEndsLine(trace, position) {
  const bytes = trace.bytes.get(trace.ids[position]);
  return bytes !== undefined && bytes[bytes.length - 1] === 10;
}

/**
 * Draws the text up to `visible`. New chunks begin as plain text; with `plain`, so does the one before them.
 * @param {Sheet} sheet
 * @param {number} visible
 * @param {boolean} [plain]
 */
export function drawSheet(sheet, visible, plain = false) {
  const { chunks, entries, trace } = sheet;
  if (!trace) return;
  cutSheet(sheet, trace);
  sheet.visible = visible;
  while (entries.length && chunks[entries.length - 1].start >= visible) eraseLast(sheet);
  if (entries.length && plain) setSpans(sheet, entries.length - 1, false);
  if (entries.length) drawChunk(sheet, entries.length - 1);
  while (entries.length < chunks.length && chunks[entries.length].start < visible) addChunk(sheet);
  placeGhost(sheet);
}

/** @param {Sheet} sheet */
function eraseLast({ entries }) {
  const { element = null, block = null } = entries.pop() || {};
  if (element) element.remove();
  if (block && !block.querySelector(".ls-chunk, .ls-fold")) block.remove();
}

/** @param {Sheet} sheet */
function addChunk(sheet) {
  const { body, chunks, entries, folded, fold } = sheet;
  const number = entries.length;
  const chunk = chunks[number];
  const above = number ? entries[number - 1].block : null;
  if (folded && chunk.start > folded.from && chunk.start < folded.to) {
    return entries.push({ element: null, block: above, spans: null, shownEnd: 0 });
  }
  const atFold = folded !== null && [folded.from, folded.to].includes(chunk.start);
  const goesOn = above && !chunk.line && !atFold;
  const block = goesOn ? above : body.appendChild(el("div", { class: "ls-block" }));
  if (atFold && chunk.start === folded.from) {
    setText(fold, t("player.folded", { n: folded.to - folded.from }));
    block.append(fold);
    return entries.push({ element: fold, block, spans: null, shownEnd: 0 });
  }
  const element = el("span", { class: "ls-chunk" });
  entries.push({ element, block, spans: null, shownEnd: 0 });
  drawChunk(sheet, number);
  block.append(element);
}

/**
 * Brings a chunk up to date: its visible tokens, as spans or as plain text.
 * @param {Sheet} sheet
 * @param {number} number
 */
function drawChunk(sheet, number) {
  const { chunks, entries, trace, visible } = sheet;
  const entry = entries[number];
  const { element, spans } = entry;
  if (!trace || !element || element === sheet.fold) return;
  const { start, end } = chunks[number];
  const shownEnd = Math.min(end, visible);
  if (entry.shownEnd === shownEnd) return;
  if (spans) drawSpans(trace, sheet.whitespace, element, spans, start, shownEnd);
  else fillToken(element, spellRange(trace, start, shownEnd).flat(), false);
  entry.shownEnd = shownEnd;
  element.dataset.of = trace.stepOf[start] === 0 ? "prompt" : "output";
}

/**
 * Segments of each token from `start` (the first of its group) up to `end`.
 * @param {Trace} trace
 * @param {number} start
 * @param {number} end
 */
function spellRange(trace, start, end) {
  /** @type {Segment[][]} */
  const all = [];
  for (let at = start; at < end; ) {
    let next = at + 1;
    while (next < end && trace.groupOf[next] === trace.groupOf[at]) next += 1;
    all.push(...spellSequence(trace, at, next));
    at = next;
  }
  return all;
}

/**
 * Draws tokens one by one; respells a character, whole or as hex, that the end of the visible text cuts or cut.
 * @param {Trace} trace
 * @param {boolean} whitespace
 * @param {HTMLElement} element of the chunk
 * @param {HTMLElement[]} spans
 * @param {number} start
 * @param {number} end
 */
function drawSpans(trace, whitespace, element, spans, start, end) {
  const unchanged = Math.min(start + spans.length, end);
  for (const span of spans.splice(Math.max(0, end - start))) span.remove();
  const border = Math.min(unchanged, trace.ids.length - 1);
  const from = Math.max(start, Math.min(unchanged, trace.groupOf[border]));
  /** @type {HTMLElement[]} */
  const added = [];
  spellRange(trace, from, end).forEach((segments, offset) => {
    const position = from + offset;
    const span = spans[position - start] || tokenSpan(trace, position);
    fillToken(span, segments, false, whitespace);
    showEmpty(trace, span, position, segments);
    if (position - start < spans.length) return;
    spans.push(span);
    added.push(span);
  });
  if (added.length) element.append(...added);
}

/** @param {Trace} trace @param {number} position */
function tokenSpan(trace, position) {
  return el("span", {
    class: "ls-token",
    "data-token": position,
    "data-id": trace.ids[position],
    "data-origin": originAt(trace, position),
    "data-step": trace.stepOf[position],
  });
}

/**
 * Marks a token without a character of its own: it is empty, or holds bytes of the character before.
 * @param {Trace} trace
 * @param {HTMLElement} span
 * @param {number} position
 * @param {Segment[]} segments
 */
function showEmpty(trace, span, position, segments) {
  span.classList.toggle("ls-continued", segments.length === 0);
  if (segments.length) return span.removeAttribute("data-hex");
  const bytes = trace.bytes.get(trace.ids[position]) || [];
  span.dataset.hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/**
 * Draws the chunks in and near view token by token; in a short text, all of them.
 * @param {Sheet} sheet
 */
export function showInSight(sheet) {
  const { body, entries, visible } = sheet;
  if (visible < WHOLE_BELOW) return entries.forEach((entry, number) => setSpans(sheet, number, true));
  const outer = body.getBoundingClientRect();
  const there = entries.map((entry, number) => number).filter((number) => entries[number].element);
  /** @param {number} at */
  const boxOf = (at) => (entries[there[at]].element || body).getBoundingClientRect();
  const [first, end] = inWindow(there.length, boxOf, outer.top - SIGHT, outer.bottom + SIGHT);
  there.forEach((number, at) => setSpans(sheet, number, at >= first && at < end));
  if (end > first) sheet.near = sheet.chunks[there[end - 1]].end - sheet.chunks[there[first]].start;
}

/**
 * The same for the end of the text, from the number of tokens that were near view before. Measuring where
 * they are would make the browser lay them out.
 * @param {Sheet} sheet
 */
export function showEnd(sheet) {
  const { chunks, entries, visible, near } = sheet;
  const from = visible < WHOLE_BELOW ? 0 : visible - near;
  entries.forEach((entry, number) => setSpans(sheet, number, chunks[number].end > from));
}

/** @param {Sheet} sheet @param {number} number @param {boolean} tokenByToken */
function setSpans(sheet, number, tokenByToken) {
  const entry = sheet.entries[number];
  if (!entry.element || entry.element === sheet.fold || (entry.spans !== null) === tokenByToken) return;
  entry.element.replaceChildren();
  Object.assign(entry, { spans: tokenByToken ? [] : null, shownEnd: 0 });
  drawChunk(sheet, number);
}

/**
 * The span of a position; null where it is folded away, not shown, or out of sight.
 * @param {Sheet} sheet
 * @param {number} position
 */
export function spanAt({ chunks, entries }, position) {
  const entry = entries[chunkAt(chunks, position)];
  return (entry && entry.spans && entry.spans[position - chunks[chunkAt(chunks, position)].start]) || null;
}

/**
 * The element that a position is in: its span, its chunk, or the fold.
 * @param {Sheet} sheet
 * @param {number} position
 */
export function placeAt(sheet, position) {
  const { chunks, entries, folded, fold } = sheet;
  if (folded && position >= folded.from && position < folded.to) return fold;
  const entry = entries[chunkAt(chunks, position)];
  return spanAt(sheet, position) || (entry && entry.element) || null;
}

/**
 * Puts the token that is certain to come next after the text, set apart from it.
 * @param {Sheet} sheet
 */
function placeGhost({ body, entries, ghost, trace, visible }) {
  const last = entries[entries.length - 1];
  const home = last && last.block && trace && !tokenEndsLine(trace, visible - 1) ? last.block : body;
  if (ghost.parentNode !== home || ghost.nextSibling) home.append(ghost);
}
