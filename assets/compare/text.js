/* A lane's text: its new tokens by origin. Moving the clock adds or removes tokens at the end. */

import { t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { fillToken } from "../player/spelling.js";
import { originAt, spellSequence } from "../player/trace.js";
import { tokensAfter } from "./race.js";

/** @import { LaneText, Trace } from "../player/types.js" */

/** @param {string} title */
export function createLaneText(title) {
  const label = t("compare.text-of", { title });
  const element = el("div", { class: "lr-text", tabindex: 0, role: "region", "aria-label": label });
  /** @type {LaneText} */
  const state = { trace: null, spans: [], newest: [] };
  return {
    element,
    /** @param {Trace} trace @param {number} steps */
    paint(trace, steps) {
      if (state.trace !== trace) {
        for (const span of state.spans.splice(0)) span.remove();
        Object.assign(state, { trace, newest: [] });
      }
      const count = tokensAfter(trace, steps);
      const moved = count !== state.spans.length;
      if (moved) drawTokens(trace, state.spans, element, count);
      markNewest(state, trace, steps);
      if (moved) element.scrollTop = element.scrollHeight;
    },
  };
}

/** @param {Trace} trace @param {HTMLElement[]} spans @param {HTMLElement} element @param {number} count */
function drawTokens(trace, spans, element, count) {
  for (const span of spans.splice(count)) span.remove();
  if (count === 0) return;
  const first = trace.promptLength;
  // The last token may end in the middle of a character, before or after this change.
  const border = first + Math.min(spans.length, count - 1);
  const from = Math.max(first, Math.min(trace.groupOf[border], border));
  /** @type {HTMLElement[]} */
  const newSpans = [];
  spellSequence(trace, from, first + count).forEach((segments, offset) => {
    const place = from - first + offset;
    const span = spans[place] || laneToken(trace, first + place);
    fillToken(span, segments, false);
    if (place < spans.length) return;
    spans.push(span);
    newSpans.push(span);
  });
  element.append(...newSpans);
}

/** @param {Trace} trace @param {number} position */
const laneToken = (trace, position) =>
  el("span", { class: "ls-token", "data-lane-token": position, "data-origin": originAt(trace, position) });

/**
 * Frames the tokens of the newest step.
 * @param {LaneText} state
 * @param {Trace} trace
 * @param {number} steps
 */
function markNewest(state, trace, steps) {
  for (const span of state.newest) span.removeAttribute("data-now");
  const { spans } = state;
  state.newest = steps ? spans.slice(tokensAfter(trace, steps - 1), tokensAfter(trace, steps)) : [];
  state.newest.forEach((span, place) => {
    const edges = [place === 0 && "first", place === state.newest.length - 1 && "last"];
    span.dataset.now = edges.filter(Boolean).join(" ");
  });
}
