/* The player: what it shows follows from the trace, the cursor and the beat alone; messages and keys
   change those. */

import { LAST_BEAT, SPEED_AT_START } from "./beats.js";
import { createCache } from "./cache.js";
import { createDetail } from "./detail.js";
import { el } from "./dom.js";
import { createFiles } from "./files.js";
import { createKeysSheet, listenToKeys } from "./keys.js";
import { createLegend } from "./legend.js";
import { createLogitsPanel } from "./logits.js";
import { expectRun, openTrace, receive } from "./messages.js";
import { createCounts } from "./numbers.js";
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
  moveTo,
  setSpeed,
  startPlaying,
  stopPlaying,
  toggle,
} from "./playing.js";
import { stepCount } from "./state.js";
import { createStrip } from "./strip.js";
import { createTextPanel } from "./text.js";
import { createTies } from "./ties.js";
import { traceText } from "./trace.js";
import { createTransport } from "./transport.js";
import { createTreePanel } from "./tree.js";

const TREE_VIEWS = ["tree", "rows", "mask"];

/**
 * A player inside `element`, which takes messages and shows one step at a time.
 * @param {HTMLElement} element an empty element; gets the focus, the keys and the data attributes
 * @param {object} [options]
 * @param {function(string, number): Promise} [options.repair] asks for the steps of a run from a
 *   number (0-based) on; its promise brings a message (string or object) or null
 * @param {function(string, number)} [options.onSelect] told the run and the step (1-based) that the
 *   viewer moved to
 * @param {function()} [options.onTrace] told that steps or a trace arrived
 * @param {string|object} [options.initial] a message to begin with
 * @returns {{expect: function(), receive: function(string|object), open: function(string|object),
 *   show: function(number), beat: function(number), play: function(), pause: function(),
 *   snapshot: function(): (string|null), place: function(): {run: string, cursor: number,
 *   follow: boolean, steps: number}}}
 *   expect: a run was asked for and nothing of it is there yet; open: a trace from a file, which plays from
 *   its start; beat: the still of a beat (1 to 5) of the step shown; snapshot: the trace so far as a
 *   message; place: where the viewer is, `follow` when that is the newest step, and how many there are
 */
export function createPlayer(element, options = {}) {
  const state = {
    trace: null,
    cursor: 0,
    follow: true,
    live: false,
    error: null,
    expecting: false,
    kept: null,
    keptAt: 0,
    playing: false,
    moving: false,
    dragged: false,
    speed: SPEED_AT_START,
    beat: LAST_BEAT,
    settings: { whitespace: false, lecture: false, treeView: "tree" },
    pointed: null,
    announce: false,
    waiting: [],
    retired: new Set(),
  };
  const player = { element, options, state, timer: null, settling: null, resting: null };
  const actions = playerActions(player);
  const api = playerApi(player);
  player.open = api.open;
  player.painted = { trace: null, step: null, hurried: false, stays: false, at: -HURRY, turn: 0 };
  player.view = createView(player, actions);
  player.repaint = coalesced(() => paintPlayer(player));
  listenToKeys(element, actions);
  leaveLectureWithFocus(player);
  changed(player);
  if (options.initial) receive(player, options.initial);
  return api;
}

function playerApi(player) {
  const { state } = player;
  return {
    expect: () => expectRun(player),
    receive: (message) => receive(player, message),
    open: (message) => openTrace(player, message),
    show: (cursor) => {
      stopPlaying(player);
      moveTo(player, cursor);
    },
    beat: (beat) => {
      stopPlaying(player);
      moveTo(player, state.cursor, beat);
    },
    play: () => startPlaying(player),
    pause: () => stopPlaying(player),
    snapshot: () => (state.trace || state.kept ? traceText(state.trace || state.kept) : null),
    place: () => {
      const { trace, cursor, follow } = state;
      return { run: trace ? trace.run : "", cursor, follow, steps: stepCount(state) };
    },
  };
}

function createView(player, actions) {
  const on = {
    point(pointed) {
      player.state.pointed = pointed;
      changed(player, true);
    },
    pick: actions.seek,
    set: actions.set,
  };
  const text = createTextPanel(on);
  const tree = createTreePanel(on);
  const logits = createLogitsPanel(on);
  const panels = { text, tree, logits };
  const view = {
    transport: createTransport(actions),
    sheet: createKeysSheet(),
    strip: createStrip(actions.beat),
    spoken: el("div", { class: "ls-spoken", "aria-live": "polite" }),
    error: el("div", { class: "ls-error", role: "alert", hidden: true }),
    idle: el("div", { class: "ls-idle" }, IDLE_TEXT),
    panels: el("div", { class: "ls-panels" }, ...Object.values(panels).map((each) => each.element)),
  };
  const overview = createOverview(actions);
  const counts = createCounts();
  const legend = createLegend();
  const files = createFiles(player);
  const cache = createCache(on);
  const detail = createDetail(panels);
  const ties = createTies(panels);
  text.element.after(detail.element);
  // Painted in this order: the sketch of a tree, the text, the detail and the ties look at how or where things
  // are, which makes the browser lay out all that was written before.
  const { strip } = view;
  const small = [counts, cache, logits, legend, files];
  view.parts = [tree, overview, strip.number, strip, ...small, text, detail, ties];
  view.unseen = unseenOf(view.parts);
  // Who is painted in turn while steps rush by; the others every time.
  view.turns = [[text], [tree], small, [text], [tree], [strip, detail, ties]];
  const above = [view.transport, overview].map((each) => each.element);
  const words = [view.error, view.idle, strip.element, view.spoken];
  const below = [cache, counts, legend, files, ties, view.sheet].map((each) => each.element);
  player.element.replaceChildren(el("div", { class: "ls-frame" }, ...above, ...words, view.panels, ...below));
  return view;
}

/** The parts that lie outside the window, kept up to date. */
function unseenOf(parts) {
  const unseen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) unseen[isIntersecting ? "delete" : "add"](target);
  });
  for (const { element } of parts) observer.observe(element);
  return unseen;
}

function playerActions(player) {
  const { state } = player;
  const by = (distance) => () => choose(player, state.cursor + distance);
  return {
    first: () => choose(player, 1),
    last: () => choose(player, stepCount(state)),
    previous: by(-1),
    next: () => chooseNext(player),
    beat: (beat) => chooseBeat(player, beat),
    nextBeat: () => chooseNextBeat(player),
    previousBeat: () => choosePreviousBeat(player),
    back10: by(-10),
    forward10: by(10),
    seek: (cursor) => choose(player, cursor),
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
    speed: (speed) => setSpeed(player, speed),
    set: (settings) => changeSettings(player, settings),
    whitespace: () => changeSettings(player, { whitespace: !state.settings.whitespace }),
    lecture: () => changeSettings(player, { lecture: !state.settings.lecture }),
    nextView: () => changeSettings(player, { treeView: viewAfter(state.settings.treeView) }),
    keys: () => player.view.sheet.toggle(),
    escape: () => escape(player),
  };
}

/** How things are shown: {whitespace}, {lecture}, {treeView}, any of them. */
function changeSettings(player, settings) {
  Object.assign(player.state.settings, settings);
  changed(player, true);
}

const viewAfter = (view) => TREE_VIEWS[(TREE_VIEWS.indexOf(view) + 1) % TREE_VIEWS.length];

/** Closes the sheet; else skips the beats that are still to come; else leaves the lecture size. */
function escape(player) {
  const { view, state } = player;
  if (view.sheet.isOpen()) view.sheet.hide();
  else if (state.trace && (state.playing || state.beat < LAST_BEAT)) choose(player, state.cursor);
  else changeSettings(player, { lecture: false });
}

// In lecture size the player covers the window: what gets the focus elsewhere must not lie under it.
function leaveLectureWithFocus(player) {
  player.element.addEventListener("focusout", ({ relatedTarget }) => {
    const away = relatedTarget && !player.element.contains(relatedTarget);
    if (away && player.state.settings.lecture) changeSettings(player, { lecture: false });
  });
}
