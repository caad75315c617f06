/* The whole run at a glance: one bar for each step, as high as its number of tokens, under the scrubber. */

import { t } from "../page/i18n.js";
import { el, setAttributes, setText, svg } from "./dom.js";
import { stretchesShown } from "./links.js";
import { countTexts, stepsDone } from "./numbers.js";

/** @import { Actions, AnyTraceFrame, Frame, OverviewState, Part, Stretch, Trace } from "./types.js" */

/**
 * @param {Actions} on `drag` is told the step that is dragged or clicked to, `drop` is called on release
 * @returns {Part}
 */
export function createOverview(on) {
  const roots = svg("path", { class: "ls-bars-root" });
  const drafts = svg("path", { class: "ls-bars-accepted" });
  const options = { class: "ls-bars", preserveAspectRatio: "none", "aria-hidden": "true" };
  const bars = svg("svg", options, drafts, roots);
  const range = el("input", {
    type: "range",
    class: "ls-range",
    min: "0",
    max: "0",
    step: "1",
    "aria-label": t("player.step"),
    title: t("player.overview-title"),
  });
  range.addEventListener("input", () => on.drag(Number(range.value)));
  range.addEventListener("change", on.drop);
  const marks = el("div", { class: "ls-marks", "aria-hidden": "true" });
  const most = el("span", {});
  const soFar = el("span", { class: "ls-so-far" });
  const head = el("div", { class: "ls-lane-title" }, most, soFar);
  const prompt = el("span", { class: "ls-lane-prompt" }, t("player.prompt"));
  const track = el("div", { class: "ls-track" }, bars, marks, range);
  const element = el("div", { class: "ls-overview" }, head, prompt, track);
  /** @type {OverviewState} */
  const state = { trace: null, steps: 0, most: 1, roots: "", drafts: "", markKey: "" };
  return {
    element,
    /** @param {Frame} frame */
    paint(frame) {
      const { trace, cursor } = frame;
      const steps = trace ? trace.steps.length : 0;
      if (state.trace !== trace || state.steps !== steps) {
        drawBars(element, bars, state, trace);
        roots.setAttribute("d", state.roots);
        drafts.setAttribute("d", state.drafts);
        state.markKey = null;
      }
      element.hidden = trace === null;
      setText(most, t(steps ? "player.overview-most" : "player.overview", { most: state.most }));
      setRange(range, steps, cursor);
      setText(soFar, soFarWords(frame));
      drawMarks(marks, prompt, state, frame);
    },
  };
}

/**
 * Sets the value after the bounds, because the browser clamps a value outside them.
 * @param {HTMLInputElement} range
 * @param {number} steps
 * @param {number} cursor
 */
function setRange(range, steps, cursor) {
  if (range.max !== String(steps)) setAttributes(range, { min: steps ? 1 : 0, max: steps });
  range.value = String(cursor);
  range.disabled = steps === 0;
  range.setAttribute("aria-valuetext", t(steps ? "player.step-of" : "player.no-steps", { step: cursor, steps }));
}

/**
 * @param {HTMLElement} element
 * @param {SVGElement} bars
 * @param {OverviewState} state
 * @param {Trace | null} trace
 */
function drawBars(element, bars, state, trace) {
  if (state.trace !== trace) Object.assign(state, { trace, steps: 0, most: 1, roots: "", drafts: "" });
  const steps = trace ? trace.steps : [];
  for (let number = state.steps + 1; number <= steps.length; number += 1) {
    const length = steps[number - 1].row.path.length;
    state.most = Math.max(state.most, length);
    state.roots += `M${number} 0V1`;
    if (length > 1) state.drafts += `M${number} 1V${length}`;
  }
  state.steps = steps.length;
  const width = Math.max(1, steps.length - 1);
  bars.setAttribute("viewBox", `1 ${-state.most} ${width} ${state.most}`);
  element.style.setProperty("--ls-steps", String(Math.max(1, steps.length)));
}

/**
 * Tokens per pass, up to the visible step.
 * @param {Pick<AnyTraceFrame, "trace" | "cursor" | "beat">} frame
 */
export function soFarWords(frame) {
  if (!frame.trace) return "";
  const { mean } = countTexts(frame.trace, stepsDone(frame));
  return mean ? t("player.so-far", { mean }) : "";
}

/**
 * Marks the highlighted sources along the lane: at the steps that added them, or in the prompt.
 * @param {HTMLElement} marks
 * @param {HTMLElement} prompt
 * @param {OverviewState} state
 * @param {Frame} frame
 */
function drawMarks(marks, prompt, state, frame) {
  const { trace } = frame;
  const places = trace && !frame.hurried ? markPlaces(trace, stretchesShown(frame).stretches) : [];
  const markKey = places.join(" ");
  if (markKey === state.markKey) return;
  state.markKey = markKey;
  prompt.toggleAttribute("data-source-step", places[0] === 0);
  const steps = trace ? trace.steps.length : 0;
  marks.replaceChildren(...places.filter(Boolean).map((number) => markElement(number, steps)));
}

/**
 * The steps that added the first tokens of copied stretches, in order; 0 is the prompt.
 * @param {Pick<Trace, "stepOf">} trace
 * @param {Pick<Stretch, "from">[]} stretches
 */
export function markPlaces(trace, stretches) {
  const steps = stretches.map(({ from }) => trace.stepOf[from]).filter((number) => number !== undefined);
  return [...new Set(steps)].sort((a, b) => a - b);
}

/** @param {number} number @param {number} steps */
function markElement(number, steps) {
  const share = steps > 1 ? (number - 1) / (steps - 1) : 0;
  const style = `inset-inline-start: ${(share * 100).toFixed(3)}%`;
  return el("span", { class: "ls-source-mark", style, "data-source-step": number });
}
