/* The race in the page: what it shows follows from the race, the clock and the moment alone. */

import { t } from "../page/i18n.js";
import { announceCue } from "../page/cues.js";
import { translated } from "../page/translated.js";
import { el, setData, setText } from "../player/dom.js";
import { actionOf } from "../player/keys.js";
import { installOrigins } from "../player/origins.js";
import { coalesced } from "../player/paint.js";
import { createWaiting } from "../player/waiting.js";
import { recordedTitle, waitingWords } from "../player/words.js";
import { places, raceEnd } from "./clock.js";
import { RACE_SPEEDS, createControls } from "./controls.js";
import { registerRace } from "./cues.js";
import { createRaceFiles } from "./files.js";
import { createRaceLegend } from "./legend.js";
import { expectRace, openRace, receiveRace } from "./messages.js";
import { chooseByStep, chooseMoment, placeOf, playRace, setClock, showPlace, toggleRace } from "./moves.js";
import { hasFinished, isLive, raceText, trackLength } from "./race.js";
import { createResults } from "./results.js";
import { IDLE_RACE, STARTING_RACE } from "./words.js";

/** @import { Actions, Clock, Race, RaceOptions, RaceState, RaceView, StateName, View } from "../player/types.js" */

/**
 * A race inside `element`, which takes messages and plays all lanes by one clock.
 * @param {HTMLElement} element an empty element; gets the focus, the keys and the data attributes
 * @param {RaceOptions} [options] `repair` asks for the steps of all lanes together; a place is {at, clock, follow}
 * @returns {View}
 */
export function createRaceView(element, options = {}) {
  installOrigins();
  element.setAttribute("aria-label", t("compare.label"));
  const state = newRaceState();
  /** @type {RaceView["lanes"]} */
  const lanes = [];
  const view = /** @type {RaceView} */ ({ element, options, state, lanes, frame: 0, last: 0 });
  const actions = raceActions(view);
  view.open = (text) => openRace(view, text);
  Object.assign(view, raceParts(view, actions));
  view.repaint = coalesced(() => paintRace(view));
  element.addEventListener("keydown", (event) => {
    const action = actions[actionOf(event) || ""];
    if (!action) return;
    event.preventDefault();
    action();
  });
  registerRace(view);
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

/** @returns {RaceState} */
const newRaceState = () => ({
  race: null,
  clock: "forwards",
  at: 0,
  speed: 1,
  follow: true,
  playing: false,
  expecting: false,
  outlook: null,
  opening: null,
  error: null,
  refused: null,
  announcement: null,
  lost: false,
  waiting: [],
  request: "",
});

/** @param {RaceView} view @param {Actions} actions */
function raceParts(view, actions) {
  const parts = {
    controls: createControls(actions),
    idle: el("div", { class: "ls-idle" }, IDLE_RACE),
    ...createWaiting(view.options.giveUp),
    error: el("div", { class: "ls-error", role: "alert", hidden: true }),
    spoken: el("div", { class: "ls-spoken", role: "status" }),
    course: el("div", { class: "lr-course" }),
    legend: createRaceLegend(),
    results: createResults(view.options.gpuCosts || null),
    files: createRaceFiles(view),
  };
  const { controls, idle, waiting, error, spoken, course, legend, results, files } = parts;
  const above = [controls.element, error, idle, waiting, spoken, course];
  const inside = [...above, legend.element, results.element, files.element];
  view.element.replaceChildren(el("div", { class: "ls-frame" }, ...inside));
  return parts;
}

/** @param {RaceView} view @returns {Actions} */
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
    lecture: () => setLecture(view, view.element.dataset.lecture !== "true"),
    escape: () => setLecture(view, false),
    /** @param {Clock} clock */
    clock: (clock) => setClock(view, clock),
    /** @param {number} share */
    seek: (share) => state.race && chooseMoment(view, share * raceEnd(state.race, state.clock)),
    /** @param {number} speed */
    speed(speed) {
      state.speed = speed;
      view.repaint(true);
    },
  };
}

/** @param {RaceView} view @param {boolean} on */
function setLecture({ element }, on) {
  setData(element, "lecture", on ? "true" : null);
}

/** @param {RaceView} view @param {number} direction */
function changeRaceSpeed({ state, repaint }, direction) {
  const speeds = RACE_SPEEDS[state.clock];
  const at = speeds.indexOf(state.speed) + direction;
  if (at >= 0 && at < speeds.length) state.speed = speeds[at];
  repaint(true);
}

/* Painting */

/** @param {RaceState} state */
function raceStateName(state) {
  if (state.error !== null) return "error";
  if (state.expecting) return "running";
  // While a race goes on, a file that could not be opened is about something else.
  if (state.refused !== null && !isLive(state)) return "error";
  if (!state.race) return "idle";
  if (!isLive(state)) return "done";
  return state.follow && !state.playing ? "running" : "paused";
}

/** @param {RaceState} state @param {StateName} name */
function raceStatus(state, name) {
  if (state.expecting) return t(state.outlook ? "compare.waiting" : "compare.starting");
  if (name === "error") return t("compare.error");
  if (name === "running") return t("compare.live");
  if (name === "paused") return t("compare.looking-back");
  if (!state.race) return "";
  if (state.race.recorded) return recordedTitle(state.race.recorded, state.race.lanes[0].trace.header.model);
  return state.race.lanes.every(({ trace }) => hasFinished(trace)) ? t("compare.done") : t("compare.stopped");
}

/** @param {RaceView} view */
function paintRace(view) {
  const { state, controls, legend, results, files } = view;
  const { race, at, clock, speed } = state;
  const name = raceStateName(state);
  const busy = state.playing || name === "running";
  controls.paint({ race, at, clock, speed, name, busy, status: raceStatus(state, name) });
  view.idle.hidden = race !== null || state.expecting;
  view.waiting.hidden = !state.expecting;
  setText(view.outlook, state.outlook ? waitingWords(state.outlook) : STARTING_RACE);
  const fault = state.refused || state.error;
  view.error.hidden = fault === null;
  setText(view.error, translated(fault || ""));
  view.course.hidden = legend.element.hidden = race === null;
  if (race) {
    paintLanes(view, race);
    legend.paint(race);
  }
  results.paint(race);
  files.paint(race);
  if (state.announcement !== null) setText(view.spoken, state.announcement);
  state.announcement = null;
  paintRaceAttributes(view, name);
  announceCue(view.element);
}

/** @param {RaceView} view @param {Race} race */
function paintLanes({ state, lanes }, race) {
  const { at, clock } = state;
  const ranks = places(race, clock);
  const length = trackLength(race);
  race.lanes.forEach(({ trace }, number) => {
    lanes[number].paint(trace, { at, clock, length, place: ranks[number] });
  });
}

/** @param {RaceView} view @param {StateName} name */
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
