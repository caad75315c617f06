/* The cues of a run: the beats of its steps. Before the fourth beat comes a question: how many drafts survive? */

import { announceCue, register } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { BEATS, LAST_BEAT } from "./beats.js";
import { receive } from "./messages.js";
import { changed } from "./paint.js";
import { choose } from "./playing.js";
import { beatWords } from "./sentence.js";
import { shownState, stepCount } from "./state.js";
import { outcome } from "./trace.js";

/** @import { Cue, Player, PlayerState, Trace } from "./types.js" */

const SECONDS = [10, 15, 20, 15, 10]; // by beat
const QUESTION = 3; // the beat that asks
const MAX_CHOICES = 8;

/**
 * Registers the player's beats as cues.
 * @param {Player} player
 */
export function registerCues(player) {
  register(player.element, {
    name: "player",
    length: () => stepCount(shownState(player.state)) * BEATS.length,
    at: () => cueAt(shownState(player.state)),
    go(index) {
      const [number, beat] = stillOf(index);
      choose(player, number, beat, index === cueAt(player.state) + 1);
    },
    describe: (index) => describe(shownState(player.state), index),
    place: () => place(shownState(player.state)),
    show: (at) => show(player, at),
    stage(on) {
      player.state.settings.stage = on;
      changed(player, true);
    },
  });
}

/**
 * The run, but only a recorded one, which every page has.
 * @param {PlayerState} state
 */
function place({ trace }) {
  return trace && trace.header.recorded && trace.run ? { run: trace.run } : null;
}

/** @param {Player} player @param {any} at */
async function show(player, at) {
  const { options, state } = player;
  if (!at || typeof at.run !== "string") return false;
  if (state.trace && state.trace.run === at.run) return true;
  const reply = options.repair ? await Promise.resolve(options.repair(at.run, 0)).catch(() => null) : null;
  if (!reply) return false;
  receive(player, reply);
  return state.trace !== null && state.trace.run === at.run;
}

/** @param {number} index */
const stillOf = (index) => [Math.floor(index / BEATS.length) + 1, (index % BEATS.length) + 1];

/** @param {PlayerState} state */
const cueAt = (state) => (stepCount(state) && state.cursor ? (state.cursor - 1) * BEATS.length + state.beat - 1 : -1);

/**
 * @param {PlayerState} state
 * @param {number} index
 * @returns {Cue}
 */
function describe({ trace }, index) {
  const [number, beat] = stillOf(index);
  if (!trace || !trace.steps[number - 1]) return { title: "", kind: "step", notes: "", answer: "", seconds: 0 };
  const { headline, sentence } = beatWords(trace, number, beat);
  const about = { title: headline, notes: sentence, answer: "", seconds: SECONDS[beat - 1], station: t("player.cue-station", { number }) };
  if (beat === QUESTION && trace.steps[number - 1].drafted) return { ...about, kind: "question", ...question(trace, number) };
  if (beat === QUESTION + 1) return { ...about, kind: "reveal" };
  return { ...about, kind: beat === LAST_BEAT ? "sentence" : "step" };
}

/** @param {Trace} trace @param {number} number */
function question(trace, number) {
  const { drafted, accepted } = outcome(trace.steps[number - 1]);
  const most = Math.min(drafted, MAX_CHOICES - 1);
  const choices = Array.from({ length: most + 1 }, (_, count) => String(count) + (count === most && most < drafted ? "+" : ""));
  return {
    question: t("player.cue-question", { n: drafted }),
    choices,
    right: Math.min(accepted, most),
    answer: t("player.cue-answer", { accepted, drafted }),
  };
}

/**
 * Announces that the player is at another cue, if it is.
 * @param {Player} player
 */
export function tellCue(player) {
  const state = shownState(player.state);
  const cue = [state.trace ? state.trace.run : "", cueAt(state), stepCount(state)].join(" ");
  if (cue === player.cue) return;
  player.cue = cue;
  announceCue(player.element);
}
