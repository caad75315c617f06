/* The step in words: which one, which of its beats, and what it shows. */

import { BEATS } from "./beats.js";
import { el, setAttributes, setText } from "./dom.js";
import { beatWords } from "./sentence.js";

/**
 * @param {function(number)} onBeat told the beat that was chosen
 * @returns {object} a part of the player; number: a part within it, which tells only which step it is
 */
export function createStrip(onBeat) {
  const number = el("span", { class: "ls-step-number" });
  const buttons = BEATS.map((title, order) => beatButton(title, order + 1, onBeat));
  const items = buttons.map((each) => each.item);
  const list = el("ol", { class: "ls-beats", "aria-label": "Beats of the step" }, ...items);
  const summary = el("p", { class: "ls-summary" });
  const story = el("p", { class: "ls-story" });
  const count = el("span", { "data-count": "step" });
  number.append("Step ", count);
  const head = el("div", { class: "ls-strip-head" }, number, list);
  const element = el("div", { class: "ls-strip" }, head, summary, story);
  return {
    element,
    number: {
      element: number,
      paint: ({ step, trace, cursor }) => step && setText(count, `${cursor} of ${trace.steps.length}`),
    },
    words: () => [summary.textContent, story.textContent].join(" "),
    paint(frame) {
      element.hidden = !frame.step;
      if (!frame.step) return;
      buttons.forEach((each, order) => showBeat(each, order + 1, frame));
      const { headline, sentence } = beatWords(frame.trace, frame.cursor, frame.beat);
      setText(summary, headline);
      setText(story, sentence);
    },
  };
}

function beatButton(title, beat, onBeat) {
  const name = el("span", { class: "ls-beat-name" }, title);
  const hint = `${beat}. ${title} (, and . go through the beats)`;
  const about = { type: "button", class: "ls-beat", title: hint };
  const mark = el("span", { class: "ls-beat-number" }, String(beat));
  const button = el("button", about, mark, name);
  button.addEventListener("click", () => onBeat(beat));
  return { button, item: el("li", {}, button) };
}

function showBeat({ button, item }, beat, frame) {
  const reached = beat < frame.beat ? "past" : beat > frame.beat ? "ahead" : "now";
  if (item.dataset.reached === reached) return;
  item.dataset.reached = reached;
  setAttributes(button, { "aria-current": reached === "now" ? "step" : "false" });
}
