/* A prediction that only a race can judge: tokens a pass with the visitor's own prompt. */

import { t } from "../page/i18n.js";
import { duration } from "../player/numbers.js";
import { sentences } from "../player/words.js";
import { hasAnswer, isRight } from "./progress.js";

/** @import { RaceOutcome } from "../player/types.js" */
/** @import { Measured, Progress, Station } from "./types.js" */

/** @param {Station} station */
export const isMeasurable = ({ open, predict }) =>
  open === "compare" && predict !== undefined && predict.kind === "number" && !hasAnswer(predict);

/**
 * Judges the prediction at a station, once and for all; false if there is none, or the race says nothing about it.
 * @param {Station} station
 * @param {Progress} progress
 * @param {RaceOutcome} outcome
 */
export function judge(station, { answers }, outcome) {
  const answer = answers[station.station];
  const measured = isMeasurable(station) && answer && !answer.measured ? measuredIn(outcome) : null;
  if (!measured || !station.predict) return false;
  Object.assign(answer, { measured, right: isRight(station.predict, answer.said, measured.mean) });
  return true;
}

/**
 * What a race measured: the most tokens a pass with drafting, and which lane was first by passes and by time.
 * @param {RaceOutcome} outcome
 * @returns {Measured | null} null where no lane drafted, or only one ran
 */
function measuredIn({ lanes }) {
  const means = lanes.filter(({ plain }) => !plain).map(({ title, tokens, passes }) => ({ title, mean: tokens / passes }));
  if (!means.length || lanes.length < 2) return null;
  const best = means.reduce((most, each) => (each.mean > most.mean ? each : most));
  const [few, more] = [...lanes].sort((a, b) => a.passes - b.passes);
  const [fast, slow] = [...lanes].sort((a, b) => a.seconds - b.seconds);
  return {
    ...best,
    fewest: few.title,
    more: more.title,
    fewer: more.passes - few.passes,
    first: fast.title,
    second: slow.title,
    behind: slow.seconds - fast.seconds,
  };
}

/** @param {Measured} measured @param {number} said */
export function measuredWords({ fewer, behind, ...names }, said) {
  const apart = duration(behind);
  return sentences(
    t("learn.measured", { ...names, said }),
    t(fewer ? "learn.measured_passes" : "learn.measured_passes_level", { ...names, fewer }),
    t(apart === duration(0) ? "learn.measured_time_level" : "learn.measured_time", { ...names, behind: apart }),
  );
}
