/* Presenting: from cue to cue by the keys of a clicker, on a stage, in whatever view is in sight. */

import { currentSource, sourceNamed } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { elapsed, enterStation, newTimes, pauseOrGoOn } from "./clock.js";
import { actionOf } from "./keys.js";
import { createSpeaker } from "./speaker.js";
import { createSpotlight } from "./spotlight.js";
import { createStage } from "./stage.js";
import { cueOfStation, stationAt } from "./stations.js";
import { keep, recall } from "./storage.js";

/** @import { Cue, CueSource, Hall, Presenter } from "../player/types.js" */

const STORE = "logitspec.present";
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
  const state = { root: /** @type {HTMLElement | null} */ (null), view: "", typed: "", black: false, speaker: false, times: newTimes(Date.now()) };
  const stage = createStage(act, hall ? [] : ["hall"]);
  const light = createSpotlight(stage.light);
  const speaker = createSpeaker(onKey, act);
  document.body.append(stage.element);
  if (hall) hall.onChange(paint);
  addEventListener("keydown", onKey, { capture: true });
  document.addEventListener("cue", onCue);
  setInterval(tick, TICK);
  /** Until when a press on Present waits for a view that is still to come, in ms. */
  let wanted = 0;
  /** @type {any} what was presented before the reload, until its view is there */
  let before = recall(STORE);
  const late = Date.now() + RETURN;

  function source() {
    const found = state.view ? sourceNamed(state.view) : null;
    return found && found.source;
  }

  /** Starts with the view in sight, whatever was presented before a reload. */
  function begin() {
    before = null;
    return start();
  }

  /** @param {string} [name] of the view; without it, the one in sight */
  function start(name) {
    const found = name ? sourceNamed(name) : null;
    const [root, other] = found ? [found.root, found.source] : currentSource() || [null, null];
    wanted = root && other && other.length() ? 0 : Date.now() + PATIENCE;
    if (!root || !other || other.length() === 0) return false;
    if (state.root && state.root !== root) setStage(false);
    if (!state.view) state.times = newTimes(Date.now());
    Object.assign(state, { root, view: other.name, typed: "" });
    setStage(true);
    if (other.at() < 0) other.go(0);
    root.focus({ preventScroll: true });
    paint();
    return true;
  }

  /** @param {boolean} on */
  function setStage(on) {
    const other = source();
    if (on && state.root) stage.hold(state.root);
    if (!on) stage.release();
    if (other && other.stage) other.stage(on);
  }

  function leave() {
    setStage(false);
    light.set(false);
    setBlack(false);
    speaker.close();
    if (document.fullscreenElement) document.exitFullscreen().catch(() => null);
    Object.assign(state, { view: "", root: null, typed: "", speaker: false });
    keep(STORE, null);
  }

  /** @param {boolean} on */
  function setBlack(on) {
    state.black = on;
    stage.black.hidden = !on;
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const found = state.view ? actionOf(event, state.typed) : null;
    if (!found) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (found.typed !== undefined) state.typed = found.typed;
    act(found.act);
  }

  /** @param {string} name */
  function act(name) {
    const other = source();
    if (!other) return;
    if (name !== "type") {
      const wasBlack = state.black;
      if (["next", "back", "first", "last", "jump"].includes(name)) setBlack(false);
      // On a black screen "next" only brings the picture back.
      if (!(wasBlack && name === "next")) acts[name]?.(other);
      state.typed = "";
    }
    paint();
  }

  /** @type {Record<string, (other: CueSource) => void>} */
  const acts = {
    next: (other) => goTo(other, other.at() + 1),
    back: (other) => goTo(other, other.at() - 1),
    first: (other) => goTo(other, 0),
    last: (other) => goTo(other, other.length() - 1),
    jump(other) {
      const cue = cueOfStation(other, Number(state.typed));
      if (cue !== null) goTo(other, cue);
    },
    black: () => setBlack(!state.black),
    dim: () => light.set(!light.isOn()),
    full() {
      const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
      done.catch(() => null); // a frame may not be allowed full screen
    },
    speaker() {
      if (speaker.isOpen()) speaker.close();
      else speaker.open();
      state.speaker = speaker.isOpen();
    },
    hall: () => hall && hall.toggle(),
    help() {
      stage.help.hidden = !stage.help.hidden;
    },
    pause: () => pauseOrGoOn(state.times, Date.now()),
    restart() {
      state.times = newTimes(Date.now());
    },
    escape() {
      if (state.typed) return;
      if (state.black) setBlack(false);
      else if (!stage.help.hidden) stage.help.hidden = true;
      else if (hall && hall.close()) return;
      else leave();
    },
  };

  /** @param {CueSource} other @param {number} index */
  function goTo(other, index) {
    if (index >= 0 && index < other.length() && index !== other.at()) other.go(index);
  }

  /** @param {Event} event */
  function onCue(event) {
    if (before) resume();
    else if (!state.view && Date.now() < wanted) start();
    // The presented view may have been replaced by another, as when a tab was opened.
    else if (state.view && state.root && !state.root.isConnected && !start(state.view)) return;
    if (state.view && event.target === state.root) paint();
  }

  /** Resumes the presentation from before a reload, once the view has its cue; not when nobody expects it any more. */
  function resume() {
    if (Date.now() > late) {
      before = null;
      return keep(STORE, null);
    }
    const found = sourceNamed(before.view);
    if (!found || found.source.length() <= before.cue || found.root.getClientRects().length === 0) return;
    const { cue, times, speaker: wasOpen, black } = before;
    before = null;
    if (!start(found.source.name)) return;
    state.times = times || state.times;
    goTo(found.source, cue);
    if (wasOpen) state.speaker = speaker.open();
    setBlack(Boolean(black));
    paint();
  }

  function tick() {
    if (before) return resume();
    if (!state.view) return;
    if (state.speaker && !speaker.isOpen()) state.speaker = false;
    if (state.speaker) paintSpeaker();
  }

  function paint() {
    const other = source();
    if (!other || other.at() < 0) return;
    const at = other.at();
    const cue = other.describe(at);
    const station = stationAt(other, at);
    enterStation(state.times, station.name || String(at), Date.now());
    const count = station.last > station.first ? t("present.of", { n: at - station.first + 1, all: station.last - station.first + 1 }) : "";
    stage.paint(cue, {
      station: [station.name || t("present.of", { n: at + 1, all: other.length() }), count].filter(Boolean).join(" · "),
      typed: state.typed,
      here: hall ? hall.words() : "",
      question: questionAt(other, at),
      counts: hall && cue.kind === "reveal" ? hall.counts() : null,
      spoken: other.name !== "player",
    });
    if (state.speaker) paintSpeaker();
    keep(STORE, { view: state.view, cue: at, times: state.times, speaker: state.speaker, black: state.black });
  }

  function paintSpeaker() {
    const other = source();
    if (!other || other.at() < 0) return;
    const at = other.at();
    const cue = other.describe(at);
    const station = stationAt(other, at);
    const question = questionAt(other, at);
    speaker.paint({
      place: `${station.name} · ${t("present.of", { n: at + 1, all: other.length() })}`,
      cue,
      next: at + 1 < other.length() ? other.describe(at + 1) : null,
      answer: cue.answer || (question ? question.answer : ""),
      spent: elapsed(state.times, Date.now()),
      budget: station.seconds,
      paused: state.times.paused !== null,
      hall: hall ? hall.words() : "",
      counts: hall ? hall.counts() : null,
      question,
      black: state.black,
    });
  }

  return { start: begin, leave, isOn: () => state.view !== "" };
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
