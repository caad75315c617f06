/* A lecture's questions in words, for the table of votes: the server has numbers only. */

import { sourceNamed } from "../page/cues.js";
import { keyOf } from "./place.js";
import { saidValues } from "./votes.js";

/** @import { Ballot, Lecture, Place } from "../player/types.js" */

/** Notes the question of a place; false where there is no new one. @param {Lecture} lecture @param {Place} place */
export function noteQuestion({ asked }, { view, question: about }) {
  const found = sourceNamed(view);
  if (!about || about.key in asked || !found) return false;
  const { title, question = title, choices = [], right = -1 } = found.source.describe(cueIn(about.key));
  asked[about.key] = { key: about.key, question, choices, right };
  return true;
}

/**
 * The server's counts with the words of their questions.
 * @param {Lecture} lecture
 * @param {{ question: string, counts: any[] }[]} counted
 * @returns {Ballot[]}
 */
export function inWords({ asked }, counted) {
  const empty = { question: "", choices: [], right: -1 };
  return counted.map(({ question: key, counts }) => ({
    ...(asked[key] || empty),
    ...(typeof counts[0] === "object" ? saidValues(cueOf(key), counts) : { counts }),
    key,
  }));
}

/** @param {string} key of a question */
const cueIn = (key) => Number(key.split(":").pop());

/** The cue of a question, if its view still shows it, or else an empty one. @param {string} key */
function cueOf(key) {
  const [view] = key.split(":");
  const found = sourceNamed(view);
  const cue = cueIn(key);
  const unknown = { title: "", kind: /** @type {const} */ ("question"), notes: "", answer: "", seconds: 0 };
  return found && keyOf(found.source, cue) === key ? found.source.describe(cue) : unknown;
}
