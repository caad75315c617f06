/* A trace as the player holds it: the JSON as it came, and what is derived from it step by step. */

import { t } from "../page/i18n.js";
import { bytesOf, continues, joined, spell, tornTail } from "./spelling.js";

/** @import {
 *   NodeState, Provenance, ProvenanceRow, Segment, Source, Step, StepRow, Trace, TraceHeader, TraceMessage,
 *   Vocabulary
 * } from "./types.js" */

export const TRACE_SCHEMA = 1;

/**
 * A trace without steps yet.
 * @param {TraceMessage} header the trace's JSON; its steps, if any, are for `appendSteps`
 * @returns {Trace}
 * @throws {Error} with one sentence when it has another schema
 */
export function createTrace(header) {
  if (header.schema !== TRACE_SCHEMA) {
    throw new Error(t("player.old-trace", { found: String(header.schema), known: TRACE_SCHEMA }));
  }
  const trace = {
    header: headerOf(header),
    run: header.run || "",
    bytes: new Map(),
    spelt: new Map(),
    steps: [],
    ids: [],
    stepOf: [],
    nodeOf: [],
    groupOf: [],
    tail: new Uint8Array(),
    uses: new Set(),
    promptLength: header.prompt_ids.length,
    totals: [{ end: header.prompt_ids.length, seconds: 0, device: 0, drafted: 0, accepted: 0 }],
  };
  addVocabulary(trace, header.vocabulary || {});
  for (const id of header.prompt_ids) addToken(trace, id, 0, -1);
  return trace;
}

/**
 * What describes a run apart from its steps and spellings.
 * @param {TraceMessage} message
 * @returns {TraceHeader}
 */
function headerOf({ steps, autoplay, at, scene, ...header }) {
  return { ...header, vocabulary: {} };
}

/**
 * Adds the spellings of a message.
 * @param {Trace} trace
 * @param {Vocabulary} vocabulary
 */
export function addVocabulary(trace, vocabulary) {
  for (const [id, entry] of Object.entries(vocabulary)) {
    if (id in trace.header.vocabulary) continue;
    trace.header.vocabulary[id] = entry;
    trace.bytes.set(Number(id), bytesOf(entry));
    trace.spelt.delete(Number(id)); // until now, the token's number was shown instead
  }
}

/**
 * Adds steps (JSON of `StepRecord`) at the end.
 * @param {Trace} trace
 * @param {StepRow[]} rows
 */
export function appendSteps(trace, rows) {
  for (const row of rows) {
    const step = derivedStep(row);
    trace.steps.push(step);
    for (const { origin } of step.origins) trace.uses.add(origin);
    for (const node of row.path) addToken(trace, row.tokens[node], trace.steps.length, node);
    const before = trace.totals[trace.totals.length - 1];
    trace.totals.push({
      end: trace.ids.length,
      seconds: before.seconds + step.seconds,
      device: before.device + (row.seconds.device || 0),
      drafted: before.drafted + step.drafted,
      accepted: before.accepted + row.path.length - 1,
    });
  }
}

/** @param {Trace} trace @param {number} id @param {number} step @param {number} node */
function addToken(trace, id, step, node) {
  const bytes = trace.bytes.get(id) || new Uint8Array();
  const position = trace.ids.length;
  const same = continues(trace.tail, bytes);
  trace.groupOf.push(same ? trace.groupOf[position - 1] : position);
  trace.tail = tornTail(same ? joined(trace.tail, bytes) : bytes);
  trace.ids.push(id);
  trace.stepOf.push(step);
  trace.nodeOf.push(node);
}

/** @param {StepRow} row @returns {Step} */
function derivedStep(row) {
  /** @type {number[]} */
  const depths = [];
  for (const parent of row.parents) depths.push(parent < 0 ? 0 : depths[parent] + 1);
  const { draft, verify, accept, commit } = row.seconds;
  return {
    row,
    depths,
    states: nodeStates(row),
    drafted: row.tokens.length - 1,
    deepest: Math.max(...depths),
    seconds: draft + verify + accept + commit,
    origins: row.provenance.map(provenanceOf),
  };
}

/**
 * accepted: on the path; rejected: the target chose another token there; else uncompared.
 * @param {StepRow} row
 * @returns {NodeState[]}
 */
function nodeStates({ tokens, parents, choices, path }) {
  const accepted = new Set(path);
  return tokens.map((token, node) => {
    if (accepted.has(node)) return "accepted";
    const parent = parents[node];
    return accepted.has(parent) && token !== choices[parent] ? "rejected" : "uncompared";
  });
}

/** @param {ProvenanceRow} row @returns {Provenance} */
function provenanceOf([origin, rank = null, probability = null, match = null, from = null, key = null]) {
  return { origin, rank, probability, match, from, key };
}

/**
 * The numbers of a step's drafted nodes, by what became of them.
 * @param {Step} step
 */
export function outcome(step) {
  /** @param {string} state */
  const count = (state) => step.states.filter((each) => each === state).length;
  const accepted = step.row.path.length - 1;
  return { drafted: step.drafted, accepted, rejected: count("rejected"), uncompared: count("uncompared") };
}

/**
 * Whether the target chose another token in the place of a draft.
 * @param {Step} step
 */
export const isRejection = (step) => step.states.includes("rejected");

/**
 * What to show for a token on its own.
 * @param {Trace} trace
 * @param {number} id
 * @returns {Segment[]}
 */
export function spellToken(trace, id) {
  const before = trace.spelt.get(id);
  if (before) return before;
  const bytes = trace.bytes.get(id);
  const segments = bytes ? spell([bytes])[0] : [{ text: "⟨#" + id + "⟩" }];
  trace.spelt.set(id, segments);
  return segments;
}

/**
 * What to show for tokens that follow each other; each on its own, where the spelling of one of them is not known.
 * @param {Trace} trace
 * @param {number[]} ids
 * @returns {Segment[][]}
 */
export function spellTokens(trace, ids) {
  const spelt = ids.flatMap((id) => trace.bytes.get(id) ?? []);
  return spelt.length === ids.length ? spell(spelt) : ids.map((id) => spellToken(trace, id));
}

/**
 * What to show for the sequence's tokens from `start` up to `end`, both at group borders or text ends.
 * @param {Trace} trace
 * @param {number} start
 * @param {number} end
 */
export function spellSequence(trace, start, end) {
  if (end - start === 1) return [spellToken(trace, trace.ids[start])];
  return spellTokens(trace, trace.ids.slice(start, end));
}

/**
 * Tokens that the text holds once step `cursor` is done.
 * @param {Trace} trace
 * @param {number} cursor
 */
export function visibleTokens(trace, cursor) {
  return trace.totals[cursor].end;
}

/**
 * The origin of the token at a position of the sequence.
 * @param {Trace} trace
 * @param {number} position
 */
export function originAt(trace, position) {
  const step = trace.stepOf[position];
  return step === 0 ? "prompt" : trace.steps[step - 1].origins[trace.nodeOf[position]].origin;
}

/**
 * Whether a node continues the copy that its parent belongs to.
 * @param {Provenance} parent
 * @param {Provenance} node
 */
export function goesOn(parent, node) {
  return node.from !== null && parent.from === node.from - 1 && parent.match === node.match;
}

/**
 * The n-gram of a length (null: none) before a position, as [from, up to).
 * @param {number} position
 * @param {number | null} length
 * @returns {[number, number]}
 */
export const matchBefore = (position, length) => [Math.max(0, position - (length || 0)), position];

/**
 * Where a node was copied from; null for a node that is not a copy.
 * @param {Step} step
 * @param {number} node
 * @returns {Source | null}
 */
export function sourceOf(step, node) {
  const { from, match } = step.origins[node];
  if (from === null) return null;
  let start = node;
  for (;;) {
    const above = step.row.parents[start];
    if (above < 0 || !goesOn(step.origins[above], step.origins[start])) break;
    start = above;
  }
  const first = from - step.depths[node] + step.depths[start];
  return { from, match: matchBefore(first, match) };
}

/**
 * The trace as one JSON string, which `receive` takes.
 * @param {Trace} trace
 */
export function traceText(trace) {
  return JSON.stringify({ ...trace.header, steps: trace.steps.map((step) => step.row) });
}

/**
 * Whether what the target wants after a node was drafted there: ✓ or ✗; empty off the accepted path, where
 * it does not matter.
 * @param {Step} step
 * @param {number} node
 */
export function verdictOf({ row }, node) {
  const { path, parents, tokens, choices } = row;
  const order = path.indexOf(node);
  if (order < 0) return "";
  if (order < path.length - 1) return "✓";
  // After the end of a run, a draft may be right and yet not be accepted.
  const drafted = parents.some((parent, child) => parent === node && tokens[child] === choices[node]);
  return drafted ? "" : "✗";
}

/**
 * Whether the run ended before a draft that is what the target wanted: then what was accepted is not all that it
 * would have written.
 * @param {Step} step
 */
export const isCutOff = (step) => verdictOf(step, step.row.path[step.row.path.length - 1]) === "";

/**
 * The number of the last step that brings as many tokens as the run's median step, at least two; 0 where no step
 * does.
 * @param {Step[]} steps
 */
export function lastTypicalStep(steps) {
  const lengths = steps.map(({ row }) => row.path.length);
  const median = [...lengths].sort((a, b) => a - b)[(lengths.length - 1) >> 1];
  return lengths.lastIndexOf(Math.max(2, median)) + 1;
}
