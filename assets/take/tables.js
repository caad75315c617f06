/* Steps as CSV: a table of numbers, a sheet for homework, and its solutions. */

import { ORIGIN_NAMES } from "../player/origins.js";
import { isCutOff, outcome, visibleTokens } from "../player/trace.js";
import { excerpt, quoted, tokensText } from "../player/words.js";
import { t } from "../page/i18n.js";

/** @import { Step, StepRow, Trace } from "../player/types.js" */

const CONTEXT = 24; // tokens of the text before a step
const MAX_SET = 10; // steps of a sheet when none are chosen

/* Cells */

const MARK = "\ufeff"; // by which spreadsheets recognise UTF-8
// What spreadsheets take for the beginning of a formula, including full-width characters.
const FORMULA = /^[\s\u0000-\u001f]*[=+\-@＝＋－＠]/;

/** @param {string | number} value */
function cell(value) {
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) || /^[\t\r]/.test(value) ? "'" + value : value;
  return '"' + text.replaceAll('"', '""') + '"';
}

/** @param {(string | number)[][]} rows */
const csv = (rows) => MARK + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");

/* The table of numbers */

/**
 * One row per step: what it drafted, accepted and emitted, from which origins, and its times in ms.
 * @param {Trace} trace
 * @param {number[]} numbers
 */
export function stepTable(trace, numbers) {
  const origins = ORIGIN_NAMES.filter((name) => name !== "root" && trace.uses.has(name));
  const head = [
    "step", "position", "text_before", "text", "tokens", "drafted", "accepted", "rejected", "not_compared",
    ...origins.flatMap((name) => [`drafted_${name}`, `accepted_${name}`]),
    "origins", "ranks", "draft_ms", "verify_ms", "device_ms", "accept_ms", "commit_ms", "total_ms", "cache_length",
  ];
  return csv([head, ...numbers.map((number) => numbersOf(trace, number, origins))]);
}

/** @param {Trace} trace @param {number} number @param {string[]} origins */
function numbersOf(trace, number, origins) {
  const step = trace.steps[number - 1];
  const { row } = step;
  const { drafted, accepted, rejected, uncompared } = outcome(step);
  const drafts = step.origins.slice(1);
  const path = row.path.map((node) => step.origins[node]);
  const { draft, verify, device = 0, accept, commit } = row.seconds;
  const start = visibleTokens(trace, number - 1);
  return [
    number, start, excerpt(trace, Math.max(0, start - CONTEXT), start), emitted(trace, row), row.path.length,
    drafted, accepted, rejected, uncompared,
    ...origins.flatMap((name) => [count(drafts, name), count(path.slice(1), name)]),
    path.map(({ origin }) => origin).join(" "),
    path.slice(1).flatMap(({ origin, rank }) => (origin === "logit" && rank !== null ? [rank] : [])).join(" "),
    ...[draft, verify, device, accept, commit, step.seconds].map(inMilliseconds),
    visibleTokens(trace, number),
  ];
}

/** @param {Step["origins"]} nodes @param {string} name */
const count = (nodes, name) => nodes.filter(({ origin }) => origin === name).length;
/** @param {number} seconds */
const inMilliseconds = (seconds) => Math.round(seconds * 1e6) / 1000;
/** @param {Trace} trace @param {StepRow} row */
const emitted = (trace, row) => tokensText(trace, row.path.map((node) => row.tokens[node]));

/* Homework */

/** @param {...string} names */
const heads = (...names) => names.map((name) => t(`export.col-${name}`));

/**
 * Steps to set as homework: those that are chosen, else some with drafts, spread over the run. None may be cut off:
 * from its tree follows more than was accepted, and a sheet doesn't tell.
 * @param {Trace} trace
 * @param {number[] | null} chosen
 * @throws {Error} with one sentence when one is, or there is none
 */
export function stepsToSet(trace, chosen) {
  const cut = chosen?.find((number) => isCutOff(trace.steps[number - 1]));
  if (cut) throw new Error(t("export.cut-off", { step: cut }));
  if (chosen) return chosen;
  const fit = trace.steps.flatMap((step, at) => (step.drafted && !isCutOff(step) ? [at + 1] : []));
  if (!fit.length) throw new Error(t("export.no-homework"));
  const most = Math.min(MAX_SET, fit.length);
  return Array.from({ length: most }, (_, at) => fit[Math.floor((at * fit.length) / most)]);
}

/**
 * The sheet: text, root and draft tree of each step with the model's choice after every node; what follows from
 * them is left blank. No row says how another one ended: its text begins after the step before it.
 * @param {Trace} trace
 * @param {number[]} numbers
 */
export function homeworkSheet(trace, numbers) {
  const given = heads("step", "before", "root", "drafted", "tree");
  const head = [...given, ...heads("accepted", "tokens", "next").map((each) => each + "?")];
  let before = 0;
  const rows = numbers.map((number) => {
    const { row, drafted } = trace.steps[number - 1];
    const start = visibleTokens(trace, number - 1);
    const text = excerpt(trace, Math.max(before, start - CONTEXT), start);
    before = visibleTokens(trace, number) + 1;
    return [number, text, quoted(trace, row.tokens[0]), drafted, treeWords(trace, row), "", "", ""];
  });
  return csv([head, ...rows]);
}

/**
 * One line per node: its number, its parent's, its token, and what the model chose after it.
 * @param {Trace} trace
 * @param {StepRow} row
 */
function treeWords(trace, { tokens, parents, choices }) {
  const lines = tokens.map((token, node) => {
    const place = node === 0 ? "0" : `${node} (${parents[node]})`;
    return `${place} ${quoted(trace, token)} → ${quoted(trace, choices[node])}`;
  });
  return lines.join("\n");
}

/**
 * The solutions of a sheet, in the order of its rows.
 * @param {Trace} trace
 * @param {number[]} numbers
 */
export function homeworkSolutions(trace, numbers) {
  const head = heads("step", "accepted", "tokens", "text", "next", "nodes");
  const rows = numbers.map((number) => {
    const { row } = trace.steps[number - 1];
    const next = row.choices[row.path[row.path.length - 1]];
    const path = row.path.slice(1);
    return [number, path.length, row.path.length, emitted(trace, row), quoted(trace, next), path.join(" ")];
  });
  return csv([head, ...rows]);
}
