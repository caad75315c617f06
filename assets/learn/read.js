/* A lesson's file: types and bounds are checked against assets/schema.json, relations between its parts here.
   logitspec/publish/lesson.py has the same functions in the same order, and a test gives both the same files. */

import { t } from "../page/i18n.js";
import { MEASURES, SchemaError, checkWithin, cohere, readDocument } from "../player/schema.js";

/** @import { Figure, Lesson, Prediction, Scene, Station, Text } from "./types.js" */

export const MOST = 1e9; // for a number that sets no bound
const COMPARISONS = ["ratio", "largest"];
const WORDS = ["token", "choice", "phrase"];
const PLACEHOLDER = /\{([^{}]*)\}/g;

/**
 * The lesson in the text of a file.
 * @param {string} text
 * @returns {Lesson}
 * @throws {Error} with one sentence when it is not a lesson, or has a fault
 */
export const readLesson = (text) => readDocument(text, "lesson", checkLesson);

/** @param {Lesson} lesson */
function checkLesson(lesson) {
  const { traces = {}, runs, figures = {}, stations, practice = [] } = lesson;
  for (const [name, trace] of Object.entries(traces)) {
    if (Object.hasOwn(runs, name)) throw new SchemaError(t("learn.wrong-is-in-runs-too")).at(`traces.${name}`);
    checkWithin(() => cohere(trace), `traces.${name}`);
  }
  for (const name of Object.keys(figures)) checkWithin(() => checkFigure(lesson, figures[name]), `figures.${name}`);
  checkText(lesson, lesson.title, "title");
  const names = stations.map(({ station }) => station);
  stations.forEach((station, number) => {
    if (names.indexOf(station.station) < number) throw new SchemaError(t("learn.wrong-has-the-name-of-another")).at(`stations[${number}]`);
  });
  stations.forEach((station, number) => checkWithin(() => checkStation(lesson, station, number), `stations[${number}]`));
  practice.forEach((run, number) => checkRun(lesson, run, `practice[${number}]`));
}

/** @param {Lesson} lesson @param {string} run @param {string} part */
function checkRun({ runs, traces = {} }, run, part) {
  if (!Object.hasOwn(runs, run) && !Object.hasOwn(traces, run)) throw new SchemaError(t("learn.wrong-names-no-run-of-the-lesson")).at(part);
}

/** @param {Lesson} lesson @param {Figure} figure */
function checkFigure(lesson, figure) {
  const { of, value, source, run, figures: parts = [] } = figure;
  if ((of === undefined) === (value === undefined)) throw new SchemaError(t("learn.wrong-has-not-one-of-of-value"));
  if (value !== undefined && source === undefined) throw new SchemaError(t("player.wrong-is-missing")).at(".source");
  for (const name of of === undefined ? [] : MEASURES[of]) {
    if (!Object.hasOwn(figure, name)) throw new SchemaError(t("player.wrong-is-missing")).at(`.${name}`);
  }
  if (run !== undefined) checkRun(lesson, run, ".run");
  parts.forEach((name, number) => {
    const part = findFigure(lesson, name, `.figures[${number}]`);
    if ([...COMPARISONS, ...WORDS].includes(part.of || "")) throw new SchemaError(t("learn.wrong-is-no-number-of-its-own")).at(`.figures[${number}]`);
  });
}

/** @param {Lesson} lesson @param {string} name @param {string} part @returns {Figure} */
function findFigure({ figures = {} }, name, part) {
  if (!Object.hasOwn(figures, name)) throw new SchemaError(t("learn.wrong-names-no-figure-of-the-lesson")).at(part);
  return figures[name];
}

/** @param {Lesson} lesson @param {Text | undefined} text @param {string} part */
function checkText(lesson, text, part) {
  if (text === undefined) return;
  const all = typeof text === "string" ? [text] : Object.values(text);
  if (!all.length) throw new SchemaError(t("player.wrong-is-empty")).at(part);
  for (const each of all) for (const [, name] of each.matchAll(PLACEHOLDER)) findFigure(lesson, name, part);
}

/** @param {Lesson} lesson @param {Station} station @param {number} number */
function checkStation(lesson, station, number) {
  for (const name of /** @type {const} */ (["title", "story", "question", "reveal", "remember", "notes"])) {
    checkText(lesson, station[name], `.${name}`);
  }
  const { scene, reveal_scene: after, bars = [] } = station;
  checkScene(lesson, scene, undefined, ".scene");
  checkScene(lesson, after, scene, ".reveal_scene");
  bars.forEach((bar, place) => {
    checkText(lesson, bar.text, `.bars[${place}].text`);
    checkText(lesson, bar.group, `.bars[${place}].group`);
    checkNumber(lesson, bar.figure, `.bars[${place}].figure`);
  });
  checkPrediction(lesson, station, number);
}

/** @param {Lesson} lesson @param {Scene | undefined} scene @param {Scene | undefined} before @param {string} part */
function checkScene(lesson, scene, before, part) {
  if (!scene) return;
  const run = scene.run || (before && before.run);
  if (run === undefined) throw new SchemaError(t("player.wrong-is-missing")).at(`${part}.run`);
  checkRun(lesson, run, `${part}.run`);
}

/** @param {Lesson} lesson @param {string} name @param {string} part */
function checkNumber(lesson, name, part) {
  if (WORDS.includes(findFigure(lesson, name, part).of || "")) throw new SchemaError(t("learn.wrong-is-no-number")).at(part);
}

/** @param {Lesson} lesson @param {Station} station @param {number} number */
function checkPrediction(lesson, { predict, scene }, number) {
  if (!predict) return;
  const { kind, answer, options = [], right, sealed } = predict;
  const part = ".predict";
  if (answer !== undefined) checkNumber(lesson, answer, `${part}.answer`);
  if (sealed !== undefined && !lesson.stations.slice(number + 1).some(({ station }) => station === sealed)) {
    throw new SchemaError(t("learn.wrong-names-no-later-station")).at(`${part}.sealed`);
  }
  options.forEach(({ text }, place) => checkText(lesson, text, `${part}.options[${place}].text`));
  if (kind !== "choice") {
    if (kind === "number") return checkBounds(lesson, predict, part);
    if (answer === undefined) throw new SchemaError(t("player.wrong-is-missing")).at(`${part}.answer`);
    if (!scene) throw new SchemaError(t("learn.wrong-has-no-scene-to-click-in")).at(part);
    return;
  }
  if (!options.length) throw new SchemaError(t("player.wrong-is-missing")).at(`${part}.options`);
  if ((answer === undefined) === (right === undefined)) throw new SchemaError(t("learn.wrong-has-not-one-of-answer-right")).at(part);
  if (right !== undefined && right >= options.length) throw new SchemaError(t("player.wrong-is-out-of-bounds")).at(`${part}.right`);
  if (answer !== undefined && options.some(({ is }) => is === undefined)) {
    throw new SchemaError(t("learn.wrong-has-an-option-that-is-nothing")).at(part);
  }
}

/**
 * A number that may be written, and, where there is a right one, that one.
 * @param {Lesson} lesson
 * @param {Prediction} predict
 * @param {string} part
 */
function checkBounds(lesson, { answer, least = 0, most = MOST }, part) {
  if (least > most) throw new SchemaError(t("player.wrong-is-out-of-bounds")).at(`${part}.most`);
  const { value = least } = answer === undefined ? {} : findFigure(lesson, answer, `${part}.answer`);
  if (value < least || value > most) throw new SchemaError(t("player.wrong-is-out-of-bounds")).at(`${part}.answer`);
}
