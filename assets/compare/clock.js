/* The two clocks that a race is played by: measured seconds of decoding, or forward passes. */

import { t } from "../page/i18n.js";
import { hasFinished, isOver } from "./race.js";

/** @import { Clock, Race, Trace } from "../player/types.js" */

/** @type {Record<Clock, string>} */
export const CLOCKS = { time: t("compare.clock-time"), forwards: t("compare.clock-forwards") };
/** @type {Clock[]} */
export const CLOCK_NAMES = ["forwards", "time"];
export const SAME_TIME = 1e-9;

/**
 * The time of a lane's first `steps` steps, on a clock.
 * @param {Trace} trace
 * @param {number} steps
 * @param {Clock} clock
 */
const spent = (trace, steps, clock) => (clock === "time" ? trace.totals[steps].seconds : steps);

/** @param {Trace} trace @param {Clock} clock */
export const spentInAll = (trace, clock) => spent(trace, trace.steps.length, clock);

/**
 * The steps that a lane has done when the clock shows `at`.
 * @param {Trace} trace
 * @param {number} at
 * @param {Clock} clock
 */
export function stepsAt(trace, at, clock) {
  let [low, high] = [0, trace.steps.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (spent(trace, middle, clock) <= at + SAME_TIME) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * When the last lane finishes, as far as is known.
 * @param {Race} race
 * @param {Clock} clock
 */
export const raceEnd = (race, clock) => Math.max(0, ...race.lanes.map(({ trace }) => spentInAll(trace, clock)));

/**
 * The latest moment that can be shown: the slowest lane's newest step while the race runs, then the end.
 * @param {Race} race
 * @param {Clock} clock
 */
export function frontier(race, clock) {
  const going = race.lanes.filter(({ trace }) => !isOver(trace));
  if (going.length === 0) return raceEnd(race, clock);
  return Math.min(...going.map(({ trace }) => spentInAll(trace, clock)));
}

/**
 * The next moment at which some lane does a step; the frontier when there is none.
 * @param {Race} race
 * @param {number} at
 * @param {Clock} clock
 */
export function momentAfter(race, at, clock) {
  const next = race.lanes.map(({ trace }) => {
    const steps = stepsAt(trace, at, clock);
    return steps < trace.steps.length ? spent(trace, steps + 1, clock) : Infinity;
  });
  return Math.min(frontier(race, clock), ...next);
}

/**
 * The moment of the previous step; 0 before the first.
 * @param {Race} race
 * @param {number} at
 * @param {Clock} clock
 */
export function momentBefore(race, at, clock) {
  const before = race.lanes.map(({ trace }) => spent(trace, stepsAt(trace, at - 2 * SAME_TIME, clock), clock));
  return Math.max(0, ...before);
}

/**
 * The rank of each lane: 1 for the least time, equal for equal times, null for a lane that did not finish.
 * @param {Race} race
 * @param {Clock} clock
 */
export function places(race, clock) {
  const finished = race.lanes.map(({ trace }) => (hasFinished(trace) ? spentInAll(trace, clock) : null));
  return finished.map((own) => {
    if (own === null) return null;
    return 1 + finished.filter((other) => other !== null && other < own - SAME_TIME).length;
  });
}
