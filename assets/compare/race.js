/* A race as the page holds it: a trace per lane, and what they agree on. */

import { translatedPart } from "../page/translated.js";
import { readDocument } from "../player/schema.js";
import { TRACE_SCHEMA, addVocabulary, appendSteps, createTrace, traceText } from "../player/trace.js";

/** @import { LaneDelta, Race, RaceMessage, RaceStepsMessage, Trace } from "../player/types.js" */

const RACE_FINISHES = ["eos", "length", "context"];

/**
 * @param {RaceMessage} document of a race that begins, or of a whole one
 * @returns {Race}
 * @throws {Error} with one sentence when it has another schema
 */
export function createRace(document) {
  const lanes = document.lanes.map((lane, number) => {
    const trace = createTrace(lane);
    appendSteps(trace, lane.steps || []);
    const titleWritten = document.titles[number];
    return { title: String(translatedPart(titleWritten)), titleWritten, trace };
  });
  const { race: name, recorded = "", warm_up: warmUp, verdict = null } = document;
  // The lanes of a live race keep their order, because its steps come by lane number.
  if (recorded) lanes.sort((a, b) => Number(isPlain(b.trace)) - Number(isPlain(a.trace)));
  const origins = new Set(["root"]);
  for (const { trace } of lanes) noteOrigins(origins, trace, 0);
  return { name, recorded, warmUp, verdict, lanes, origins };
}

/**
 * Takes a message of kind "race_steps".
 * @param {Race} race
 * @param {RaceStepsMessage} message
 * @returns {boolean} false when steps before it are missing
 */
export function growRace(race, message) {
  const deltas = message.lanes.map((delta, number) => ({ delta, ...race.lanes[number] }));
  // All lanes or none, so that the steps present are always the first ones of the race.
  if (deltas.some(({ delta, trace }) => delta.from > trace.steps.length)) return false;
  for (const { delta, trace } of deltas) {
    const before = trace.steps.length;
    growLane(trace, delta);
    noteOrigins(race.origins, trace, before);
  }
  race.verdict = race.verdict || message.verdict || null;
  return true;
}

/** @param {Race} race */
export const stepsInAll = (race) => race.lanes.reduce((sum, { trace }) => sum + trace.steps.length, 0);

/**
 * Adds the origins of accepted nodes: rejected drafts appear nowhere in a race.
 * @param {Set<string>} origins
 * @param {Trace} trace
 * @param {number} since
 */
function noteOrigins(origins, trace, since) {
  for (const step of trace.steps.slice(since)) {
    for (const node of step.row.path) origins.add(step.origins[node].origin);
  }
}

/** @param {Trace} trace @param {LaneDelta} delta */
function growLane(trace, { from, steps, vocabulary, environment, finish = null, error = null, prefill_seconds }) {
  addVocabulary(trace, vocabulary || {});
  appendSteps(trace, steps.slice(trace.steps.length - from));
  if (environment) trace.header.environment = environment;
  // A late message must not undo the end.
  if (!isOver(trace)) Object.assign(trace.header, { finish, error, prefill_seconds });
}

/** @param {Trace} trace */
export const isPlain = (trace) => trace.header.method === "autoregressive";

/** @param {Trace} trace */
export const isOver = (trace) => trace.header.finish !== null && trace.header.finish !== undefined;

/** @param {Trace} trace */
export const hasFinished = (trace) => RACE_FINISHES.includes(trace.header.finish || "");
/** @param {Race} race */
export const raceOver = (race) => race.lanes.every(({ trace }) => isOver(trace));

/** @param {{ race: Race | null }} about */
export const isLive = ({ race }) => race !== null && !raceOver(race);

/**
 * New tokens of a lane after its first `steps` steps.
 * @param {Trace} trace
 * @param {number} steps
 */
export const tokensAfter = (trace, steps) => trace.totals[steps].end - trace.promptLength;

/**
 * Tokens that the tracks have room for: the longest text there is, or the limit while none has ended.
 * @param {Race} race
 */
export function trackLength(race) {
  const traces = race.lanes.map(({ trace }) => trace);
  const longest = Math.max(...traces.map((trace) => tokensAfter(trace, trace.steps.length)));
  const known = raceOver(race) || traces.some(hasFinished);
  return Math.max(1, known ? longest : traces[0].header.max_new_tokens);
}

/**
 * The race as one JSON string of the document that `createRace` takes.
 * @param {Race} race
 */
export function raceText({ lanes, ...race }) {
  const traces = lanes.map(({ trace }) => traceText(trace)).join(",");
  const head = {
    kind: "race",
    schema: TRACE_SCHEMA,
    race: race.name,
    recorded: race.recorded,
    titles: lanes.map(({ titleWritten }) => titleWritten),
    warm_up: race.warmUp,
    verdict: race.verdict,
  };
  return JSON.stringify(head).slice(0, -1) + `,"lanes":[${traces}]}`;
}

/**
 * The finished race in a file.
 * @throws {Error} with one sentence when it holds none
 * @param {string} text
 */
export const wholeRace = (text) => createRace(readDocument(text, "race"));
