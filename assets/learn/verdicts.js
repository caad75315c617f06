/* The outcome of a prediction, in words and as a sign. */

import { number, t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { sentences } from "../player/words.js";
import { isMeasurable, measuredWords } from "./measured.js";
import { isRevealed, verdictOf } from "./progress.js";

/** @import { Progress, Sayings, Station } from "./types.js" */

/** @type {Record<string, (values: { answer: string }) => string>} */
const WORDS = {
  right: (values) => t("learn.right", values),
  wrong: (values) => t("learn.wrong", values),
  open: (values) => t("learn.open", values),
};
/** @type {Record<string, string>} */
const MARKS = {
  right: t("learn.right_mark"),
  wrong: t("learn.wrong_mark"),
  open: t("learn.open_mark"),
  kept: t("learn.kept_mark"),
};
/** @type {Record<string, string>} */
export const STATES = {
  right: t("learn.right_state"),
  wrong: t("learn.wrong_state"),
  open: t("learn.open_state"),
  kept: t("learn.kept_state"),
};

/**
 * The outcome of the prediction at a station; "kept" while it may not be shown.
 * @param {Station} station
 * @param {Progress} progress
 */
export const kindOf = (station, progress) => (isRevealed(station, progress) ? verdictOf(progress.answers[station.station]) : "kept");

/** @param {string} kind */
export const mark = (kind) => el("b", { class: "learn-mark", "data-verdict": kind }, MARKS[kind]);

/**
 * The sentence about a prediction whose answer is revealed.
 * @param {Station} station
 * @param {Progress} progress
 * @param {Sayings} say
 * @param {string} [before] introduces it
 */
export function verdict(station, progress, say, before = "") {
  const said = progress.answers[station.station];
  const kind = verdictOf(said);
  const answer = say.right(station);
  const about = { class: "learn-verdict", "data-verdict": kind };
  if (said && said.measured) return el("p", about, mark(kind), " · ", measuredWords(said.measured, said.said));
  const kept = kind === "kept" ? [t("learn.kept", { said: number(said.said) })] : [answer ? WORDS[kind]({ answer }) : t("learn.measure")];
  if (!answer && isMeasurable(station)) kept.push(t("learn.measure_how"));
  return el("p", about, before ? el("b", {}, t("player.sentences", { before, after: "" })) : null, sentences(...kept));
}
