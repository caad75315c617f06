/* Messages: a race, its steps as they come, an error. What is missing is asked for. */

import { prefersStills } from "../player/playing.js";
import { traceText } from "../player/trace.js";
import { fittingSpeed } from "./controls.js";
import { createLane } from "./lane.js";
import { haltRace, playRace, setMoment } from "./moves.js";
import { createRace, growRace, raceOver, stepsInAll, wholeRace } from "./race.js";
import { arrivalWords, verdictWords } from "./words.js";

const LOST_STEPS = "Some steps of this race were lost on their way; press Race to run it again.";

/** A race was asked for: what was shown makes room, and comes back if that race can't start. */
export function expectRace(view) {
  haltRace(view);
  Object.assign(view.state, { expecting: true, error: null });
  view.repaint(true);
}

/** Takes one message, as a string or as parsed JSON; never throws. */
export function receiveRace(view, message) {
  try {
    const data = typeof message === "string" ? JSON.parse(message) : message;
    const take = { race: takeRace, race_steps: takeRaceSteps, error: takeRaceError }[data.kind];
    if (take) take(view, data);
  } catch (error) {
    takeRaceError(view, { message: `This race can't be shown (${error.message}); run it again.` });
  }
  view.repaint();
}

const isRaceShown = ({ race, expecting }, name) => race !== null && !expecting && race.name === name;

function takeRace(view, data) {
  if (isRaceShown(view.state, data.race)) {
    growShown(view, { ...data, lanes: data.lanes.map((lane) => ({ from: 0, ...lane })) });
  } else loadRace(view, createRace(data));
}

function loadRace(view, race) {
  const { state } = view;
  haltRace(view);
  Object.assign(state, { race, expecting: false, error: null, lost: false, at: 0, told: null, waiting: [] });
  view.lanes = race.lanes.map(({ title, trace }) => createLane(title, laneOpener(view, trace)));
  view.course.replaceChildren(...view.lanes.map((lane) => lane.element));
  state.speed = fittingSpeed(race, state.clock);
  setMoment(view, Infinity);
  tellFailure(state);
  raceArrived(view);
}

/** Opens a lane as a run of its own, recorded as its race is. */
function laneOpener({ options, state }, trace) {
  if (!options.onLane) return null;
  return () => options.onLane(traceText({ ...trace, header: { ...trace.header, recorded: state.race.recorded } }));
}

/** A whole race to be played; what is none is told, and what was there stays. */
export function openRace(view, text) {
  try {
    loadRace(view, wholeRace(text));
    if (!prefersStills()) playRace(view);
  } catch (error) {
    view.state.error = error.message;
  }
  view.repaint(true);
}

function takeRaceSteps(view, data) {
  const { state } = view;
  if (!state.race || state.race.name !== data.race) return askForRace(view, data.race);
  if (!state.lost && !raceOver(state.race)) growShown(view, data);
}

function growShown(view, data) {
  const { state } = view;
  if (!growRace(state.race, data)) return waitForSteps(view, data);
  if (state.follow && !state.playing) setMoment(view, Infinity);
  if (raceOver(state.race)) endRace(state);
  raceArrived(view);
}

function endRace(state) {
  state.speed = fittingSpeed(state.race, state.clock);
  state.told = `${arrivalWords(state.race, state.clock)}. ${verdictWords(state.race)}`;
  tellFailure(state);
}

/** A lane that failed ends the race; what was done stays. */
function tellFailure(state) {
  const failed = state.race.lanes.find(({ trace }) => trace.header.finish === "error");
  if (failed) state.error = failed.trace.header.error || "The race failed.";
}

/** The message stays until the steps before it are there. */
function waitForSteps(view, data) {
  const { state, options } = view;
  const { race } = state;
  state.waiting.push(data);
  if (state.waiting.length > 1) return;
  const settle = (reply) => {
    if (state.race !== race) return;
    const waiting = state.waiting.splice(0);
    if (reply) receiveRace(view, reply);
    if (!waiting.every((each) => growRace(race, each))) Object.assign(state, { lost: true, error: LOST_STEPS });
    else growShown(view, waiting[waiting.length - 1]);
    view.repaint();
  };
  const asked = options.repair ? options.repair(race.name, stepsInAll(race)) : null;
  Promise.resolve(asked).then(settle, () => settle(null));
}

/** Steps of a race that was asked for and whose beginning never came. */
function askForRace(view, name) {
  const { state, options } = view;
  if (!state.expecting || !options.repair || state.asked === name) return;
  state.asked = name;
  Promise.resolve(options.repair(name, 0)).then((reply) => reply && receiveRace(view, reply), () => null);
}

function takeRaceError(view, data) {
  Object.assign(view.state, { expecting: false, error: data.message || "The race failed." });
}

function raceArrived({ options }) {
  if (options.onTrace) options.onTrace();
}
