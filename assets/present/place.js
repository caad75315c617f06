/* Where a lecturer is, as sent to followers: names and numbers, never a visitor's text. */

import { sourceNamed } from "../page/cues.js";
import { questionCueAt } from "./present.js";

/** @import { CueSource, Place, Question } from "../player/types.js" */

// What logitspec/serving/follow.py lets through.
const WORD = /^[\w:.-]{0,80}$/;
const MAX_CHOICES = 64;

/**
 * @param {CueSource} source
 * @returns {Place}
 */
export function placeOf(source) {
  const cue = Math.max(0, source.at());
  const at = flat(source.place ? source.place() : {});
  const asked = at && source.at() >= 0 ? questionCueAt(source, cue) : null;
  return { view: source.name, cue, at, question: asked === null ? null : questionOf(source, at || {}, asked, asked !== cue) };
}

/**
 * The place; null for one that holds a text, which is not sent.
 * @param {any} at
 */
function flat(at) {
  if (!at) return null;
  const fits = (/** @type {any} */ each) => typeof each !== "string" || WORD.test(each);
  return Object.values(at).every(fits) ? at : null;
}

/**
 * The key tells questions of one lecture apart, including those of other runs at the same cue.
 * @param {CueSource} source
 * @param {any} at
 * @param {number} cue
 * @param {boolean} revealed
 * @returns {Question | null}
 */
function questionOf(source, at, cue, revealed) {
  const { choices = [], values } = source.describe(cue);
  const key = keyIn(source, at, cue);
  if (values) return { key, least: values.least, most: values.most, whole: values.whole, revealed };
  return choices.length && choices.length <= MAX_CHOICES ? { key, choices: choices.length, revealed } : null;
}

/** @param {CueSource} source @param {any} at @param {number} cue */
function keyIn(source, at, cue) {
  const names = Object.values(at).filter((each) => typeof each === "string");
  return [source.name, ...names, cue].join(":").slice(0, 80);
}

/**
 * The key of the question at a cue of what a view shows now.
 * @param {CueSource} source
 * @param {number} cue
 */
export const keyOf = (source, cue) => keyIn(source, (source.place && source.place()) || {}, cue);

/**
 * Goes to a place in this page; false where that is not possible.
 * @param {Place} place
 */
export async function showPlace({ view, cue, at }) {
  const found = sourceNamed(view);
  if (!found || !at) return false;
  const { source } = found;
  if (source.show && !(await source.show(at))) return false;
  if (cue >= source.length()) return false;
  if (source.at() !== cue) source.go(cue);
  return true;
}
