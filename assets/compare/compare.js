/* The race in the page: what it shows follows from the race, the clock and the moment alone. */

import { el, setData, setText } from "../player/dom.js";
import { actionOf } from "../player/keys.js";
import { coalesced } from "../player/paint.js";
import { places, raceEnd } from "./clock.js";
import { RACE_SPEEDS, createControls } from "./controls.js";
import { createRaceFiles } from "./files.js";
import { createRaceLegend } from "./legend.js";
import { expectRace, openRace, receiveRace } from "./messages.js";
import { chooseByStep, chooseMoment, placeOf, playRace, setClock, showPlace, toggleRace } from "./moves.js";
import { hasFinished, isLive, raceText, trackLength } from "./race.js";
import { createResults } from "./results.js";
import { IDLE_RACE, STARTING_RACE } from "./words.js";

/**
 * A race inside `element`, which takes messages and plays all lanes by one clock.
 * @param {HTMLElement} element an empty element; gets the focus, the keys and the data attributes
 * @param {object} [options]
 * @param {function(string, number): Promise} [options.repair] asks for the steps of a race, of all lanes
 *   together from a number (0-based) on; its promise brings a message or null
 * @param {function(string, object)} [options.onSelect] told the race and the place that the viewer moved to
 * @param {function()} [options.onTrace] told that steps or a race arrived
 * @param {function(string)} [options.onLane] shows a lane, a trace, step by step
 * @returns {{expect: function(), receive: function(string|object), open: function(string), show:
 *   function(object), play: function(), snapshot: function(): (string|null), place: function(): {run:
 *   string, cursor: object, follow: boolean, steps: number}}}
 *   expect: a race was asked for and nothing of it is there yet; open: a whole race, which plays from its
 *   start; show: the cursor of a place; snapshot: the race so far as a message; place: where the viewer is
 *   and how many steps all lanes have
 */
export function createRaceView(element, options = {}) {
  const state = {
    race: null,
    clock: "time",
    at: 0,
    speed: 1,
    follow: true,
    playing: false,
    expecting: false,
    error: null,
    told: null,
    lost: false,
    waiting: [],
    asked: "",
  };
  const view = { element, options, state, lanes: [], frame: 0, timer: 0, last: 0 };
  const actions = raceActions(view);
  view.open = (text) => openRace(view, text);
  Object.assign(view, raceParts(view, actions));
  view.repaint = coalesced(() => paintRace(view));
  element.addEventListener("keydown", (event) => {
    const action = actions[actionOf(event)];
    if (!action) return;
    event.preventDefault();
    action();
  });
  view.repaint();
  return {
    expect: () => expectRace(view),
    receive: (message) => receiveRace(view, message),
    open: view.open,
    show: (cursor) => showPlace(view, cursor),
    play: () => playRace(view),
    snapshot: () => (state.race ? raceText(state.race) : null),
    place: () => placeOf(state),
  };
}

function raceParts(view, actions) {
  const parts = {
    controls: createControls(actions),
    idle: el("div", { class: "ls-idle" }, IDLE_RACE),
    error: el("div", { class: "ls-error", role: "alert", hidden: true }),
    spoken: el("div", { class: "ls-spoken", role: "status" }),
    course: el("div", { class: "lr-course" }),
    legend: createRaceLegend(),
    results: createResults(),
    files: createRaceFiles(view),
  };
  const { controls, idle, error, spoken, course, legend, results, files } = parts;
  const above = [controls.element, error, idle, spoken, course];
  const inside = [...above, legend.element, results.element, files.element];
  view.element.replaceChildren(el("div", { class: "ls-frame" }, ...inside));
  return parts;
}

function raceActions(view) {
  const { state } = view;
  return {
    first: () => chooseMoment(view, 0),
    last: () => chooseMoment(view, Infinity),
    previous: () => chooseByStep(view, -1),
    next: () => chooseByStep(view, 1),
    back10: () => chooseByStep(view, -10),
    forward10: () => chooseByStep(view, 10),
    toggle: () => toggleRace(view),
    slower: () => changeRaceSpeed(view, -1),
    faster: () => changeRaceSpeed(view, 1),
    live: () => chooseMoment(view, Infinity),
    clock: (clock) => setClock(view, clock),
    seek: (share) => chooseMoment(view, share * raceEnd(state.race, state.clock)),
    speed(speed) {
      state.speed = speed;
      view.repaint(true);
    },
  };
}

function changeRaceSpeed({ state, repaint }, direction) {
  const speeds = RACE_SPEEDS[state.clock];
  const at = speeds.indexOf(state.speed) + direction;
  if (at >= 0 && at < speeds.length) state.speed = speeds[at];
  repaint(true);
}

/* Painting */

function raceStateName(state) {
  if (state.error !== null) return "error";
  if (state.expecting) return "running";
  if (!state.race) return "idle";
  if (!isLive(state)) return "done";
  return state.follow && !state.playing ? "running" : "paused";
}

function raceStatus(state, name) {
  if (state.expecting) return "Starting";
  if (name === "error") return "Error";
  if (name === "running") return "Live";
  if (name === "paused") return "Live, looking back";
  if (!state.race) return "";
  if (state.race.recorded) return "Recorded: " + state.race.recorded;
  return state.race.lanes.every(({ trace }) => hasFinished(trace)) ? "Done" : "Stopped";
}

function paintRace(view) {
  const { state, controls, legend, results, files } = view;
  const { race, at, clock, speed } = state;
  const name = raceStateName(state);
  const busy = state.playing || name === "running";
  controls.paint({ race, at, clock, speed, name, busy, status: raceStatus(state, name) });
  view.idle.hidden = race !== null && !state.expecting;
  setText(view.idle, state.expecting ? STARTING_RACE : IDLE_RACE);
  view.error.hidden = state.error === null;
  setText(view.error, state.error || "");
  view.course.hidden = legend.element.hidden = race === null || state.expecting;
  if (race && !state.expecting) {
    paintLanes(view);
    legend.paint(race);
  }
  results.paint(state.expecting ? null : race);
  files.paint(state.expecting ? null : race);
  if (state.told !== null) setText(view.spoken, state.told);
  state.told = null;
  paintRaceAttributes(view, name);
}

function paintLanes({ state, lanes }) {
  const { race, at, clock } = state;
  const ranks = places(race, clock);
  const length = trackLength(race);
  race.lanes.forEach(({ trace }, number) => {
    lanes[number].paint(trace, { at, clock, length, place: ranks[number] });
  });
}

function paintRaceAttributes({ element, state }, name) {
  const values = {
    state: name,
    playing: state.playing,
    clock: state.clock,
    at: state.at,
    lanes: state.race ? state.race.lanes.length : 0,
  };
  for (const [key, value] of Object.entries(values)) setData(element, key, value);
}
