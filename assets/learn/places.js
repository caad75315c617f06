/* Places in a lesson: the cues of all stations, counted from 0, and after them the unseen step. */

/** @import { Lesson, Station } from "./types.js" */

export const CUES = ["question", "reveal", "sentence"];

/** The place of a cue of a station, both counted from 1. @param {number} station @param {number} cue */
export const placeOf = (station, cue) => (station - 1) * CUES.length + cue - 1;

/** @param {Lesson} lesson */
export const lastCue = ({ stations }) => stations.length * CUES.length;

/** The number of the station, counted from 1. @param {number} at */
export const numberAt = (at) => Math.floor(at / CUES.length) + 1;

/** @param {Lesson} lesson @param {number} at @returns {Station | undefined} */
export const stationAt = ({ stations }, at) => stations[numberAt(at) - 1];

/** The cue of the station, counted from 1. @param {number} at */
export const cueAt = (at) => (at % CUES.length) + 1;
