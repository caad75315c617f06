/* What the page says about a race, all of it from the traces. */

import { duration } from "../player/numbers.js";
import { percent, plural } from "../player/words.js";
import { SAME_TIME, places, spentInAll, stepsAt } from "./clock.js";
import { tokensAfter } from "./race.js";

/** @import { Clock, Race, Trace } from "../player/types.js" */

export const IDLE_RACE = "No race yet. Choose two to four methods and press Race: each gets a lane.";
export const STARTING_RACE = "Starting: every method warms up for a moment, then all set off.";
export const ORDINALS = ["", "1st", "2nd", "3rd", "4th"];
const TIE = 0.01; // difference of probabilities up to which rounding can decide between two tokens

/**
 * A moment on a clock: 1.32 s, 30 passes.
 * @param {number} at
 * @param {Clock} clock
 */
export function momentWords(at, clock) {
  return clock === "time" ? duration(at) : plural(Math.floor(at + SAME_TIME), "pass", "passes");
}

/** @param {Race} race */
export function verdictWords(race) {
  const { verdict } = race;
  if (!verdict) return "";
  const { tokens, differs_at: place, margin, complete } = verdict;
  if (place !== null) return differenceWords(place, margin);
  if (complete) return `All outputs are identical${inHalf(race)}, token for token (${plural(tokens, "token")}).`;
  return `The race was stopped. As far as all lanes got (${plural(tokens, "token")}), their outputs are identical.`;
}

/**
 * Half precision, where identical outputs are no matter of course.
 * @param {Race} race
 */
function inHalf(race) {
  const dtype = String(race.lanes[0].trace.header.model?.dtype ?? "");
  return dtype.endsWith("float16") ? `, in ${dtype}` : "";
}

/** @param {number} place @param {number | null} margin */
function differenceWords(place, margin) {
  const where = `The outputs differ from new token ${place + 1} on`;
  if (margin === null || margin > TIE) return where + ".";
  return `${where}: there the model's two best tokens were tied up to ${percent(margin)}, and rounding parted them.`;
}

/**
 * How the times were measured, and on which hardware.
 * @param {Race} race
 */
export function timingWords(race) {
  const { model, environment } = race.lanes[0].trace.header;
  const versions = ["torch", "transformers", "python"]
    .filter((name) => environment[name])
    .map((name) => `${name} ${environment[name]}`);
  const forward = environment.forward === "fast" ? "the fast forward" : "the stock forward";
  return [
    "How the times were taken: the methods took turns, one step each, on one device, and every round began" +
      " with another lane. A lane's time is the sum of its own steps; reading the prompt is not counted, and" +
      ` each method wrote ${plural(race.warmUp, "token")} untimed first.`,
    `Model ${model.id}, ${model.dtype}, on ${model.device}, ${forward}; ${versions.join(", ")}.`,
  ].join(" ");
}

/**
 * What a lane has done: 78 tokens, 30 passes, 2.60 a pass.
 * @param {Trace} trace
 * @param {number} steps
 */
export function laneWords(trace, steps) {
  const tokens = tokensAfter(trace, steps);
  const words = [plural(tokens, "token"), plural(steps, "pass", "passes")];
  if (steps) words.push((tokens / steps).toFixed(2) + " a pass");
  return words.join(", ");
}

/**
 * The order of arrival, for those who hear the page.
 * @param {Race} race
 * @param {Clock} clock
 */
export function arrivalWords(race, clock) {
  return places(race, clock)
    .flatMap((place, number) => (place === null ? [] : [{ place, ...race.lanes[number] }]))
    .sort((a, b) => a.place - b.place)
    .map(({ place, title, trace }) => `${ORDINALS[place]} ${title}, ${momentWords(spentInAll(trace, clock), clock)}`)
    .join("; ");
}

/**
 * Where every lane is, for those who hear the page.
 * @param {Race} race
 * @param {number} at
 * @param {Clock} clock
 */
export function standWords(race, at, clock) {
  const lanes = race.lanes.map(({ title, trace }) => {
    return `${title} ${plural(tokensAfter(trace, stepsAt(trace, at, clock)), "token")}`;
  });
  return `After ${momentWords(at, clock)}: ${lanes.join("; ")}.`;
}
