/* Places in a lesson: the cues of all stations, counted from 0, and after them the unseen step. */

import { CUES } from "./progress.js";

/** @import { Lesson, Station } from "./types.js" */

/** @param {Lesson} lesson */
export const lastCue = ({ stations }) => stations.length * CUES.length;

/** The number of the station, counted from 1. @param {number} at */
export const numberAt = (at) => Math.floor(at / CUES.length) + 1;

/** @param {Lesson} lesson @param {number} at @returns {Station | undefined} */
export const stationAt = ({ stations }, at) => stations[numberAt(at) - 1];

/** The cue of the station, counted from 1. @param {number} at */
export const cueAt = (at) => (at % CUES.length) + 1;
