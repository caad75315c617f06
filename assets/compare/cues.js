/* The cues of a race: which lane needs the fewest passes, which is the fastest, and whether all wrote the same. */

import { announceCue, register } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { SAME_TIME, places, raceEnd, spentInAll } from "./clock.js";
import { receiveRace } from "./messages.js";
import { showPlace } from "./moves.js";
import { arrivalWords, momentWords, standWords, verdictWords } from "./words.js";

/** @import { Clock, Cue, Race, RaceState, RaceView } from "../player/types.js" */

/** Clock, share of the way, kind and seconds of each. */
/** @type {[Clock, number, Cue["kind"], number][]} */
const CUES = [
  ["forwards", 0, "question", 40],
  ["forwards", 0.5, "step", 20],
  ["forwards", 1, "reveal", 30],
  ["time", 0, "question", 30],
  ["time", 1, "reveal", 40],
  ["time", 1, "sentence", 20],
];

/** @param {RaceView} view */
export function registerRace(view) {
  const { state, element } = view;
  /** The cue most recently gone to: two cues show the same moment. */
  let gone = 0;
  register(element, {
    name: "race",
    length: () => (state.race ? CUES.length : 0),
    at: () => (state.race ? cueAt(state, state.race, gone) : -1),
    go(index) {
      if (!state.race) return;
      gone = index;
      const [clock, share] = CUES[index];
      showPlace(view, { at: momentOf(state.race, index), clock, follow: share === 1 });
      state.announcement = standWords(state.race, state.at, clock);
      view.repaint(true);
      announceCue(element);
    },
    describe: (index) => describe(state.race, index),
    place: () => (state.race && state.race.recorded ? { race: state.race.name } : null),
    show: (at) => showRace(view, at),
  });
}

/** @param {Race} race @param {number} index */
const momentOf = (race, index) => CUES[index][1] * raceEnd(race, CUES[index][0]);

/**
 * The cue at the moment shown, or else the last one before it.
 * @param {RaceState} state
 * @param {Race} race
 * @param {number} gone
 */
function cueAt(state, race, gone) {
  const reached = CUES.flatMap(([clock], index) =>
    clock === state.clock && momentOf(race, index) <= state.at + SAME_TIME ? [index] : [],
  );
  const latest = reached[reached.length - 1] ?? 0;
  return reached.includes(gone) && momentOf(race, gone) === momentOf(race, latest) ? gone : latest === CUES.length - 1 ? latest - 1 : latest;
}

/** @param {Race | null} race @param {number} index @returns {Cue} */
function describe(race, index) {
  const [clock, , kind, seconds] = CUES[index];
  const about = { kind, seconds, title: "", notes: "", answer: "", station: t(`compare.clock-${clock}`) };
  if (!race) return about;
  if (kind === "question") return { ...about, ...question(race, clock) };
  if (kind === "step") return { ...about, title: standWords(race, momentOf(race, index), clock) };
  if (kind === "reveal") return { ...about, title: arrivalWords(race, clock), notes: verdictWords(race) };
  return { ...about, title: verdictWords(race), notes: arrivalWords(race, clock) };
}

/** @param {Race} race @param {Clock} clock */
function question(race, clock) {
  const ranks = places(race, clock);
  const first = race.lanes.filter((_, lane) => ranks[lane] === 1);
  const right = ranks.flatMap((rank, lane) => (rank === 1 ? [lane] : []));
  const words = t(clock === "time" ? "present.race-fastest" : "present.race-fewest");
  const parts = first.length ? [...first.map(({ title }) => title), momentWords(spentInAll(first[0].trace, clock), clock)] : [];
  return { title: words, question: words, answer: parts.join(t("compare.comma")), choices: race.lanes.map(({ title }) => title), right };
}

/** @param {RaceView} view @param {any} at */
async function showRace(view, at) {
  const { state, options } = view;
  if (!at || typeof at.race !== "string") return false;
  if (state.race && state.race.name === at.race) return true;
  const reply = options.repair ? await Promise.resolve(options.repair(at.race, 0)).catch(() => null) : null;
  if (!reply) return false;
  receiveRace(view, reply);
  return state.race !== null && state.race.name === at.race;
}
