/* Moving the clock: by hand, by playing, and with a race that runs. */

import { t } from "../page/i18n.js";
import { prefersStills } from "../player/playing.js";
import { CLOCKS, SAME_TIME, frontier, momentAfter, momentBefore, raceEnd } from "./clock.js";
import { fittingSpeed } from "./controls.js";
import { isLive, stepsInAll } from "./race.js";
import { arrivalWords, standWords } from "./words.js";

/** @import { Clock, RaceState, RaceView } from "../player/types.js" */

const STILLS_EVERY = 250; // ms, for viewers who prefer reduced motion

/**
 * Sets the clock to `at`; at the frontier of a running race, the view follows the race.
 * @param {RaceView} view
 * @param {number} at
 */
export function setMoment(view, at) {
  const { state } = view;
  const end = state.race ? frontier(state.race, state.clock) : 0;
  state.at = Math.max(0, Math.min(end, at));
  state.follow = state.at >= end - SAME_TIME;
  view.repaint();
}

/**
 * Moves the clock for the viewer: stops playing, and announces where all lanes are.
 * @param {RaceView} view
 * @param {number} at
 */
export function chooseMoment(view, at) {
  if (!view.state.race) return;
  haltRace(view);
  view.state.refused = null;
  setMoment(view, at);
  view.state.announcement = standWords(view.state.race, view.state.at, view.state.clock);
  view.repaint(true);
  placeChosen(view);
}

/** @param {RaceView} view */
function placeChosen({ state, options }) {
  const { run, cursor } = placeOf(state);
  if (options.onSelect) options.onSelect(run, cursor);
}

/**
 * The viewer's place. Following the newest step is part of it, so that the clock is stored, too.
 * @param {RaceState} state
 */
export function placeOf({ race, expecting, at, clock, follow }) {
  const isShown = race !== null && !expecting;
  return { run: isShown ? race.name : "", cursor: { at, clock, follow }, follow: false, steps: isShown ? stepsInAll(race) : 0 };
}

/**
 * Restores a place.
 * @param {RaceView} view
 * @param {{ at: number, clock: Clock, follow: boolean }} about
 */
export function showPlace(view, { at, clock, follow }) {
  const { state } = view;
  if (!state.race || !(clock in CLOCKS)) return;
  haltRace(view);
  state.clock = clock;
  state.speed = fittingSpeed(state.race, clock);
  setMoment(view, follow ? Infinity : Number(at));
}

/** @param {RaceView} view @param {number} steps */
export function chooseByStep(view, steps) {
  const { state } = view;
  if (!state.race) return;
  let { at } = state;
  const move = steps > 0 ? momentAfter : momentBefore;
  for (let count = Math.abs(steps); count > 0; count -= 1) at = move(state.race, at, state.clock);
  chooseMoment(view, at);
}

/**
 * Switches to the other clock, at the same share of the way.
 * @param {RaceView} view
 * @param {Clock} clock
 */
export function setClock(view, clock) {
  const { state } = view;
  if (state.clock === clock) return;
  haltRace(view);
  const end = state.race ? raceEnd(state.race, state.clock) : 0;
  const share = end ? state.at / end : 0;
  state.clock = clock;
  if (state.race) {
    state.speed = fittingSpeed(state.race, clock);
    setMoment(view, state.follow ? Infinity : share * raceEnd(state.race, clock));
    state.announcement = t("compare.switched", { clock: CLOCKS[clock], stand: standWords(state.race, state.at, clock) });
  } else state.speed = 1;
  view.repaint(true);
  placeChosen(view);
}

/** @param {RaceView} view */
export function toggleRace(view) {
  const { state } = view;
  if (!state.race) return;
  if (state.playing) haltRace(view);
  else if (isLive(state) && state.follow) state.follow = false;
  else playRace(view);
  view.repaint(true);
}

/**
 * Continues to play, from the start if the clock is at the end.
 * @param {RaceView} view
 */
export function playRace(view) {
  const { state } = view;
  if (state.playing || !state.race) return;
  if (!isLive(state) && state.at >= raceEnd(state.race, state.clock) - SAME_TIME) state.at = 0;
  state.playing = true;
  state.follow = false;
  view.last = performance.now();
  tick(view);
  view.repaint();
}

/** @param {RaceView} view */
export function haltRace(view) {
  cancelAnimationFrame(view.frame);
  clearTimeout(view.timer);
  view.state.playing = false;
}

/** @param {RaceView} view */
function tick(view) {
  const next = () => advance(view);
  if (prefersStills()) view.timer = setTimeout(next, STILLS_EVERY);
  else view.frame = requestAnimationFrame(next);
}

/** @param {RaceView} view */
function advance(view) {
  const { state } = view;
  if (!state.playing || !view.element.isConnected) return;
  const now = performance.now();
  const passed = (now - view.last) / 1000;
  view.last = now;
  setMoment(view, state.at + passed * state.speed);
  const live = isLive(state);
  if (!state.follow) return tick(view);
  haltRace(view);
  if (state.race && !live) state.announcement = arrivalWords(state.race, state.clock);
  view.repaint();
}
