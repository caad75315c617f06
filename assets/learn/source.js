/* The lesson as a source of cues: question, reveal and sentence of each station, and the unseen step at the end. */

import { number, t } from "../page/i18n.js";
import { cueAt, numberAt, stationAt } from "./places.js";
import { hasAnswer, isRight, rightOption } from "./progress.js";
import { MOST } from "./read.js";
import { pickable } from "./sayings.js";

/** @import { Cue, Values } from "../player/types.js" */
/** @import { Prediction, Station, Talk } from "./types.js" */

const SHARES = [0.45, 0.4, 0.15]; // of a station's seconds, by cue
const SECONDS = 90; // of a station that names none
const EXACT = { maximumFractionDigits: 20 };

/**
 * A cue for the speaker.
 * @param {Talk} talk
 * @param {number} index
 * @returns {Cue}
 */
export function describeCue(talk, index) {
  const { lesson, say } = talk;
  const station = stationAt(lesson, index);
  if (!station) {
    return { title: t("learn.practice_title"), kind: "step", notes: t("learn.practice_story"), answer: "", seconds: SECONDS };
  }
  const cue = cueAt(index);
  const about = {
    notes: say.plain(station.notes),
    answer: say.right(station),
    seconds: Math.round((station.seconds || SECONDS) * SHARES[cue - 1]),
    station: `${t("learn.station", { n: numberAt(index) })} ${say.plain(station.title)}`,
  };
  if (cue === 2) return { ...about, title: say.plain(station.reveal), kind: "reveal" };
  if (cue === 3) return { ...about, title: say.plain(station.remember), kind: "sentence" };
  return { ...about, title: say.plain(station.question), kind: "question", ...question(talk, station) };
}

/** @param {Talk} talk @param {Station} station */
function question(talk, station) {
  const { say } = talk;
  const { question: text, predict } = station;
  const asked = { question: say.plain(text) };
  if (!predict) return asked;
  if (predict.kind !== "choice") return { ...asked, values: valuesOf(talk, station, predict) };
  const choices = (predict.options || []).map((option) => say.plain(option.text));
  return { ...asked, choices, right: rightOption(predict, say.answer(predict)) };
}

/**
 * The values that may be predicted where there are no options. A sealed answer is not told here.
 * @param {Talk} talk
 * @param {Station} station
 * @param {Prediction} predict
 * @returns {Values}
 */
function valuesOf({ runs, progress, say }, station, predict) {
  const own = progress.answers[station.station];
  const isTellable = hasAnswer(predict) && !predict.sealed;
  /** @param {number} value */
  const isTold = (value) => isTellable && isRight(predict, value, say.answer(predict));
  const about = { said: own ? own.said : null, isRight: isTold };
  const { kind, least = 0, most = MOST } = predict;
  if (kind === "number") return { ...about, least, most, whole: false, write: (value) => number(value, EXACT) };
  const last = Math.max(0, pickable(runs, station).length - 1);
  return { ...about, least: 0, most: last, whole: true, write: (value) => say.picked(station, value) };
}
