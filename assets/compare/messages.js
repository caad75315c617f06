/* Messages: a race, its steps as they come, an error. Missing steps are requested again. */

import { t } from "../page/i18n.js";
import { announceOutcome } from "../page/outcome.js";
import { messageOf } from "../player/disk.js";
import { el } from "../player/dom.js";
import { prefersStills } from "../player/playing.js";
import { traceText } from "../player/trace.js";
import { spentInAll } from "./clock.js";
import { fittingSpeed } from "./controls.js";
import { createLane } from "./lane.js";
import { haltRace, playRace, setMoment } from "./moves.js";
import { createRace, growRace, hasFinished, isPlain, raceOver, stepsInAll, tokensAfter, wholeRace } from "./race.js";
import { arrivalWords, verdictWords } from "./words.js";

/** @import {
 *   Clock, ErrorMessage, Race, RaceMessage, RaceState, RaceStepsMessage, RaceView, Trace, WaitingMessage
 * } from "../player/types.js" */

const LANES_AT_FIRST = 2;
const LOST_STEPS = t("compare.lost-steps");

/**
 * Gets ready for a requested race; the old one stays until the first step of the new one arrives, or for good if
 * that can't start.
 * @param {RaceView} view
 */
export function expectRace(view) {
  haltRace(view);
  Object.assign(view.state, { expecting: true, outlook: null, opening: null, error: null, refused: null });
  view.repaint(true);
}

/**
 * Takes one message, as a string or as parsed JSON; never throws.
 * @param {RaceView} view
 * @param {string} message
 */
export function receiveRace(view, message) {
  try {
    const data = typeof message === "string" ? JSON.parse(message) : message;
    const take = takers[data.kind];
    if (take) take(view, data);
  } catch (error) {
    takeRaceError(view, { message: t("compare.cannot-show", { why: messageOf(error) }) });
  }
  view.repaint();
}

/** @param {RaceView} view @param {WaitingMessage} data */
function takeRaceWaiting({ state }, { ahead, seconds }) {
  if (state.expecting) state.outlook = { ahead, seconds };
}

/** @type {Record<string, (view: RaceView, data: any) => void>} */
const takers = { race: takeRace, race_steps: takeRaceSteps, waiting: takeRaceWaiting, error: takeRaceError };

/** @param {RaceState} state @param {string} name */
const isRaceShown = ({ race, expecting }, name) => race !== null && !expecting && race.name === name;

/** @param {RaceView} view @param {RaceMessage} data */
function takeRace(view, data) {
  const { race, expecting } = view.state;
  if (!race || !isRaceShown(view.state, data.race)) {
    if (race && expecting && data.lanes.every(({ steps = [] }) => !steps.length)) view.state.opening = data;
    else takeWholeRace(view, createRace(data));
    return;
  }
  const lanes = data.lanes.map(({ steps = [], ...lane }) => ({ ...lane, from: 0, steps }));
  growShown(view, race, { kind: "race_steps", race: data.race, verdict: data.verdict, lanes });
}

/** Shows a race as it is; announces its outcome if it ended during a reload. @param {RaceView} view @param {Race} race */
function takeWholeRace(view, race) {
  loadRace(view, race);
  if (raceOver(race) && !race.recorded) tellOutcome(race);
}

/** @param {RaceView} view @param {Race} race */
function loadRace(view, race) {
  const { state } = view;
  haltRace(view);
  const anew = { expecting: false, opening: null, error: null, refused: null, lost: false, at: 0, announcement: null, waiting: [] };
  Object.assign(state, { race, ...anew });
  view.lanes = race.lanes.map(({ title, trace }) => createLane(title, laneOpener(view, race, trace)));
  view.course.replaceChildren(...view.lanes.map((lane) => lane.element), ...foldOf(view, race));
  state.speed = fittingSpeed(race, state.clock);
  setMoment(view, Infinity);
  noteFailure(state, race);
  raceArrived(view);
}

/**
 * A recorded race begins with two lanes, and a button that shows the others.
 * @param {RaceView} view
 * @param {Race} race
 */
function foldOf({ course }, race) {
  const more = race.lanes.length - LANES_AT_FIRST;
  course.toggleAttribute("data-folded", Boolean(race.recorded) && more > 0);
  if (!race.recorded || more <= 0) return [];
  const button = el("button", { type: "button", class: "ls-button lr-more" }, t("compare.more-lanes", { n: more }));
  button.addEventListener("click", () => {
    course.removeAttribute("data-folded");
    button.remove();
  });
  return [button];
}

/**
 * Opens a lane as a run of its own, recorded if its race is.
 * @param {RaceView} view
 * @param {Race} race
 * @param {Trace} trace
 */
function laneOpener({ options }, { recorded }, trace) {
  const { onLane } = options;
  if (!onLane) return null;
  return () => onLane(traceText({ ...trace, header: { ...trace.header, recorded } }));
}

/**
 * Plays a whole race. If the text holds none, the view says so and keeps what it shows.
 * @param {RaceView} view
 * @param {string} text
 */
export function openRace(view, text) {
  try {
    loadRace(view, wholeRace(text));
    if (!prefersStills()) playRace(view);
  } catch (error) {
    view.state.refused = messageOf(error);
  }
  view.repaint(true);
}

/** @param {RaceView} view @param {RaceStepsMessage} data */
function takeRaceSteps(view, data) {
  const { state } = view;
  if (state.opening && state.opening.race === data.race) loadRace(view, createRace(state.opening));
  if (!state.race || state.race.name !== data.race) return askForRace(view, data.race);
  if (!state.lost && !raceOver(state.race)) growShown(view, state.race, data);
}

/** @param {RaceView} view @param {Race} race @param {RaceStepsMessage} data */
function growShown(view, race, data) {
  const { state } = view;
  const wasOver = raceOver(race);
  if (!growRace(race, data)) return waitForSteps(view, race, data);
  if (state.follow && !state.playing) setMoment(view, Infinity);
  if (raceOver(race)) endRace(state, race);
  if (raceOver(race) && !wasOver && !race.recorded) tellOutcome(race);
  raceArrived(view);
}

/** @param {RaceState} state @param {Race} race */
function endRace(state, race) {
  state.speed = fittingSpeed(race, state.clock);
  state.refused = null;
  state.announcement = endWords(race, state.clock);
  noteFailure(state, race);
}

/**
 * The end of a race, for screen readers; in one that was stopped, no lane may have arrived.
 * @param {Race} race
 * @param {Clock} clock
 */
function endWords(race, clock) {
  const [order, verdict] = [arrivalWords(race, clock), verdictWords(race)];
  return order ? t("compare.arrival", { order, verdict }) : verdict || t("compare.stopped");
}

/** @param {Race} race */
function tellOutcome({ name, lanes }) {
  if (!lanes.every(({ trace }) => hasFinished(trace) && trace.steps.length)) return;
  announceOutcome(name, {
    lanes: lanes.map(({ title, trace }) => ({
      title,
      plain: isPlain(trace),
      tokens: tokensAfter(trace, trace.steps.length),
      passes: trace.steps.length,
      seconds: spentInAll(trace, "time"),
    })),
  });
}

/**
 * A lane that fails ends the race; its steps stay.
 * @param {RaceState} state
 * @param {Race} race
 */
function noteFailure(state, race) {
  const failed = race.lanes.find(({ trace }) => trace.header.finish === "error");
  if (failed) state.error = failed.trace.header.error || t("compare.failed");
}

/**
 * Holds the message back until the steps before it have arrived.
 * @param {RaceView} view
 * @param {Race} race
 * @param {RaceStepsMessage} data
 */
function waitForSteps(view, race, data) {
  const { state, options } = view;
  state.waiting.push(data);
  if (state.waiting.length > 1) return;
  /** @param {any} reply */
  const settle = (reply) => {
    if (state.race !== race) return;
    const waiting = state.waiting.splice(0);
    if (reply) receiveRace(view, reply);
    if (!waiting.every((each) => growRace(race, each))) Object.assign(state, { lost: true, error: LOST_STEPS });
    else growShown(view, race, waiting[waiting.length - 1]);
    view.repaint();
  };
  const reply = options.repair ? options.repair(race.name, stepsInAll(race)) : null;
  Promise.resolve(reply).then(settle, () => settle(null));
}

/**
 * Handles steps of a requested race whose first message never arrived.
 * @param {RaceView} view
 * @param {string} name
 */
function askForRace(view, name) {
  const { state, options } = view;
  if (!state.expecting || !options.repair || state.request === name) return;
  state.request = name;
  Promise.resolve(options.repair(name, 0)).then((reply) => reply && receiveRace(view, reply), () => null);
}

/** @param {RaceView} view @param {ErrorMessage} data */
function takeRaceError(view, data) {
  Object.assign(view.state, { expecting: false, opening: null, error: data.message || t("compare.failed") });
}

/** @param {RaceView} view */
function raceArrived({ options }) {
  if (options.onTrace) options.onTrace();
}
