/* The text so far. Moving the cursor adds or removes tokens at the end and redraws none. */

import { t } from "../page/i18n.js";
import { caretMove, el, nearest, panel, setAttributes, setText } from "./dom.js";
import { linkOf, nextRoot, stretchesShown } from "./links.js";
import {
  clearSheet,
  createSheet,
  drawSheet,
  placeAt,
  setTrace,
  setWhitespace,
  showEnd,
  showInSight,
  spanAt,
} from "./sheet.js";
import { fillToken } from "./spelling.js";
import { spellToken } from "./trace.js";
import { nodeSentence, quoted } from "./words.js";

/** @import { Callbacks, Frame, Mark, Sheet, TextPanel, TextState, Trace } from "./types.js" */

const AT_END = 64; // px
const MIN_FOOT = 8; // px below the last line
const RUSH = 32; // tokens; if more come at once, they are plain text until the step stays

/**
 * @param {Pick<Callbacks, "point" | "pick">} on is told the position that is pointed at, and the step of a
 *   token that was chosen
 * @returns {TextPanel}
 */
export function createTextPanel(on) {
  const view = panel("text", t("player.text"));
  const label = t("player.text-label");
  setAttributes(view.body, { tabindex: 0, role: "group", "aria-label": label });
  const spoken = el("div", { class: "ls-spoken", role: "status" });
  view.element.append(spoken);
  const sheet = createSheet(view.body, () => refresh());
  /** @type {TextState} */
  const state = { view, sheet, spoken, frame: null, caret: null, sticks: true, wentTo: null, lecture: false };
  const refresh = () => {
    if (!state.frame || !state.frame.trace) return;
    showInSight(sheet);
    markTokens(sheet, state.frame);
  };
  view.body.addEventListener("scroll", () => {
    if (view.body.scrollTop === state.wentTo) return; // painted there already
    state.wentTo = null;
    state.sticks = view.body.scrollHeight - view.body.scrollTop - view.body.clientHeight < AT_END;
    refresh();
  });
  // The end stays in sight when the size or the font changes.
  if (typeof ResizeObserver === "function") {
    new ResizeObserver(() => {
      if (state.sticks) toEnd(state);
      refresh();
    }).observe(view.body);
  }
  listenToTokens(state, on);
  listenToCaret(state, on);
  return {
    element: view.element,
    body: view.body,
    paint: (frame) => paintText(state, frame),
    boxOf: (position) => boxesOf(state, position, position + 1)[0] || null,
    boxesOf: (from, to) => boxesOf(state, from, to),
    sideOf: (position) => sideOf(state, position),
    scrollTo: (position) => scrollToToken(state, position),
  };
}

/** @param {TextState} state @param {Pick<Callbacks, "point" | "pick">} on */
function listenToTokens({ view }, on) {
  const tokenOf = (/** @type {Event} */ event) => nearest(event, "[data-token]");
  view.body.addEventListener("pointerover", (event) => {
    const span = tokenOf(event);
    on.point(span ? { position: Number(span.dataset.token) } : null);
  });
  view.body.addEventListener("pointerleave", () => on.point(null));
  view.body.addEventListener("click", (event) => {
    const span = tokenOf(event);
    const selection = document.getSelection();
    const selecting = selection !== null && !selection.isCollapsed;
    if (span && Number(span.dataset.step) > 0 && !selecting) on.pick(Number(span.dataset.step));
  });
}

/**
 * The panel has one tab stop; a caret in it moves over the tokens, even those that are drawn only on arrival.
 * @param {TextState} state
 * @param {Pick<Callbacks, "point" | "pick">} on
 */
function listenToCaret(state, on) {
  const { body } = state.view;
  body.addEventListener("keydown", (event) => {
    const { frame, caret } = state;
    if (event.ctrlKey || event.altKey || event.metaKey || event.target !== body || !frame || !frame.trace) return;
    const move = caretMove(event);
    const step = caret === null ? 0 : frame.trace.stepOf[caret];
    if (move) setCaret(state, on, frame.trace, caretAfter(state, frame, move));
    else if (event.key === "Enter" && step) on.pick(step);
    else return;
    event.preventDefault();
  });
  body.addEventListener("blur", () => {
    if (state.caret === null) return;
    state.caret = null;
    on.point(null);
  });
}

/**
 * Where the caret goes: first to the current step, then by one token forwards or back, skipping folded ones.
 * @param {TextState} state
 * @param {Frame} frame
 * @param {number} move
 */
function caretAfter({ caret, sheet }, frame, move) {
  const last = frame.visible - 1;
  if (caret === null) return Math.min(last, frame.previous);
  const { folded } = sheet;
  const at = Math.max(0, Math.min(last, caret + move));
  if (!folded || at < folded.from || at >= folded.to) return at;
  return move > 0 ? folded.to : folded.from - 1;
}

/** @param {TextState} state @param {Pick<Callbacks, "point">} on @param {Trace} trace @param {number} position */
function setCaret(state, on, trace, position) {
  state.caret = position;
  scrollToToken(state, position);
  on.point({ position });
  const number = trace.stepOf[position];
  const spoken = number
    ? t("player.token-step", { position, words: nodeSentence(trace, trace.steps[number - 1], trace.nodeOf[position]), number })
    : t("player.token-prompt", { position, token: quoted(trace, trace.ids[position]) });
  setText(state.spoken, spoken);
}

/** @param {TextState} state @param {Frame} frame */
function paintText(state, frame) {
  const { view, sheet } = state;
  const { trace, visible, settings } = frame;
  const moved = sheet.trace !== trace || sheet.visible !== visible;
  state.frame = frame;
  if (!trace) {
    clearSheet(sheet);
    Object.assign(sheet, { trace: null, visible: 0 });
    return setText(view.note, "");
  }
  setText(view.note, t("player.text-note", { prompt: trace.promptLength, output: visible - trace.promptLength }));
  setWhitespace(sheet, settings.whitespace);
  setTrace(sheet, trace);
  const rushes = frame.hurried && visible - sheet.visible > RUSH;
  if (moved || sheet.entries.length === 0) drawSheet(sheet, visible, rushes);
  if (state.caret !== null && state.caret >= visible) state.caret = null;
  paintGhost(sheet.ghost, trace, nextRoot(frame));
  if (state.lecture !== settings.lecture) requestAnimationFrame(() => state.sticks && toEnd(state));
  state.lecture = settings.lecture;
  const streams = frame.playing || frame.name === "running";
  const ends = moved && (state.sticks || !streams);
  if (ends && frame.hurried && !rushes) showEnd(sheet);
  if (ends) toEnd(state);
  if (!ends || !frame.hurried) showInSight(sheet);
  markTokens(sheet, frame);
}

/**
 * Scrolls to the end, with a whole line at the top of the box; the padding below the last line makes room for that.
 * @param {TextState} state
 */
function toEnd(state) {
  const { body } = state.view;
  const { lineHeight, paddingBottom } = getComputedStyle(body);
  const line = parseFloat(lineHeight) || 1;
  const end = body.scrollHeight - parseFloat(paddingBottom);
  body.scrollTop = end - Math.floor((body.clientHeight - MIN_FOOT) / line) * line;
  state.wentTo = body.scrollTop;
  state.sticks = true;
}

/**
 * The certain next token, set apart after the text.
 * @param {HTMLElement} ghost
 * @param {Trace} trace
 * @param {number | null} id null after the end of a run
 */
function paintGhost(ghost, trace, id) {
  ghost.hidden = id === null;
  const next = trace.run + " " + id;
  if (id === null || ghost.dataset.next === next) return;
  ghost.dataset.next = next;
  fillToken(ghost, spellToken(trace, id), true);
  ghost.dataset.label = t("player.ghost-label");
  ghost.title = t("player.ghost");
}

/**
 * Marks tokens: the current step's, the sources of copies, and the one under the pointer.
 * @param {Sheet} sheet
 * @param {Frame} frame
 */
function markTokens(sheet, frame) {
  for (const [span, name] of sheet.marks) span.removeAttribute(name);
  sheet.marks = [];
  /** @param {number} position @param {string} name @param {string} value */
  const mark = (position, name, value) => {
    const span = spanAt(sheet, position);
    if (!span || span.hasAttribute(name)) return;
    span.setAttribute(name, value);
    sheet.marks.push([span, name]);
  };
  markCurrent(frame, mark);
  if (!frame.hurried) markSources(frame, mark);
  const link = linkOf(frame);
  if (link && link.position !== null) mark(link.position, "data-pointed", "");
}

/** @param {Frame} frame @param {Mark} mark */
function markCurrent({ step, previous, visible }, mark) {
  if (!step) return;
  for (let at = previous; at < visible; at += 1) {
    const edges = [at === previous && "first", at === visible - 1 && "last"].filter(Boolean);
    mark(at, "data-now", edges.join(" "));
  }
}

/** @param {Frame} frame @param {Mark} mark */
function markSources(frame, mark) {
  const { stretches, own } = stretchesShown(frame);
  for (const { from, to } of stretches) {
    for (let at = from; at < to; at += 1) {
      if (own === null || at === own) mark(at, "data-source", "copy");
    }
  }
  for (const { from, to, match } of stretches) {
    for (let at = match[0]; at < match[1]; at += 1) mark(at, "data-source", "match");
    for (let at = from; at < to; at += 1) mark(at, "data-source", "stretch");
  }
}

/**
 * The boxes of the tokens in sight from `from` up to `to`, one per line, in the window's coordinates.
 * @param {TextState} state
 * @param {number} from
 * @param {number} to
 */
function boxesOf({ view, sheet }, from, to) {
  const outer = view.body.getBoundingClientRect();
  /** @type {DOMRect[]} */
  const boxes = [];
  for (let at = from; at < to; at += 1) {
    const span = spanAt(sheet, at);
    if (!span) continue;
    for (const box of span.getClientRects()) {
      if (box.bottom <= outer.top || box.top >= outer.bottom || box.width === 0) continue;
      const last = boxes[boxes.length - 1];
      if (last && Math.abs(last.top - box.top) < 2 && box.left - last.right < 4) {
        boxes[boxes.length - 1] = new DOMRect(last.x, last.y, box.right - last.x, last.height);
      } else boxes.push(box);
    }
  }
  return boxes;
}

/**
 * Where a position is: "inside" the part in sight, "above" or "below" it, null when not in the text.
 * @param {TextState} state
 * @param {number} position
 */
function sideOf({ view, sheet }, position) {
  const place = placeAt(sheet, position);
  if (!place || !place.isConnected) return null;
  const outer = view.body.getBoundingClientRect();
  const inner = place.getBoundingClientRect();
  if (inner.bottom <= outer.top) return "above";
  if (inner.top >= outer.bottom) return "below";
  if (spanAt(sheet, position)) return "inside";
  return inner.top < outer.top ? "above" : "below";
}

/**
 * Scrolls within the panel, but never the page.
 * @param {TextState} state
 * @param {number} position
 */
function scrollToToken(state, position) {
  const { view, sheet } = state;
  const place = placeAt(sheet, position);
  if (!place) return;
  const line = () => {
    const here = spanAt(sheet, position) || place;
    return here.getClientRects()[0] || here.getBoundingClientRect();
  };
  const outer = view.body.getBoundingClientRect();
  const box = line();
  if (box.top >= outer.top + 8 && box.bottom <= outer.bottom - 8) return;
  view.body.scrollTop += box.top - outer.top - outer.height / 3;
  showInSight(sheet);
  // While it was out of sight, only its chunk's place was known.
  const now = line();
  if (now.top < outer.top || now.bottom > outer.bottom) {
    view.body.scrollTop += now.top - outer.top - outer.height / 3;
  }
}
