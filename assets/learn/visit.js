/* A visit to a lesson: from cue to cue, with predictions on the way. */

import { announceCue, predict as announcePrediction } from "../page/cues.js";
import { judge } from "./measured.js";
import { paint, paintHead } from "./paint.js";
import { cueAt, lastCue, numberAt, stationAt } from "./places.js";
import { forget, recall } from "./practice.js";
import { hasAnswer, isOpen, isRight, keepProgress, newProgress, readProgress } from "./progress.js";

/** @import { RaceOutcome } from "../player/types.js" */
/** @import { Prediction, Station, Talk, Visit } from "./types.js" */

/**
 * Shows a cue.
 * @param {Visit} visit
 * @param {number} to
 * @param {boolean} [focus] moves the focus to where the visitor continues
 */
export function go(visit, to, focus = false) {
  const { talk, view } = visit;
  if (!talk) return;
  const before = numberAt(talk.at);
  talk.at = Math.max(0, Math.min(lastCue(talk.lesson), Math.round(to)));
  keepPlace(talk);
  paint(visit, talk);
  const isOther = numberAt(talk.at) !== before;
  /** @type {HTMLElement | null} */
  const target = view.article.querySelector(isOther ? "h3" : "[data-next]");
  if (focus && target) focusOn(target, isOther);
  announceCue(visit.element);
}

/** Within a station, no more is scrolled than it takes. @param {HTMLElement} target @param {boolean} isOther */
function focusOn(target, isOther) {
  target.focus({ preventScroll: !isOther });
  if (!isOther) queueMicrotask(() => target.scrollIntoView({ block: "nearest" })); // below the reveal, which a microtask adds
}

/** @param {Talk} talk */
function keepPlace({ at, lesson, progress, options }) {
  progress.at = at;
  const station = stationAt(lesson, at);
  if (station) progress.seen[station.station] = Math.max(progress.seen[station.station] || 0, cueAt(at));
  keepProgress(options.store, lesson.lesson, progress);
}

/**
 * Stores a prediction and goes on to the reveal, or waits for it where a lecture counts the prediction: only a
 * counted one may be replaced later.
 * @param {Visit} visit
 * @param {Station} station
 * @param {number} said
 */
export function settle(visit, station, said) {
  const { talk, element } = visit;
  if (!talk || !station.predict) return;
  const { answers } = talk.progress;
  const mayPredict = isOpen(station, talk.progress); // another tab may have predicted meanwhile
  const counted = mayPredict && announcePrediction(element, said);
  if (mayPredict) answers[station.station] = { said, right: judged(talk, station.predict, said), ...(counted && { counted }) };
  go(visit, talk.at + (counted ? 0 : 1), true);
}

/** Whether a prediction is right; null where nothing is right or wrong. @param {Talk} talk @param {Prediction} predict @param {number} said */
const judged = ({ say }, predict, said) => (hasAnswer(predict) ? isRight(predict, said, say.answer(predict)) : null);

/**
 * Counts a race, and leaves what the visitor is about to predict elsewhere as it is.
 * @param {Visit} visit
 * @param {RaceOutcome} outcome
 */
export function countRace(visit, outcome) {
  const { talk } = visit;
  if (!talk) return;
  const { lesson, progress, at } = talk;
  const counted = lesson.stations.filter((station) => judge(station, progress, outcome));
  if (!counted.length) return;
  keepProgress(talk.options.store, lesson.lesson, progress);
  const here = stationAt(lesson, at);
  if (here && counted.some(({ station, predict }) => [station, predict?.sealed].includes(here.station))) paint(visit, talk);
  else paintHead(visit, talk);
}

/** Takes over what the visitor predicted in another tab, so that this one does not undo it. @param {Visit} visit */
export function recallProgress(visit) {
  const { talk, practice } = visit;
  if (!talk) return;
  talk.progress = { ...readProgress(talk.options.store, talk.lesson.lesson), at: talk.at };
  if (practice) recall(practice);
  paintHead(visit, talk);
}

/** @param {Visit} visit */
export function startOver(visit) {
  const { talk, practice } = visit;
  if (!talk) return;
  talk.progress = newProgress();
  if (practice) forget(practice);
  go(visit, 0, true);
}
