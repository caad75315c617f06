/* The state of a player, and values derived from it without the page. */

import { t } from "../page/i18n.js";
import { LAST_BEAT, SPEED_AT_START } from "./beats.js";

/** @import { PlayerState, StateName, Trace } from "./types.js" */

/** @returns {PlayerState} */
export const newState = () => ({
  trace: null,
  cursor: 0,
  follow: true,
  live: false,
  error: null,
  expecting: false,
  outlook: null,
  before: null,
  cursorBefore: 0,
  playing: false,
  moving: false,
  scene: 0,
  dragged: false,
  speed: SPEED_AT_START,
  beat: LAST_BEAT,
  settings: { whitespace: false, lecture: false, treeView: "tree" },
  pointed: null,
  announce: false,
  waiting: [],
  retired: new Set(),
});

/** @param {PlayerState} state */
export const stepsOf = ({ trace }) => (trace ? trace.steps : []);

/** @param {PlayerState} state */
export const stepCount = (state) => stepsOf(state).length;

/**
 * The step at the cursor.
 * @param {PlayerState} state
 */
export const shownStep = ({ trace, cursor }) => (trace && cursor ? trace.steps[cursor - 1] : null);

/**
 * What the player shows: the previous run, as it was, until the requested one has its first step.
 * @param {PlayerState} state
 * @returns {PlayerState}
 */
export function shownState(state) {
  const { before, cursorBefore } = state;
  if (!before || stepCount(state)) return state;
  return { ...state, trace: before, cursor: cursorBefore, beat: LAST_BEAT, live: false, expecting: false };
}

/** Why a run failed, in one sentence; null for one that did not. @param {Trace} trace */
export const failureOf = ({ header }) => (header.finish === "error" ? header.error || t("player.run-failed") : null);

/** @param {PlayerState} state @returns {StateName} */
export function stateName({ error, expecting, trace, live, follow, playing }) {
  // While a run goes on, an error is about something else, such as a file that could not be opened.
  if (error !== null && !live && !expecting) return "error";
  if (expecting) return "running";
  if (!trace) return "idle";
  if (!live) return "done";
  return follow && !playing ? "running" : "paused";
}
