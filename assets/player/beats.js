/* The beats of a step: the order of stills while a run plays, and the duration of each. */

import { t } from "../page/i18n.js";

/** @import { Speed, Still } from "./types.js" */

export const BY_BEAT_SLOWLY = "beat by beat, slowly";
export const BY_BEAT = "beat by beat";
export const AS_IT_RAN = "as it ran";
export const SPEEDS = [BY_BEAT_SLOWLY, BY_BEAT, 1, 2, 5, 10, 20, 60, AS_IT_RAN];
export const SPEED_AT_START = BY_BEAT;

export const BEATS = ["logits", "draft", "verify", "accept", "commit"].map((beat) => t(`step.beat-${beat}`));
export const FIRST_BEAT = 1;
export const LAST_BEAT = BEATS.length;

// Five beats in just under two seconds; slowly, there is time to read what each of them says.
export const BEAT_SECONDS = 0.39;
const SLOW_BEAT_SECONDS = 3;

// A scene tells one step: the root, its runners-up and then what is copied after them, one sweep, the walk
// from node to node. The last beat stays.
const SCENE_SECONDS = [2, 4, 2, 0, 0];
const WALK_SECONDS = 0.8; // a node
const LONGEST_WALK = 6;

/** @param {Speed} speed */
export const playsBeats = (speed) => speed === BY_BEAT || speed === BY_BEAT_SLOWLY;

/**
 * Seconds that the walk of a scene takes from one accepted node to the next.
 * @param {number} nodes of the accepted path
 */
export const walkSeconds = (nodes) => Math.min(WALK_SECONDS, LONGEST_WALK / nodes);

/**
 * Seconds that a beat of a scene takes.
 * @param {number} beat
 * @param {number} nodes of the accepted path
 */
export function sceneSeconds(beat, nodes) {
  return beat === 4 ? walkSeconds(nodes) * nodes + 0.6 : SCENE_SECONDS[beat - 1];
}

/**
 * The still that follows another: the next beat, or the next step where beats are not played.
 * @param {Still} still
 * @param {number} steps in the run so far
 * @param {Speed} speed one of SPEEDS
 * @returns {Still | null} null after the last
 */
export function stillAfter({ cursor, beat }, steps, speed) {
  if (beat < LAST_BEAT) return { cursor, beat: playsBeats(speed) ? beat + 1 : LAST_BEAT };
  if (cursor >= steps) return null;
  return { cursor: cursor + 1, beat: playsBeats(speed) ? FIRST_BEAT : LAST_BEAT };
}

/**
 * The still one beat earlier; null before the first beat of the first step.
 * @param {Still} still
 */
export function beatBefore({ cursor, beat }) {
  if (beat > FIRST_BEAT) return { cursor, beat: beat - 1 };
  return cursor > 1 ? { cursor: cursor - 1, beat: LAST_BEAT } : null;
}

/**
 * Seconds that a still stays; at the speed of the run, the time of the step after it.
 * @param {{ seconds: number }[]} steps
 * @param {Speed} speed
 * @param {Still} still
 */
export function staySeconds(steps, speed, { cursor }) {
  if (speed === BY_BEAT) return BEAT_SECONDS;
  if (speed === BY_BEAT_SLOWLY) return SLOW_BEAT_SECONDS;
  if (speed === AS_IT_RAN) return cursor < steps.length ? steps[cursor].seconds : 0;
  return 1 / Number(speed);
}

/**
 * The still to show `late` seconds after `still` should have ended. After a slow paint or in a hidden tab
 * whole steps are skipped, beats never.
 * @param {{ seconds: number }[]} steps
 * @param {Speed} speed
 * @param {Still} still
 * @param {number} late
 * @returns {{ still: Still | null, skipped: number }} skipped: seconds left out
 */
export function dueStill(steps, speed, still, late) {
  let next = stillAfter(still, steps.length, speed);
  let skipped = 0;
  while (next && !playsBeats(speed)) {
    const stay = staySeconds(steps, speed, next);
    const after = stillAfter(next, steps.length, speed);
    if (!after || skipped + stay > late) break;
    skipped += stay;
    next = after;
  }
  return { still: next, skipped };
}
