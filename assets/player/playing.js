/* Playing: moving from still to still, by the clock or by hand. */

import {
  BEAT_SECONDS,
  BY_BEAT,
  FIRST_BEAT,
  LAST_BEAT,
  SPEEDS,
  beatBefore,
  dueStill,
  playsBeats,
  sceneSeconds,
  staySeconds,
  stillAfter,
} from "./beats.js";
import { changed } from "./paint.js";
import { failureOf, stepCount, stepsOf } from "./state.js";
import { isRejection } from "./trace.js";

/** @import { Player, PlayerState, Speed } from "./types.js" */

/**
 * Shows a step, at rest or at one of its beats; `moving`: with the motion that leads there.
 * @param {Player} player
 * @param {number} cursor
 * @param {number} [beat]
 * @param {boolean} [moving]
 */
export function moveTo(player, cursor, beat = LAST_BEAT, moving = false) {
  const { state } = player;
  const steps = stepCount(state);
  const least = Math.min(1, steps);
  state.cursor = Math.max(least, Math.min(steps, Math.round(cursor)));
  state.beat = steps ? Math.max(FIRST_BEAT, Math.min(LAST_BEAT, Math.round(beat))) : LAST_BEAT;
  state.follow = state.cursor === steps && state.beat === LAST_BEAT;
  state.pointed = null;
  state.moving = moving && !prefersStills();
  if (state.scene !== state.cursor) state.scene = 0;
  clearTimeout(player.settling);
  const motion = state.scene ? sceneBeat(state) : BEAT_SECONDS;
  if (state.moving && !state.playing) player.settling = setTimeout(() => settle(player), motion * 1000);
  changed(player);
}

/**
 * A scene goes beat by beat, whatever the speed.
 * @param {PlayerState} state
 */
const speedOf = (state) => (state.scene ? BY_BEAT : state.speed);

/** @param {PlayerState} state */
function sceneBeat(state) {
  const { path } = stepsOf(state)[state.cursor - 1].row;
  return sceneSeconds(state.beat, path.length) || BEAT_SECONDS;
}

export const prefersStills = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Ends a motion, or skips it: shows the still of the beat.
 * @param {Player} player
 */
function settle(player) {
  clearTimeout(player.settling);
  player.state.moving = false;
  changed(player);
}

/**
 * Goes to a step for the viewer: stops playing, and follows a live run again from its newest step.
 * @param {Player} player
 * @param {number} cursor
 * @param {number} [beat]
 * @param {boolean} [moving]
 */
export function choose(player, cursor, beat = LAST_BEAT, moving = false) {
  stopPlaying(player);
  player.state.announce = true;
  if (player.state.trace) player.state.error = failureOf(player.state.trace);
  moveTo(player, cursor, beat, moving);
  changed(player, true);
  const { onSelect } = player.options;
  if (onSelect && player.state.trace) onSelect(player.state.trace.run, player.state.cursor);
}

/**
 * Goes one step on, or, from within a step, to its end.
 * @param {Player} player
 */
export function chooseNext(player) {
  const { cursor, beat } = player.state;
  choose(player, beat < LAST_BEAT ? cursor : cursor + 1);
}

/** @param {Player} player @param {number} beat */
export function chooseBeat(player, beat) {
  choose(player, player.state.cursor, beat, true);
}

/** @param {Player} player */
export function chooseNextBeat(player) {
  const { state } = player;
  const next = stillAfter(state, stepCount(state), BY_BEAT);
  if (next) choose(player, next.cursor, next.beat, true);
}

/** @param {Player} player */
export function choosePreviousBeat(player) {
  const before = beatBefore(player.state);
  if (before) choose(player, before.cursor, before.beat);
}

/** @param {Player} player @param {number} direction */
export function chooseRejection(player, direction) {
  const { cursor } = player.state;
  const steps = stepsOf(player.state);
  for (let at = cursor + direction; at >= 1 && at <= steps.length; at += direction) {
    if (isRejection(steps[at - 1])) return choose(player, at);
  }
}

/** @param {Player} player */
export function toggle(player) {
  const { state } = player;
  if (state.playing) stopPlaying(player);
  else if (state.live && state.follow) state.follow = false;
  else startPlaying(player);
  changed(player, true);
}

/**
 * Tells one step by itself, from its first beat; with reduced motion, shows its last still.
 * @param {Player} player
 * @param {number} cursor
 */
export function playScene(player, cursor) {
  stopPlaying(player);
  player.state.scene = cursor;
  moveTo(player, cursor);
  if (!prefersStills()) startPlaying(player, cursor);
}

/**
 * Shows the whole of the step that a scene has told.
 * @param {Player} player
 */
export function leaveScene(player) {
  player.state.scene = 0;
  choose(player, player.state.cursor);
}

/**
 * Continues to play from the viewer's place; at the end of the run or of a scene, from its start.
 * @param {Player} player
 * @param {number} [from] the step to begin at instead
 */
export function startPlaying(player, from = 0) {
  const { state } = player;
  if (state.playing || stepCount(state) === 0) return;
  const atEnd = state.scene || state.cursor >= stepCount(state);
  const jumps = from > 0 || (atEnd && state.beat === LAST_BEAT);
  const byBeat = playsBeats(speedOf(state));
  if (jumps && state.live) return moveTo(player, state.cursor);
  state.playing = true;
  player.due = performance.now();
  if (jumps) moveTo(player, from || state.scene || 1, byBeat ? FIRST_BEAT : LAST_BEAT, byBeat);
  else if (byBeat) return playOn(player); // the viewer has seen this still
  changed(player);
  waitForNext(player);
}

/** @param {Player} player */
export function stopPlaying(player) {
  clearTimeout(player.timer);
  clearTimeout(player.settling);
  player.state.playing = false;
  player.state.moving = false;
  changed(player);
}

/** @param {Player} player */
function waitForNext(player) {
  const { state } = player;
  player.due += (state.scene ? sceneBeat(state) : staySeconds(stepsOf(state), state.speed, state)) * 1000;
  player.timer = setTimeout(() => playOn(player), Math.max(0, player.due - performance.now()));
}

/** @param {Player} player */
function playOn(player) {
  const { state } = player;
  if (!state.playing || !player.element.isConnected) return;
  const now = performance.now();
  const speed = speedOf(state);
  const { still, skipped } = dueStill(stepsOf(state), speed, state, (now - player.due) / 1000);
  // A beat that is late keeps its whole time; only whole steps catch up.
  player.due = playsBeats(speed) ? now : player.due + skipped * 1000;
  const last = state.scene || stepCount(state);
  const ends = !still || (still.cursor >= last && still.beat === LAST_BEAT);
  if (ends) stopPlaying(player);
  if (still) moveTo(player, still.cursor, still.beat, playsBeats(speed));
  if (!ends) waitForNext(player);
}

/** @param {Player} player @param {number} direction */
export function changeSpeed(player, direction) {
  const at = SPEEDS.indexOf(player.state.speed) + direction;
  if (at >= 0 && at < SPEEDS.length) setSpeed(player, SPEEDS[at]);
}

/** @param {Player} player @param {Speed} speed */
export function setSpeed(player, speed) {
  player.state.speed = speed;
  if (player.state.playing) {
    clearTimeout(player.timer);
    player.due = performance.now();
    waitForNext(player);
  }
  changed(player);
}
