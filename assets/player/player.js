/* The player: what it shows follows from the trace, the cursor and the beat alone; messages and keys
   change those. */

import { t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { createCache } from "./cache.js";
import { registerCues, tellCue } from "./cues.js";
import { createDetail } from "./detail.js";
import { el, holds } from "./dom.js";
import { createFiles } from "./files.js";
import { createKeysSheet, listenToKeys } from "./keys.js";
import { createLegend } from "./legend.js";
import { createLogitsPanel } from "./logits.js";
import { expectRun, openTrace, receive } from "./messages.js";
import { createCounts } from "./numbers.js";
import { installOrigins } from "./origins.js";
import { createOverview } from "./overview.js";
import { HURRY, IDLE_TEXT, changed, coalesced, paintPlayer } from "./paint.js";
import {
  changeSpeed,
  choose,
  chooseBeat,
  chooseNext,
  chooseNextBeat,
  choosePreviousBeat,
  chooseRejection,
  leaveScene,
  moveTo,
  playScene,
  setSpeed,
  startPlaying,
  stopPlaying,
  toggle,
} from "./playing.js";
import { createScene } from "./scene.js";
import { newState, stepCount } from "./state.js";
import { createStrip } from "./strip.js";
import { createTextPanel } from "./text.js";
import { createTies } from "./ties.js";
import { traceText } from "./trace.js";
import { createTransport } from "./transport.js";
import { createTreePanel } from "./tree.js";
import { createWaiting } from "./waiting.js";

/** @import {
 *   Actions, Part, Player, PlayerApi, PlayerView, Pointed, Settings, Speed, ViewOptions
 * } from "./types.js" */

const TREE_VIEWS = ["tree", "rows", "mask"];

/**
 * A player inside `element`, which takes messages and shows one step at a time.
 * @param {HTMLElement} element an empty element; gets the focus, the keys and the data attributes
 * @param {ViewOptions} [options] a place is the number of a step, counted from 1
 * @returns {PlayerApi}
 */
export function createPlayer(element, options = {}) {
  installOrigins();
  element.setAttribute("aria-label", t("player.label"));
  const picture = { trace: null, step: null, hurried: false, stays: false, at: -HURRY, turn: 0 };
  const player = /** @type {Player} */ ({ element, options, state: newState(), picture });
  const actions = playerActions(player);
  const api = playerApi(player);
  player.open = (text) => {
    if (openTrace(player, text) && options.onOpened) options.onOpened();
  };
  player.view = createView(player, actions);
  player.repaint = coalesced(() => {
    paintPlayer(player);
    if (!options.driven) tellCue(player);
  });
  if (!options.driven) {
    listenToKeys(element, actions);
    leaveLectureWithFocus(player);
    registerCues(player);
  }
  changed(player);
  if (options.initial) receive(player, options.initial);
  return api;
}

/** @param {Player} player */
function playerApi(player) {
  const { state } = player;
  return {
    expect: () => expectRun(player),
    /** @param {string} message */
    receive: (message) => receive(player, message),
    /** @param {string} text */
    open: (text) => openTrace(player, text),
    /** @param {number} cursor */
    show: (cursor) => {
      stopPlaying(player);
      moveTo(player, cursor);
    },
    /** @param {number} beat */
    beat: (beat) => {
      stopPlaying(player);
      moveTo(player, state.cursor, beat);
    },
    /** @param {number} cursor @param {number} beat */
    still: (cursor, beat) => {
      const goesOn = state.cursor === cursor && state.beat + 1 === beat;
      stopPlaying(player);
      moveTo(player, cursor, beat, goesOn);
    },
    /** @param {Pointed | null} pointed */
    point: (pointed) => {
      state.pointed = pointed;
      changed(player);
    },
    /** @param {Partial<Settings>} settings */
    set: (settings) => changeSettings(player, settings),
    play: () => startPlaying(player),
    pause: () => stopPlaying(player),
    snapshot: () => {
      const trace = state.trace || state.before;
      return trace && traceText(trace);
    },
    place: () => {
      const { trace, cursor, beat, follow, scene } = state;
      const place = { run: trace ? trace.run : "", cursor, follow, steps: stepCount(state) };
      return { ...place, ...(beat < LAST_BEAT && { beat }), ...(scene && { scene: true }) };
    },
    about: () => {
      const { prompt = "", method = "", model } = state.trace ? state.trace.header : {};
      return { prompt, method, model: model ? model.id : "" };
    },
  };
}

/** @param {Player} player @param {Actions} actions @returns {PlayerView} */
function createView(player, actions) {
  const on = {
    /** @param {Pointed | null} pointed */
    point(pointed) {
      player.state.pointed = pointed;
      changed(player, true);
    },
    pick: player.options.driven ? () => {} : actions.seek,
    set: actions.set,
  };
  const text = createTextPanel(on);
  const tree = createTreePanel(on);
  const logits = createLogitsPanel(on);
  const panels = { text, tree, logits };
  const transport = createTransport(actions);
  const sheet = createKeysSheet();
  const strip = createStrip(actions.beat);
  const elements = {
    spoken: el("div", { class: "ls-spoken", "aria-live": "polite" }),
    error: el("div", { class: "ls-error", role: "alert", hidden: true }),
    idle: el("div", { class: "ls-idle" }, IDLE_TEXT),
    ...createWaiting(player.options.giveUp),
    panels: el("div", { class: "ls-panels" }, ...Object.values(panels).map((each) => each.element)),
  };
  const overview = createOverview(actions);
  const counts = createCounts();
  const legend = createLegend();
  const files = player.options.driven ? null : createFiles(player);
  const cache = createCache(on);
  const detail = createDetail();
  const ties = createTies(panels);
  const scene = createScene(actions);
  text.element.after(detail.element);
  // The order matters: the sketch of a tree, the text, the detail and the ties measure the page, which makes
  // the browser lay out everything written before.
  const small = [counts, cache, logits, legend, scene, ...(files ? [files] : [])];
  const parts = [tree, overview, strip.number, strip, ...small, text, detail, ties];
  // These are painted in turn while steps rush by, the others every time.
  const turns = [[text], [tree], small, [text], [tree], [strip, detail, ties]];
  const above = player.options.driven ? [] : [transport, overview].map((each) => each.element);
  const words = [elements.error, elements.idle, elements.waiting, strip.element, elements.spoken];
  const after = files ? [scene, cache, counts, files, ties, sheet] : [ties, sheet];
  const below = after.map((each) => each.element);
  const panelled = [legend.element, elements.panels];
  player.element.replaceChildren(el("div", { class: "ls-frame" }, ...above, ...words, ...panelled, ...below));
  return { transport, sheet, strip, ...elements, parts, turns, unseen: unseenOf(parts) };
}

/**
 * The parts that are outside the window, kept up to date.
 * @param {Part[]} parts
 */
function unseenOf(parts) {
  const unseen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) unseen[isIntersecting ? "delete" : "add"](target);
  });
  for (const { element } of parts) observer.observe(element);
  return unseen;
}

/** @param {Player} player */
function playerActions(player) {
  const { state } = player;
  /** @param {number} distance */
  const by = (distance) => () => choose(player, state.cursor + distance);
  return {
    first: () => choose(player, 1),
    last: () => choose(player, stepCount(state)),
    previous: by(-1),
    next: () => chooseNext(player),
    /** @param {number} beat */
    beat: (beat) => chooseBeat(player, beat),
    nextBeat: () => chooseNextBeat(player),
    previousBeat: () => choosePreviousBeat(player),
    back10: by(-10),
    forward10: by(10),
    /** @param {number} cursor */
    seek: (cursor) => choose(player, cursor),
    /** @param {number} cursor */
    drag(cursor) {
      state.dragged = true;
      choose(player, cursor);
    },
    drop() {
      state.dragged = false;
      changed(player, true);
    },
    live: () => choose(player, stepCount(state)),
    toggle: () => toggle(player),
    nextRejection: () => chooseRejection(player, 1),
    previousRejection: () => chooseRejection(player, -1),
    slower: () => changeSpeed(player, -1),
    faster: () => changeSpeed(player, 1),
    /** @param {Speed} speed */
    speed: (speed) => setSpeed(player, speed),
    /** @param {Partial<Settings>} settings */
    set: (settings) => changeSettings(player, settings),
    whitespace: () => changeSettings(player, { whitespace: !state.settings.whitespace }),
    lecture: () => changeSettings(player, { lecture: !state.settings.lecture }),
    nextView: () => changeSettings(player, { treeView: viewAfter(state.settings.treeView) }),
    keys: () => player.view.sheet.toggle(),
    again: () => playScene(player, state.cursor),
    whole: () => leaveScene(player),
    ...(player.options.why ? { why: player.options.why } : {}),
    escape: () => escape(player),
  };
}

/**
 * Changes the display settings: any of {whitespace}, {lecture}, {treeView}.
 * @param {Player} player
 * @param {Partial<Settings>} settings
 */
function changeSettings(player, settings) {
  Object.assign(player.state.settings, settings);
  changed(player, true);
}

/** @param {string} view */
const viewAfter = (view) => TREE_VIEWS[(TREE_VIEWS.indexOf(view) + 1) % TREE_VIEWS.length];

/**
 * Closes the sheet, or else skips the remaining beats, or else leaves the lecture size.
 * @param {Player} player
 */
function escape(player) {
  const { view, state } = player;
  if (view.sheet.isOpen()) view.sheet.hide();
  else if (state.trace && (state.playing || state.beat < LAST_BEAT)) choose(player, state.cursor);
  else changeSettings(player, { lecture: false });
}

/**
 * In lecture size the player covers the window: an element that gets the focus elsewhere must not be under it.
 * @param {Player} player
 */
function leaveLectureWithFocus(player) {
  player.element.addEventListener("focusout", ({ relatedTarget }) => {
    const away = relatedTarget && !holds(player.element, relatedTarget);
    if (away && player.state.settings.lecture) changeSettings(player, { lecture: false });
  });
}
