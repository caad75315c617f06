/* The player: what it shows follows from the trace and the cursor alone; messages and keys change those. */

const IDLE_TEXT = "No run yet. Write a prompt and press Run: every decoding step will appear here.";
const EXPECTING_TEXT = "Starting: the first step will appear here in a moment.";
const PAINT_DEADLINE = 120;

/**
 * A player inside `element`, which takes messages and shows one step at a time.
 * @param {HTMLElement} element an empty element; gets the focus, the keys and the data attributes
 * @param {object} [options]
 * @param {function(string, number): Promise} [options.repair] asks for the steps of a run from a
 *   number (0-based) on; its promise brings a message (string or object) or null
 * @param {function(string, number)} [options.onSelect] told the run and the step (1-based) that the
 *   viewer moved to
 * @param {function()} [options.onTrace] told that steps or a trace arrived
 * @returns {{expect: function(), receive: function(string|object), show: function(number), play: function(),
 *   pause: function(), snapshot: function(): (string|null),
 *   place: function(): {run: string, cursor: number, follow: boolean}}} expect: a run was
 *   asked for and nothing of it is there yet; snapshot: the trace so far as a message; place: where the viewer is, `follow` when that is the newest step
 */
function createPlayer(element, options = {}) {
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
    speed: SPEED_AT_START,
    beat: LAST_BEAT,
    settings: { whitespace: false, lecture: false, treeView: "tree" },
    pointed: null,
    announce: false,
    waiting: [],
    retired: new Set(),
  };
  const player = { element, options, state, timer: null };
  const actions = playerActions(player);
  const api = playerApi(player);
  player.view = createView(player, actions, api);
  player.repaint = coalesced(() => paintPlayer(player));
  listenToKeys(element, actions);
  changed(player);
  return api;
}

function playerApi(player) {
  const { state } = player;
  return {
    expect: () => expectRun(player),
    receive: (message) => receive(player, message),
    show: (cursor) => moveTo(player, cursor),
    play: () => startPlaying(player),
    pause: () => stopPlaying(player),
    snapshot: () => (state.trace || state.kept ? traceText(state.trace || state.kept) : null),
    place: () => ({ run: state.trace ? state.trace.run : "", cursor: state.cursor, follow: state.follow }),
  };
}

function createView(player, actions, api) {
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
    summary: el("div", { class: "ls-summary" }),
    spoken: el("div", { class: "ls-spoken", "aria-live": "polite" }),
    error: el("div", { class: "ls-error", role: "alert", hidden: true }),
    idle: el("div", { class: "ls-idle" }, IDLE_TEXT),
    panels: el("div", { class: "ls-panels" }, ...Object.values(panels).map((each) => each.element)),
  };
  const overview = createOverview(actions.seek);
  const counts = createCounts();
  const legend = createLegend();
  const files = createFiles(api, player.options);
  const detail = createDetail(panels);
  const ties = createTies(panels);
  // Painted in this order: the detail and the ties look at where the panels have put things.
  view.parts = [overview, counts, legend, files, text, tree, logits, detail, ties];
  tree.element.append(detail.element);
  const above = [view.transport, files, overview, counts].map((each) => each.element);
  const words = [view.error, view.idle, view.summary, view.spoken, legend.element];
  player.element.replaceChildren(
    el("div", { class: "ls-frame" }, ...above, ...words, view.panels, ties.element, view.sheet.element),
  );
  return view;
}

function playerActions(player) {
  const { state } = player;
  const by = (distance) => () => choose(player, state.cursor + distance);
  return {
    first: () => choose(player, 1),
    last: () => choose(player, stepCount(state)),
    previous: by(-1),
    next: by(1),
    back10: by(-10),
    forward10: by(10),
    seek: (cursor) => choose(player, cursor),
    live: () => choose(player, stepCount(state)),
    toggle: () => toggle(player),
    nextRejection: () => chooseRejection(player, 1),
    previousRejection: () => chooseRejection(player, -1),
    slower: () => changeSpeed(player, -1),
    faster: () => changeSpeed(player, 1),
    speed: (speed) => setSpeed(player, speed),
    set: (settings) => changeSettings(player, settings),
    keys: () => player.view.sheet.toggle(),
    closeKeys: () => player.view.sheet.hide(),
  };
}

/** How things are shown: {whitespace}, {lecture}, {treeView}, any of them. */
function changeSettings(player, settings) {
  Object.assign(player.state.settings, settings);
  changed(player, true);
}

const stepCount = (state) => (state.trace ? state.trace.steps.length : 0);

function stateName({ error, expecting, trace, live, follow, playing }) {
  if (error !== null) return "error";
  if (expecting) return "running";
  if (!trace) return "idle";
  if (!live) return "done";
  return follow && !playing ? "running" : "paused";
}

/** The viewer goes to a step: playing ends, and the newest step of a live run is followed again. */
function choose(player, cursor) {
  stopPlaying(player);
  player.state.announce = true;
  if (player.state.trace) player.state.error = player.state.trace.header.error || null;
  moveTo(player, cursor);
  changed(player, true);
  const { onSelect } = player.options;
  if (onSelect && player.state.trace) onSelect(player.state.trace.run, player.state.cursor);
}

function chooseRejection(player, direction) {
  const { trace, cursor } = player.state;
  for (let at = cursor + direction; at >= 1 && at <= stepCount(player.state); at += direction) {
    if (isRejection(trace.steps[at - 1])) return choose(player, at);
  }
}

function moveTo(player, cursor) {
  const { state } = player;
  const steps = stepCount(state);
  const least = Math.min(1, steps);
  state.cursor = Math.max(least, Math.min(steps, Math.round(cursor)));
  state.follow = state.cursor === steps;
  state.pointed = null;
  changed(player);
}

function toggle(player) {
  const { state } = player;
  if (state.playing) stopPlaying(player);
  else if (state.live && state.follow) state.follow = false;
  else startPlaying(player);
  changed(player, true);
}

function startPlaying(player) {
  const { state } = player;
  if (state.playing || stepCount(state) === 0) return;
  if (state.cursor >= stepCount(state)) {
    if (state.live) return moveTo(player, state.cursor);
    moveTo(player, 1);
  }
  state.playing = true;
  player.due = performance.now();
  changed(player);
  waitForNext(player);
}

function stopPlaying(player) {
  clearTimeout(player.timer);
  player.state.playing = false;
  changed(player);
}

/** Seconds that the step at the cursor stays before the next one shows. */
function stay({ speed, trace, cursor }) {
  return typeof speed === "number" ? 1 / speed : trace.steps[cursor].seconds;
}

function waitForNext(player) {
  player.due += stay(player.state) * 1000;
  player.timer = setTimeout(() => playOn(player), Math.max(0, player.due - performance.now()));
}

// A late timer (a slow paint, a hidden tab) shows the step that is due by now, not one after another.
function playOn(player) {
  const { state } = player;
  if (!state.playing || !player.element.isConnected) return;
  let cursor = state.cursor + 1;
  const now = performance.now();
  while (cursor < stepCount(state) && player.due + stay({ ...state, cursor }) * 1000 <= now) {
    player.due += stay({ ...state, cursor }) * 1000;
    cursor += 1;
  }
  moveTo(player, cursor);
  if (state.cursor >= stepCount(state)) stopPlaying(player);
  else waitForNext(player);
}

function changeSpeed(player, direction) {
  const at = SPEEDS.indexOf(player.state.speed) + direction;
  if (at >= 0 && at < SPEEDS.length) setSpeed(player, SPEEDS[at]);
}

function setSpeed(player, speed) {
  player.state.speed = speed;
  if (player.state.playing) {
    clearTimeout(player.timer);
    player.due = performance.now();
    waitForNext(player);
  }
  changed(player);
}
