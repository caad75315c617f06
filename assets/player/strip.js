/* The step in words: which one, which of its beats, and what it shows. */

import { t } from "../page/i18n.js";
import { BEATS } from "./beats.js";
import { el, setAttributes, setText } from "./dom.js";
import { beatWords, sceneWords } from "./sentence.js";
import { sentences } from "./words.js";

/** @import { Frame, PlayerView } from "./types.js" */

/**
 * @param {(beat: number) => void} onBeat is told the chosen beat
 * @returns {PlayerView["strip"]} `number`: a part within it, which shows only the step's number
 */
export function createStrip(onBeat) {
  const number = el("span", { class: "ls-step-number" });
  const buttons = BEATS.map((title, order) => beatButton(title, order + 1, onBeat));
  const items = buttons.map((each) => each.item);
  const list = el("ol", { class: "ls-beats", "aria-label": t("step.beats") }, ...items);
  const summary = el("p", { class: "ls-summary" });
  const story = el("p", { class: "ls-story" });
  const count = el("span", { "data-count": "step" });
  number.append(t("step.step-number"), " ", count);
  const head = el("div", { class: "ls-strip-head" }, number, list);
  const element = el("div", { class: "ls-strip" }, head, summary, story);
  return {
    element,
    number: {
      element: number,
      /** @param {Frame} frame */
      paint: ({ step, trace, cursor }) => step && setText(count, placeWords(cursor, trace.steps.length)),
    },
    words: () => sentences(summary.textContent || "", story.textContent || ""),
    /** @param {Frame} frame */
    paint(frame) {
      element.hidden = !frame.step;
      if (!frame.step) return;
      buttons.forEach((each, order) => showBeat(each, order + 1, frame));
      const words = frame.scene ? sceneWords : beatWords;
      const { headline, sentence } = words(frame.trace, frame.cursor, frame.beat);
      setText(summary, headline);
      setText(story, sentence);
    },
  };
}

/** @param {number} step @param {number} steps */
const placeWords = (step, steps) => t("step.of", { step: String(step), steps: String(steps) });

/** @param {string} title @param {number} beat @param {(beat: number) => void} onBeat */
function beatButton(title, beat, onBeat) {
  const name = el("span", { class: "ls-beat-name" }, title);
  const hint = t("step.beat-hint", { beat, title });
  const about = { type: "button", class: "ls-beat", title: hint };
  const mark = el("span", { class: "ls-beat-number" }, String(beat));
  const button = el("button", about, mark, name);
  button.addEventListener("click", () => onBeat(beat));
  return { button, item: el("li", {}, button) };
}

/** @param {{ button: HTMLElement, item: HTMLElement }} about @param {number} beat @param {Frame} frame */
function showBeat({ button, item }, beat, frame) {
  const reached = beat < frame.beat ? "past" : beat > frame.beat ? "ahead" : "now";
  if (item.dataset.reached === reached) return;
  item.dataset.reached = reached;
  setAttributes(button, { "aria-current": reached === "now" ? "step" : "false" });
}
