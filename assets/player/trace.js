/* A trace as the player holds it: the JSON as it came, and what follows from it step by step. */

import { bytesOf, continues, joined, spell, tornTail } from "./spelling.js";

export const TRACE_SCHEMA = 1;
export const ORIGIN_NAMES = ["root", "logit", "retrieved", "recycled", "suffix"];

/**
 * A trace without steps yet.
 * @param {object} header the trace's JSON; its steps, if any, are for `appendSteps`
 * @throws {Error} with one sentence when the schema is another
 */
export function createTrace(header) {
  if (header.schema !== TRACE_SCHEMA) {
    throw new Error(
      `This trace has schema ${header.schema} and this player reads schema ${TRACE_SCHEMA};` +
        " open it with the version that wrote it.",
    );
  }
  const trace = {
    header: { ...header, steps: undefined, autoplay: undefined, vocabulary: {} },
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

/** Adds spellings that a message brought. */
export function addVocabulary(trace, vocabulary) {
  for (const [id, entry] of Object.entries(vocabulary)) {
    if (id in trace.header.vocabulary) continue;
    trace.header.vocabulary[id] = entry;
    trace.bytes.set(Number(id), bytesOf(entry));
    trace.spelt.delete(Number(id)); // shown as a bare number until now
  }
}

/** Adds steps (JSON of `StepRecord`) at the end. */
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

function derivedStep(row) {
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

/** accepted: on the path; rejected: the target chose another token there; else uncompared. */
function nodeStates({ tokens, parents, choices, path }) {
  const kept = new Set(path);
  return tokens.map((token, node) => {
    if (kept.has(node)) return "accepted";
    const parent = parents[node];
    return kept.has(parent) && token !== choices[parent] ? "rejected" : "uncompared";
  });
}

function provenanceOf([origin, rank = null, probability = null, match = null, from = null, key = null]) {
  return { origin, rank, probability, match, from, key };
}

/** Drafted nodes of a step by what became of them. */
export function outcome(step) {
  const count = (state) => step.states.filter((each) => each === state).length;
  const accepted = step.row.path.length - 1;
  return { drafted: step.drafted, accepted, rejected: count("rejected"), uncompared: count("uncompared") };
}

/** Whether a draft went further than the target followed it. */
export function isRejection(step) {
  return step.drafted > 0 && step.row.path.length - 1 < step.deepest;
}

/** What to show for a token on its own. */
export function spellToken(trace, id) {
  if (!trace.spelt.has(id)) {
    const bytes = trace.bytes.get(id);
    trace.spelt.set(id, bytes ? spell([bytes])[0] : [{ text: "⟨#" + id + "⟩" }]);
  }
  return trace.spelt.get(id);
}

/** What to show for the sequence's tokens from `start` up to `end`, both at group borders or text ends. */
export function spellSequence(trace, start, end) {
  if (end - start === 1) return [spellToken(trace, trace.ids[start])];
  const ids = trace.ids.slice(start, end);
  if (ids.some((id) => !trace.bytes.has(id))) return ids.map((id) => spellToken(trace, id));
  return spell(ids.map((id) => trace.bytes.get(id)));
}

/** Tokens that the text holds once step `cursor` is done. */
export function visibleTokens(trace, cursor) {
  return trace.totals[cursor].end;
}

/** The origin of the token at a position of the sequence. */
export function originAt(trace, position) {
  const step = trace.stepOf[position];
  return step === 0 ? "prompt" : trace.steps[step - 1].origins[trace.nodeOf[position]].origin;
}

/**
 * Where a node was copied from: its own position and the n-gram before the first token of the copy.
 * @returns {{from: number, match: [number, number]}|null} null for a node that is no copy
 */
export function sourceOf(step, node) {
  const { from, match } = step.origins[node];
  if (from === null) return null;
  let start = node;
  for (;;) {
    const above = step.row.parents[start];
    if (above < 0 || step.origins[above].from !== step.origins[start].from - 1) break;
    if (step.origins[above].match !== match) break;
    start = above;
  }
  const first = step.origins[start].from;
  return { from, match: [Math.max(0, first - (match || 0)), first] };
}

/** The trace as one JSON string, such as `receive` takes. */
export function traceText(trace) {
  return JSON.stringify({ ...trace.header, steps: trace.steps.map((step) => step.row) });
}
