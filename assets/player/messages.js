/* Messages: a run's header, its steps as they come, the whole trace, an error. */

import { t } from "../page/i18n.js";
import { LAST_BEAT, SPEED_AT_START } from "./beats.js";
import { messageOf } from "./disk.js";
import { changed } from "./paint.js";
import { moveTo, playScene, prefersStills, startPlaying, stopPlaying } from "./playing.js";
import { readDocument } from "./schema.js";
import { failureOf, stepCount } from "./state.js";
import { addVocabulary, appendSteps, createTrace, lastTypicalStep } from "./trace.js";

/** @import {
 *   ErrorMessage, Player, PlayerState, ResetMessage, StepsMessage, Trace, TraceMessage, WaitingMessage
 * } from "./types.js" */

const NO_TRACE = t("player.none-trace");

/**
 * Takes one message; never throws.
 * @param {Player} player
 * @param {string | object} message
 */
export function receive(player, message) {
  try {
    /** @type {any} */
    const data = typeof message === "string" ? JSON.parse(message) : message;
    if (!data || typeof data !== "object") return;
    const take = takers[data.kind];
    if (!take) throw new Error(NO_TRACE);
    take(player, data);
  } catch (error) {
    takeError(player, { message: errorSentence(error) });
  }
}

/** @type {Record<string, (player: Player, data: any) => void>} */
const takers = { reset: takeReset, steps: takeSteps, trace: takeTrace, waiting: takeWaiting, error: takeError };

/** @param {unknown} error */
function errorSentence(error) {
  if (error instanceof SyntaxError) return t("player.unreadable-trace", { why: t("player.why-json") });
  if (error instanceof TypeError) return t("player.damaged-trace", { why: error.message });
  return messageOf(error);
}

/**
 * Gets ready for a requested run; the old one stays until the first step of the new one arrives, or for good if
 * that can't start.
 * @param {Player} player
 */
export function expectRun(player) {
  const { state } = player;
  stopPlaying(player);
  const before = stepCount(state) ? state.trace : state.before || state.trace;
  if (before === state.trace) state.cursorBefore = state.cursor;
  Object.assign(state, { before, trace: null, cursor: 0, beat: LAST_BEAT, error: null, pointed: null });
  state.live = false;
  state.expecting = true;
  state.outlook = null;
  changed(player);
}

/** @param {Player} player @param {WaitingMessage} data */
function takeWaiting(player, { ahead, seconds }) {
  const { state } = player;
  if (!state.expecting) return;
  state.outlook = { ahead, seconds };
  changed(player);
}

/** @param {Player} player @param {ResetMessage} data */
function takeReset(player, data) {
  const { state } = player;
  if (state.trace && state.trace.run === data.run && data.run) return;
  if (state.retired.has(data.run)) return;
  const { before, cursorBefore } = state;
  loadTrace(player, createTrace({ ...data.trace, finish: null }));
  Object.assign(state, { before, cursorBefore });
  state.live = true;
  state.cursor = 0;
  state.beat = LAST_BEAT;
  state.follow = true;
  arrived(player);
}

/** @param {Player} player @param {TraceMessage} data */
function takeTrace(player, data) {
  const { state } = player;
  const trace = createTrace(data);
  appendSteps(trace, data.steps || []);
  if (state.expecting && state.before && state.before.run === trace.run) {
    state.before = trace; // the previous run, whose end arrives late
    return;
  }
  if (data.autoplay && !isShown(state, trace)) return playFrom(player, trace, data);
  showTrace(player, trace);
}

/** @param {PlayerState} state @param {Trace} trace */
const isShown = (state, trace) => state.trace !== null && trace.run !== "" && state.trace.run === trace.run;

/** @param {Player} player @param {Trace} trace */
function showTrace(player, trace) {
  const { state } = player;
  const same = isShown(state, trace);
  const { follow, cursor, playing, live } = state;
  loadTrace(player, trace, same && playing);
  state.live = false;
  state.follow = same ? follow : true;
  const steps = trace.steps.length;
  state.cursor = same && !follow ? Math.min(cursor, steps) : steps;
  if (!same) state.beat = LAST_BEAT;
  if (same && live) restAtTypical(state);
  state.error = failureOf(trace);
  arrived(player);
}

/**
 * Plays a recorded run immediately, beat by beat, or one step of it as a scene; with reduced motion, shows the step
 * it begins at as a still.
 * @param {Player} player
 * @param {Trace} trace
 * @param {Pick<TraceMessage, "at" | "scene">} about `at`: the step to begin at
 */
function playFrom(player, trace, { at = 1, scene = false }) {
  const { state } = player;
  loadTrace(player, trace);
  state.error = failureOf(trace);
  state.live = false;
  state.speed = SPEED_AT_START;
  if (scene) playScene(player, at);
  else {
    moveTo(player, at);
    if (!prefersStills()) startPlaying(player, at);
  }
  arrived(player);
}

/**
 * Opens a trace from a file. If the file holds none, the view says so and keeps what it shows.
 * @param {Player} player
 * @param {string} text
 * @returns {boolean} whether the file holds a trace
 */
export function openTrace(player, text) {
  try {
    const data = readDocument(text, "trace");
    const trace = createTrace(data);
    appendSteps(trace, data.steps);
    playFrom(player, trace, data);
    return true;
  } catch (error) {
    player.state.error = errorSentence(error);
    changed(player, true);
    return false;
  }
}

/** @param {Player} player @param {Trace} trace @param {boolean} [keepPlaying] */
function loadTrace(player, trace, keepPlaying = false) {
  const { state } = player;
  const before = state.trace || state.before;
  if (before && before.run !== trace.run) state.retired.add(before.run);
  state.retired.delete(trace.run);
  state.scene = 0;
  if (!keepPlaying) stopPlaying(player);
  Object.assign(state, { trace, before: null, expecting: false, error: null, pointed: null, waiting: [] });
}

/** @param {Player} player @param {StepsMessage} data */
function takeSteps(player, data) {
  const { state } = player;
  if (state.retired.has(data.run)) return;
  if (state.expecting && state.before && state.before.run === data.run) return;
  if (!state.trace || state.trace.run !== data.run) return askForRun(player, data.run);
  if (state.trace.header.finish) return;
  addVocabulary(state.trace, data.vocabulary || {});
  const have = state.trace.steps.length;
  if (data.from > have) return waitForRepair(player, data);
  const fresh = data.steps.slice(have - data.from);
  if (typeof data.prefill_seconds === "number") state.trace.header.prefill_seconds = data.prefill_seconds;
  if (data.environment) state.trace.header.environment = data.environment;
  if (data.finish === "error" && state.before && !fresh.length) return takeError(player, { message: data.error || "" });
  appendSteps(state.trace, fresh);
  if (state.trace.steps.length) state.before = null;
  const resumed = !state.live;
  state.live = true;
  if (state.follow && !state.playing) state.cursor = state.trace.steps.length; // its beat is the last
  if (data.finish) endRun(state, data);
  if (fresh.length || data.finish || resumed) arrived(player);
}

/**
 * The last steps of a run say how it ended.
 * @param {PlayerState} state
 * @param {{ finish?: string | null, error?: string | null }} about
 */
function endRun(state, { finish, error = null }) {
  if (!state.trace) return;
  Object.assign(state.trace.header, { finish, error });
  state.live = false;
  state.error = failureOf(state.trace);
  restAtTypical(state);
}

/**
 * A run that was followed to its end rests at the last step that is typical of it, since the very last one is
 * often cut short.
 * @param {PlayerState} state
 */
function restAtTypical(state) {
  if (!state.trace || !state.follow || state.playing || state.error !== null) return;
  const step = lastTypicalStep(state.trace.steps);
  if (!step) return;
  state.cursor = step;
  state.follow = false;
}

/**
 * Holds the message back until the steps before it have arrived.
 * @param {Player} player
 * @param {StepsMessage} data
 */
function waitForRepair(player, data) {
  const { state, options } = player;
  state.waiting.push(data);
  if (!options.repair || state.waiting.length > 1) return;
  const { trace } = state;
  if (!trace) return;
  const settle = (/** @type {any} */ reply) => {
    if (state.trace !== trace) return;
    const waiting = state.waiting.splice(0).sort((a, b) => a.from - b.from);
    const before = trace.steps.length;
    if (reply) receive(player, reply);
    // Asking again after a reply that brought nothing would never end.
    const helped = trace.steps.length > before;
    for (const each of waiting) if (helped || each.from <= before) receive(player, each);
  };
  Promise.resolve(options.repair(trace.run, trace.steps.length)).then(settle, () => settle(null));
}

/**
 * Handles steps of a run whose header never arrived: only the whole trace can help.
 * @param {Player} player
 * @param {string} run
 */
function askForRun(player, run) {
  const { options, state } = player;
  if (!options.repair || state.request === run) return;
  state.request = run;
  const take = (/** @type {any} */ reply) => {
    const data = typeof reply === "string" ? JSON.parse(reply) : reply;
    if (data && data.kind !== "steps") receive(player, data);
  };
  Promise.resolve(options.repair(run, 0)).then(take, () => null);
}

/**
 * The run could not go on; the steps that arrived stay.
 * @param {Player} player
 * @param {ErrorMessage} data
 */
function takeError(player, data) {
  const { state } = player;
  if (data.run && state.retired.has(data.run)) return;
  stopPlaying(player);
  if (state.before) {
    const cursor = Math.min(state.cursorBefore, state.before.steps.length);
    state.retired.delete(state.before.run);
    Object.assign(state, { trace: state.before, before: null, cursor });
  }
  state.expecting = false;
  state.live = false;
  state.error = data.message || t("player.run-failed");
  changed(player);
}

/** @param {Player} player */
function arrived(player) {
  changed(player);
  if (player.options.onTrace) player.options.onTrace();
}
