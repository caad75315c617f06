/* Presenting: from cue to cue by the keys of a clicker, on a stage, in whatever view is in sight. */

import { currentSource, sourceNamed } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { acts } from "./acts.js";
import { elapsed, enterStation, newTimes } from "./clock.js";
import { actionOf } from "./keys.js";
import { createSpeaker } from "./speaker.js";
import { createSpotlight } from "./spotlight.js";
import { createStage } from "./stage.js";
import { stationAt } from "./stations.js";
import { keep, recall } from "./storage.js";
import { STORE, goTo, leave, setBlack, setStage, sourceOf } from "./talk.js";

/** @import { Cue, CueSource, Hall, Presenter, Talk } from "../player/types.js" */

const TICK = 500; // ms
const PATIENCE = 10_000; // ms
const RETURN = 60_000; // ms in which the view of before a reload may come back
const MAX_BETWEEN = 3; // cues from a question to its reveal

/**
 * A presenter for the page, which resumes a presentation after a reload.
 * @param {Hall | null} hall the lecture that others follow; null where there is no server for one
 * @returns {Presenter}
 */
export function createPresenter(hall) {
  const on = (/** @type {string} */ name) => act(talk, name);
  const onKey = (/** @type {KeyboardEvent} */ event) => takeKey(talk, event);
  const stage = createStage(on, hall ? [] : ["hall"]);
  /** @type {Talk} */
  const talk = {
    hall, stage, light: createSpotlight(stage.light), speaker: createSpeaker(onKey, on),
    root: null, view: "", typed: "", black: false, speaking: false, times: newTimes(Date.now()),
    wanted: 0, before: recall(STORE), late: Date.now() + RETURN,
  };
  document.body.append(stage.element);
  if (hall) hall.onChange(() => paint(talk));
  addEventListener("keydown", onKey, { capture: true });
  document.addEventListener("cue", (event) => onCue(talk, event));
  setInterval(() => tick(talk), TICK);
  return { start: () => begin(talk), leave: () => leave(talk), isOn: () => talk.view !== "" };
}

/** Starts with the view in sight, whatever was presented before a reload. @param {Talk} talk */
function begin(talk) {
  talk.before = null;
  return start(talk);
}

/** @param {Talk} talk @param {string} [name] of the view; without it, the one in sight */
function start(talk, name) {
  const found = name ? sourceNamed(name) : null;
  const [root, source] = found ? [found.root, found.source] : currentSource() || [null, null];
  talk.wanted = root && source && source.length() ? 0 : Date.now() + PATIENCE;
  if (!root || !source || source.length() === 0) return false;
  if (talk.root && talk.root !== root) setStage(talk, false);
  if (!talk.view) talk.times = newTimes(Date.now());
  Object.assign(talk, { root, view: source.name, typed: "" });
  setStage(talk, true);
  if (source.at() < 0) source.go(0);
  root.focus({ preventScroll: true });
  paint(talk);
  return true;
}

/** @param {Talk} talk @param {KeyboardEvent} event */
function takeKey(talk, event) {
  const found = talk.view ? actionOf(event, talk.typed) : null;
  if (!found) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (found.typed !== undefined) talk.typed = found.typed;
  act(talk, found.act);
}

/** @param {Talk} talk @param {string} name */
function act(talk, name) {
  const source = sourceOf(talk);
  if (!source) return;
  if (name !== "type") {
    const wasBlack = talk.black;
    if (["next", "back", "first", "last", "jump"].includes(name)) setBlack(talk, false);
    // On a black screen "next" only brings the picture back.
    if (!(wasBlack && name === "next")) acts[name]?.(talk, source);
    talk.typed = "";
  }
  paint(talk);
}

/** @param {Talk} talk @param {Event} event */
function onCue(talk, event) {
  if (talk.before) resume(talk);
  else if (!talk.view && Date.now() < talk.wanted) start(talk);
  // The presented view may have been replaced by another, as when a tab was opened.
  else if (talk.view && talk.root && !talk.root.isConnected && !start(talk, talk.view)) return;
  if (talk.view && event.target === talk.root) paint(talk);
}

/**
 * Resumes the presentation from before a reload, once the view has its cue; not when nobody expects it any more.
 * @param {Talk} talk
 */
function resume(talk) {
  if (Date.now() > talk.late) {
    talk.before = null;
    return keep(STORE, null);
  }
  const { view, cue, times, speaker: wasOpen, black } = talk.before;
  const found = sourceNamed(view);
  if (!found || found.source.length() <= cue || found.root.getClientRects().length === 0) return;
  talk.before = null;
  if (!start(talk, view)) return;
  talk.times = times || talk.times;
  goTo(found.source, cue);
  if (wasOpen) talk.speaking = talk.speaker.open();
  setBlack(talk, Boolean(black));
  paint(talk);
}

/** @param {Talk} talk */
function tick(talk) {
  if (talk.before) return resume(talk);
  if (!talk.view) return;
  if (talk.speaking && !talk.speaker.isOpen()) talk.speaking = false;
  if (talk.speaking) paintSpeaker(talk);
}

/** @param {Talk} talk */
function paint(talk) {
  const { hall, view, times, typed, speaking, black } = talk;
  const source = sourceOf(talk);
  if (!source || source.at() < 0) return;
  const at = source.at();
  const cue = source.describe(at);
  const station = stationAt(source, at);
  enterStation(times, station.name || String(at), Date.now());
  const count = station.last > station.first ? t("present.of", { n: at - station.first + 1, all: station.last - station.first + 1 }) : "";
  talk.stage.paint(cue, {
    station: [station.name || t("present.of", { n: at + 1, all: source.length() }), count].filter(Boolean).join(" · "),
    typed,
    here: hall ? hall.words() : "",
    question: questionAt(source, at),
    counts: hall && cue.kind === "reveal" ? hall.counts() : null,
    spoken: source.name !== "player",
  });
  if (speaking) paintSpeaker(talk);
  keep(STORE, { view, cue: at, times, speaker: speaking, black });
}

/** @param {Talk} talk */
function paintSpeaker(talk) {
  const { hall, times, black } = talk;
  const source = sourceOf(talk);
  if (!source || source.at() < 0) return;
  const at = source.at();
  const cue = source.describe(at);
  const station = stationAt(source, at);
  const question = questionAt(source, at);
  talk.speaker.paint({
    place: `${station.name} · ${t("present.of", { n: at + 1, all: source.length() })}`,
    cue,
    next: at + 1 < source.length() ? source.describe(at + 1) : null,
    answer: cue.answer || (question ? question.answer : ""),
    spent: elapsed(times, Date.now()),
    budget: station.seconds,
    paused: times.paused !== null,
    hall: hall ? hall.words() : "",
    counts: hall ? hall.counts() : null,
    question,
    black,
  });
}

/**
 * The question that is asked or answered at a cue; null where there is none.
 * @param {CueSource} source
 * @param {number} at
 * @returns {Cue | null}
 */
function questionAt(source, at) {
  const asked = questionCueAt(source, at);
  return asked === null ? null : source.describe(asked);
}

/**
 * The index of the cue whose question is asked or answered at a cue; null where there is none.
 * @param {CueSource} source
 * @param {number} at
 */
export function questionCueAt(source, at) {
  const { kind } = source.describe(at);
  if (kind === "question") return at;
  if (kind !== "reveal") return null;
  for (let before = at - 1; before >= Math.max(0, at - MAX_BETWEEN); before -= 1) {
    if (source.describe(before).kind === "question") return before;
  }
  return null;
}
