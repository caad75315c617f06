/* Votes: bars for a hall, and a table for afterwards. */

import { t } from "../page/i18n.js";
import { el } from "../player/dom.js";

/** @import { Ballot, Counts, Cue, Values } from "../player/types.js" */

/** @param {Counts} counts */
export const votesIn = (counts) => counts.reduce((/** @type {number} */ sum, each) => sum + (typeof each === "number" ? each : each[1]), 0);

/**
 * The votes on a question for a hall, as text; null where there is nothing to show, or only for an earlier question.
 * @param {Cue} cue of a question
 * @param {Counts | null} counts
 * @param {boolean} revealed whether the right answer is marked
 * @returns {HTMLElement | null}
 */
export function voteList(cue, counts, revealed) {
  const fits = counts !== null && counts.every((each) => typeof each === (cue.choices ? "number" : "object"));
  if (cue.choices) return choiceList(cue, fits ? /** @type {number[]} */ (counts) : null, revealed);
  if (!cue.values || !counts || !counts.length || !fits) return null;
  return valueList(cue.values, /** @type {[number | null, number][]} */ (counts), revealed);
}

/** Whether a choice is a right one. @param {number | number[] | undefined} right @param {number} at */
const isRightChoice = (right, at) => [right].flat().includes(at);

/**
 * The choices of a question; with counts, as bars, on which the right ones are marked.
 * @param {Cue} cue of a question
 * @param {number[] | null} counts by choice
 * @param {boolean} revealed whether they are marked
 * @returns {HTMLElement}
 */
function choiceList({ choices = [], right }, counts, revealed) {
  const most = Math.max(1, ...(counts || []));
  const items = choices.map((choice, at) => item(choice, revealed && isRightChoice(right, at), counts ? counts[at] || 0 : null, most));
  return el("ol", { class: "lp-choices", "data-counted": counts ? "" : null }, ...items);
}

/**
 * Values with their counts, the least first; nodes with the same token have their numbers next to it.
 * @param {Values} values
 * @param {[number | null, number][]} counts
 * @param {boolean} revealed
 */
function valueList(values, counts, revealed) {
  const most = Math.max(1, ...counts.map(([, count]) => count));
  const items = labelsOf(values, counts).map((label, at) => {
    const [value, count] = counts[at];
    return item(label, revealed && value !== null && values.isRight(value), count, most);
  });
  return el("ol", { class: "lp-choices", "data-counted": "", "data-values": "" }, ...items);
}

/** @param {Values} values @param {[number | null, number][]} counts */
function labelsOf(values, counts) {
  const words = counts.map(([value]) => (value === null ? t("present.other-values") : values.write(value)));
  return words.map((word, at) => (words.indexOf(word) === words.lastIndexOf(word) ? word : `${word} (${counts[at][0]})`));
}

/** @param {string} label @param {boolean} isRight @param {number | null} count @param {number} most */
function item(label, isRight, count, most) {
  const words = count === null ? null : el("span", { class: "lp-count" }, t("present.votes", { n: count }));
  const mark = isRight ? el("span", { class: "lp-right" }, "✓ ", el("span", { class: "ls-spoken" }, t("present.right"))) : null;
  const share = count === null ? null : `--lp-share: ${((100 * count) / most).toFixed(1)}%`;
  return el("li", { "data-right": isRight ? "" : null, style: share }, el("span", { class: "lp-choice" }, label), mark, words);
}

/**
 * Turns a question with votes by value into one whose choices are the predicted values.
 * @param {Cue} cue
 * @param {[number, number][]} counts
 */
export function saidValues({ values }, counts) {
  const labels = values ? labelsOf(values, counts) : counts.map(([value]) => String(value));
  const right = values ? counts.findIndex(([value]) => values.isRight(value)) : -1;
  return { choices: labels, right, counts: counts.map(([, count]) => count) };
}

/**
 * All votes as CSV: a line for each choice of each question, in the order in which they were asked.
 * @param {Ballot[]} ballots
 */
export function votesText(ballots) {
  const head = ["cue", "question", "choice", "right", "votes"];
  const lines = ballots.flatMap(({ key, question, choices, right, counts }) =>
    counts.map((count, at) => [key, question, choices[at] ?? String(at), isRightChoice(right, at) ? "yes" : "no", String(count)]),
  );
  return [head, ...lines].map((line) => line.map(field).join(",") + "\r\n").join("");
}

/**
 * A field of CSV; a spreadsheet must not take it for a formula.
 * @param {string} text
 */
function field(text) {
  const plain = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
  return /[",\r\n]/.test(plain) ? '"' + plain.replaceAll('"', '""') + '"' : plain;
}
