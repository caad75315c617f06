/* A lane: its method, its progress and its text. */

import { t } from "../page/i18n.js";
import { el, setData, setText } from "../player/dom.js";
import { spentInAll, stepsAt } from "./clock.js";
import { isOver } from "./race.js";
import { createLaneText } from "./text.js";
import { createTrack } from "./track.js";
import { ORDINALS, laneWords, momentWords } from "./words.js";

/** @import { LanePart } from "../player/types.js" */

/**
 * @param {string} title
 * @param {(() => void) | null} onOpen shows the lane's steps elsewhere
 * @returns {LanePart}
 */
export function createLane(title, onOpen) {
  const place = el("span", { class: "lr-place" });
  const took = el("span", { class: "lr-took" });
  const figures = el("span", { class: "lr-figures" });
  const track = createTrack();
  const text = createLaneText(title);
  const name = el("span", { class: "lr-title" }, title);
  const open = el("button", { type: "button", class: "ls-button ls-file lr-open", hidden: true }, t("compare.open-lane"));
  open.setAttribute("aria-label", t("compare.open-lane-label", { title }));
  if (onOpen) open.addEventListener("click", onOpen);
  const head = el("div", { class: "lr-head" }, place, name, figures, open, took);
  const attributes = { class: "lr-lane", role: "group", "aria-label": title };
  const element = el("div", attributes, head, track.element, text.element);
  return {
    element,
    paint(trace, frame) {
      const { at, clock, length } = frame;
      const steps = stepsAt(trace, at, clock);
      const home = frame.place !== null && steps === trace.steps.length;
      setText(place, home ? ORDINALS[frame.place || 0] : "");
      setText(took, home ? momentWords(spentInAll(trace, clock), clock) : "");
      setText(figures, laneWords(trace, steps));
      open.hidden = !onOpen || !isOver(trace);
      track.paint(trace, steps, length);
      text.paint(trace, steps);
      setData(element, "steps", trace.steps.length);
      setData(element, "shown", steps);
      setData(element, "place", home ? frame.place : null);
    },
  };
}
