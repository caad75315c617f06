/* The lesson as a source of cues: question, reveal and sentence of each station, and the unseen step at the end. */

import { t } from "../page/i18n.js";
import { CUES, rightOption } from "./progress.js";

/** @import { Cue } from "../player/types.js" */
/** @import { Sayings, Station, Talk } from "./types.js" */

const SHARES = [0.45, 0.4, 0.15]; // of a station's seconds, by cue
const SECONDS = 90; // of a station that does not say

/**
 * A cue for the speaker.
 * @param {Talk} talk
 * @param {number} index
 * @returns {Cue}
 */
export function describeCue({ lesson, say }, index) {
  const place = Math.floor(index / CUES.length);
  const station = lesson.stations[place];
  if (!station) {
    return { title: t("learn.practice_title"), kind: "step", notes: t("learn.practice_story"), answer: "", seconds: SECONDS };
  }
  const cue = index % CUES.length;
  const about = {
    notes: say.plain(station.notes),
    answer: say.right(station),
    seconds: Math.round((station.seconds || SECONDS) * SHARES[cue]),
    station: `${t("learn.station", { n: place + 1 })} ${say.plain(station.title)}`,
  };
  if (cue === 1) return { ...about, title: say.plain(station.reveal), kind: "reveal" };
  if (cue === 2) return { ...about, title: say.plain(station.remember), kind: "sentence" };
  return { ...about, title: say.plain(station.question), kind: "question", ...question(station, say) };
}

/** @param {Station} station @param {Sayings} say */
function question({ question: text, predict }, say) {
  const asked = { question: say.plain(text) };
  if (!predict || predict.kind !== "choice") return asked;
  const choices = (predict.options || []).map((option) => say.plain(option.text));
  return { ...asked, choices, right: rightOption(predict, say.answer(predict)) };
}
