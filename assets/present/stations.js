/* Stations: successive cues with the same station name, such as the beats of a step, share a budget. */

/** @import { CueSource } from "../player/types.js" */

/**
 * The station that a cue belongs to. A cue without one is a station of its own.
 * @param {CueSource} source
 * @param {number} index
 * @returns {{ name: string, first: number, last: number, seconds: number }} its first and last cue
 */
export function stationAt(source, index) {
  const name = source.describe(index).station || "";
  let [first, last] = [index, index];
  const same = (/** @type {number} */ at) => name !== "" && source.describe(at).station === name;
  while (first > 0 && same(first - 1)) first -= 1;
  while (last + 1 < source.length() && same(last + 1)) last += 1;
  let seconds = 0;
  for (let at = first; at <= last; at += 1) seconds += source.describe(at).seconds;
  return { name, first, last, seconds };
}

/**
 * The first cue of the station with a number, counted from 1; null where there is none.
 * @param {CueSource} source
 * @param {number} number
 */
export function cueOfStation(source, number) {
  let [station, before] = [0, /** @type {string | null} */ (null)];
  for (let at = 0; at < source.length(); at += 1) {
    const name = source.describe(at).station || "";
    if (name === "" || name !== before) station += 1;
    if (station === number) return at;
    before = name;
  }
  return null;
}
