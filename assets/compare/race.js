/* A race as the page holds it: a trace per lane, and what they agree on. */

const RACE_FINISHES = ["eos", "length", "context"];

/**
 * @param {object} document a message of kind "race": of one that begins, or of a whole one
 * @throws {Error} with one sentence when its schema is another
 */
function createRace(document) {
  const lanes = document.lanes.map((lane, number) => {
    const trace = createTrace(lane);
    appendSteps(trace, lane.steps || []);
    return { title: document.titles[number], trace };
  });
  const { race: name, recorded = "", warm_up: warmUp, verdict = null } = document;
  const origins = new Set(["root"]);
  for (const { trace } of lanes) noteOrigins(origins, trace, 0);
  return { name, recorded, warmUp, verdict, lanes, origins };
}

/**
 * Takes a message of kind "race_steps".
 * @returns {boolean} false when steps before it are missing
 */
function growRace(race, message) {
  const complete = message.lanes.every((delta, number) => {
    const { trace } = race.lanes[number];
    const had = trace.steps.length;
    const grown = growLane(trace, delta);
    noteOrigins(race.origins, trace, had);
    return grown;
  });
  if (complete) race.verdict = message.verdict;
  return complete;
}

/** The origins of what was accepted; those of rejected drafts show nowhere. */
function noteOrigins(origins, trace, since) {
  for (const step of trace.steps.slice(since)) {
    for (const node of step.row.path) origins.add(step.origins[node].origin);
  }
}

function growLane(trace, { from, steps, vocabulary, finish = null, error = null, prefill_seconds }) {
  const have = trace.steps.length;
  if (from > have) return false;
  addVocabulary(trace, vocabulary || {});
  appendSteps(trace, steps.slice(have - from));
  Object.assign(trace.header, { finish, error, prefill_seconds });
  return true;
}

const isOver = (trace) => trace.header.finish !== null && trace.header.finish !== undefined;
const hasFinished = (trace) => RACE_FINISHES.includes(trace.header.finish);
const raceOver = (race) => race.lanes.every(({ trace }) => isOver(trace));

/** New tokens of a lane after its first `steps` steps. */
const tokensAfter = (trace, steps) => trace.totals[steps].end - trace.promptLength;

/** Tokens that the tracks have room for: the longest text there is, or the limit while none has ended. */
function trackLength(race) {
  const traces = race.lanes.map(({ trace }) => trace);
  const longest = Math.max(...traces.map((trace) => tokensAfter(trace, trace.steps.length)));
  const known = raceOver(race) || traces.some(hasFinished);
  return Math.max(1, known ? longest : traces[0].header.max_new_tokens);
}
