/* Votes: bars for a hall, and a table for afterwards. */

import { t } from "../page/i18n.js";
import { el } from "../player/dom.js";

/** @import { Cue, Ballot } from "../player/types.js" */

/**
 * The choices of a question; with counts, as bars, on which the right one is marked.
 * @param {Cue} cue of a question
 * @param {number[] | null} counts by choice
 * @param {boolean} revealed whether the right one is marked
 * @returns {HTMLElement}
 */
export function choiceList({ choices = [], right }, counts, revealed) {
  const most = Math.max(1, ...(counts || []));
  const items = choices.map((choice, at) => {
    const isRight = revealed && at === right;
    const count = counts ? counts[at] || 0 : null;
    const words = count === null ? null : el("span", { class: "lp-count" }, t("present.votes", { n: count }));
    const mark = isRight ? el("span", { class: "lp-right" }, "✓ ", el("span", { class: "ls-spoken" }, t("present.right"))) : null;
    const share = count === null ? null : `--lp-share: ${((100 * count) / most).toFixed(1)}%`;
    return el("li", { "data-right": isRight ? "" : null, style: share }, el("span", { class: "lp-choice" }, choice), mark, words);
  });
  return el("ol", { class: "lp-choices", "data-counted": counts ? "" : null }, ...items);
}

/**
 * All votes as CSV: a line for each choice of each question, in the order in which they were asked.
 * @param {Ballot[]} ballots
 */
export function votesText(ballots) {
  const head = ["cue", "question", "choice", "right", "votes"];
  const lines = ballots.flatMap(({ key, question, choices, right, counts }) =>
    counts.map((count, at) => [key, question, choices[at] ?? String(at), at === right ? "yes" : "no", String(count)]),
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
