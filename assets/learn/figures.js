/* Figures of a lesson: each is measured in a recorded run, computed from other figures, or given with its source. */

import { t } from "../page/i18n.js";
import { plainText } from "../player/spelling.js";
import { outcome, spellToken, spellTokens } from "../player/trace.js";

/** @import { Step, Trace } from "../player/types.js" */
/** @import { Figure, Lesson, Value } from "./types.js" */

/** @param {Trace} trace */
const tokens = (trace) => trace.ids.length - trace.promptLength;

/** @param {Trace} trace */
const seconds = (trace) => trace.totals[trace.totals.length - 1].seconds;

/** @param {Trace} trace */
const plainSeconds = ({ header }) => (header.baseline ? header.baseline.seconds_per_token : NaN);

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {Trace} trace @param {number[]} ids */
const words = (trace, ids) => plainText(spellTokens(trace, ids).flat());

/**
 * The nodes from `other` up to `node`.
 * @param {Step} step
 * @param {number} node
 * @param {number} other
 */
function between({ row }, node, other) {
  const nodes = [];
  for (let at = other; at >= 0; at = row.parents[at]) {
    nodes.unshift(at);
    if (at === node) return nodes;
  }
  return [];
}

/** @param {Step} step @param {number} node */
function rankOf({ row, origins }, node) {
  if (node === 0) return row.last.ids.indexOf(row.tokens[0]);
  const { rank } = origins[node];
  return rank === null ? NaN : rank;
}

/** @param {Step} step @param {string} origin */
const count = ({ origins }, origin) => origins.filter((each) => each.origin === origin).length;

/** Of a run. @type {Record<string, (trace: Trace) => Value>} */
const OF_RUN = {
  tokens,
  passes: (trace) => trace.steps.length,
  tokens_per_pass: (trace) => tokens(trace) / trace.steps.length,
  speed_up: (trace) => (plainSeconds(trace) * tokens(trace)) / seconds(trace),
  plain_ms: (trace) => plainSeconds(trace) * 1000,
  verify_ms: (trace) => median(trace.steps.map(({ row }) => row.seconds.verify)) * 1000,
};

/** Of a step. @type {Record<string, (step: Step) => Value>} */
const OF_STEP = {
  rows: ({ row }) => row.tokens.length,
  drafted: ({ drafted }) => drafted,
  accepted: (step) => outcome(step).accepted,
  emitted: ({ row }) => row.path.length,
  runners_up: (step) => count(step, "logit"),
  copied: (step) => count(step, "retrieved"),
  last: ({ row }) => row.path[row.path.length - 1],
};

/** Of a node. @type {Record<string, (trace: Trace, step: Step, node: number, other: number) => Value>} */
const OF_NODE = {
  token: (trace, { row }, node) => plainText(spellToken(trace, row.tokens[node])),
  choice: (trace, { row }, node) => plainText(spellToken(trace, row.choices[node])),
  rank: (_, step, node) => rankOf(step, node),
  nth: (_, step, node) => rankOf(step, node) + 1,
  source: (_, { origins }, node) => origins[node].from ?? NaN,
  phrase: (trace, step, node, other) => words(trace, between(step, node, other).map((each) => step.row.tokens[each])),
  sees: (_, step, node, other) => (between(step, other, node).length ? 1 : 0),
};

/**
 * The value of a figure.
 * @param {Lesson} lesson
 * @param {string} name
 * @param {(run: string) => Trace} runOf gives a run of the lesson
 * @returns {Value}
 * @throws {Error} with one sentence when its run has no such step or node, or lacks what the figure needs
 */
export function valueOf(lesson, name, runOf) {
  const figure = (lesson.figures || {})[name];
  const value = measure(lesson, figure, runOf);
  if (value === undefined || value === "" || (typeof value === "number" && !Number.isFinite(value))) throw new Error(t("learn.no_figure", { name }));
  return value;
}

/** @param {Lesson} lesson @param {Figure} figure @param {(run: string) => Trace} runOf @returns {Value | undefined} */
function measure(lesson, { of = "", value, run, step = 0, node = 0, other = 0, figures = [] }, runOf) {
  if (value !== undefined) return value;
  if (of === "ratio" || of === "largest") return compare(of, figures.map((name) => Number(valueOf(lesson, name, runOf))));
  const trace = runOf(run || "");
  if (Object.hasOwn(OF_RUN, of)) return OF_RUN[of](trace);
  const shown = trace.steps[step - 1];
  if (!shown) return undefined;
  if (Object.hasOwn(OF_STEP, of)) return OF_STEP[of](shown);
  return Math.max(node, other) < shown.row.tokens.length ? OF_NODE[of](trace, shown, node, other) : undefined;
}

/** @param {string} of @param {number[]} values */
const compare = (of, values) => (of === "ratio" ? values[0] / values[1] : values.indexOf(Math.max(...values)));

/**
 * The runs that a lesson's figures and scenes come from.
 * @param {Lesson} lesson
 */
export function runsShown({ figures = {}, stations }) {
  const scenes = stations.flatMap(({ scene, reveal_scene: after }) => [scene, after]);
  const names = [...Object.values(figures), ...scenes].flatMap((each) => (each && each.run ? [each.run] : []));
  return [...new Set(names)];
}
