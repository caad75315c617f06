/* The words of a lesson: its texts with the values of their figures, right answers, and the names of picked tokens. */

import { language, number } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { plainText } from "../player/spelling.js";
import { spellToken } from "../player/trace.js";
import { inQuotes } from "../player/words.js";
import { valueOf } from "./figures.js";
import { hasAnswer, rightOption } from "./progress.js";
import { formatValue, inLanguage, piecesOf } from "./texts.js";

/** @import { Trace } from "../player/types.js" */
/** @import { Lesson, Prediction, Runs, Sayings, Station, Text } from "./types.js" */

/**
 * @param {Lesson} lesson
 * @param {Runs} runs loaded
 * @returns {Sayings}
 */
export function sayingsOf(lesson, runs) {
  const runOf = (/** @type {string} */ run) => /** @type {Trace} */ (runs.have(run));
  const value = (/** @type {string} */ name) => valueOf(lesson, name, runOf);
  const write = (/** @type {string} */ name) => formatValue(value(name), (lesson.figures || {})[name], number);
  const pieces = (/** @type {Text | undefined} */ text) =>
    text === undefined ? [] : piecesOf(inLanguage(text, language), value, write);
  const plain = (/** @type {Text | undefined} */ text) => pieces(text).map((piece) => piece.text).join("");
  const answer = (/** @type {Prediction} */ predict) => (predict.answer === undefined ? 0 : Number(value(predict.answer)));
  /** @type {Sayings["picked"]} */
  const picked = (station, place) => nameOf(runs, station, place);
  return {
    value: (name) => Number(value(name)),
    write,
    plain,
    nodes: (text) => pieces(text).map((piece) => (piece.token ? el("code", { class: "learn-token" }, piece.text) : new Text(piece.text))),
    answer,
    picked,
    right(station) {
      const { predict } = station;
      if (!predict || !hasAnswer(predict)) return "";
      if (predict.kind === "number") return write(predict.answer || "");
      if (predict.kind !== "choice") return picked(station, answer(predict));
      return plain((predict.options || [])[rightOption(predict, answer(predict))].text);
    },
  };
}

/**
 * The token that was picked in the player, in quotes.
 * @param {Runs} runs
 * @param {Station} station
 * @param {number} place of a node, a rank or a position
 */
function nameOf(runs, station, place) {
  const trace = runs.have((station.scene || {}).run || "");
  const from = pickable(runs, station);
  return trace && place in from ? inQuotes(plainText(spellToken(trace, from[place])).trim()) : "";
}

/**
 * The tokens that can be picked in the player: of all nodes, ranks or positions.
 * @param {Runs} runs
 * @param {Station} station
 * @returns {number[]}
 */
export function pickable(runs, { predict, scene = {} }) {
  const trace = runs.have(scene.run || "");
  if (!trace || !predict) return [];
  const { row } = trace.steps[(scene.step || 1) - 1];
  return { node: row.tokens, rank: row.last.ids, token: trace.ids, choice: [], number: [] }[predict.kind];
}
