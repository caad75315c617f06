/* Painting: with the next frame, the attributes last, so that they never run ahead of what is shown. */

import { LAST_BEAT } from "./beats.js";
import { setData, setText } from "./dom.js";
import { stateName, stepCount } from "./state.js";
import { visibleTokens } from "./trace.js";
import { FINISH_TITLES } from "./words.js";

const PAINT_DEADLINE = 120; // ms
const TURN = 40; // ms; what was left out of a hurried picture comes after that, if the step is still there
export const HURRY = 100; // ms; below that a step can be seen, but its small print not be read
const EXPECTING_TEXT = "Starting: the first step will appear here in a moment.";
export const IDLE_TEXT = "No run yet. Write a prompt and press Run: every decoding step will appear here.";

/**
 * A function that paints with the next frame, once for many requests, or `now`. Hidden pages get no
 * frames, so a timer stands in for them.
 */
export function coalesced(paint) {
  let frame = null;
  let timer = null;
  let painting = false;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = null;
    painting = true;
    try {
      paint();
    } finally {
      painting = false;
    }
  };
  return (now) => {
    // A focus that moves while a panel is drawn asks for a paint within the paint: with the next frame.
    if (now && !painting) return run();
    if (frame !== null) return;
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, PAINT_DEADLINE);
  };
}

/** To be called after every change of the state; `now` when the viewer made it and waits for it. */
export function changed(player, now = false) {
  player.repaint(now);
}

function paintAttributes({ element, state, painted }) {
  const { cursor, playing, beat, moving, settings } = state;
  const flag = (on) => (on ? "true" : null);
  const values = {
    steps: stepCount(state),
    cursor,
    state: stateName(state),
    playing,
    beat,
    moving: flag(moving),
    hurried: flag(painted.hurried),
    lecture: flag(settings.lecture),
    whitespace: flag(settings.whitespace),
    treeView: settings.treeView,
  };
  for (const [name, value] of Object.entries(values)) setData(element, name, value);
}

function statusText(state, name) {
  if (name === "idle") return "";
  if (state.expecting) return "Starting";
  if (name === "running") return "Live";
  if (name === "paused") return "Live, looking back";
  if (name === "error") return "Error";
  if (state.trace.header.recorded) return "Recorded: " + state.trace.header.recorded;
  return FINISH_TITLES[state.trace.header.finish] || "Interrupted";
}

/**
 * What every panel is painted from, the same for all of them; nothing in it is theirs to change.
 *
 * trace: null before the first. cursor: steps done, 0 to n; step: the derived step of the cursor, or null.
 * beat: 1 last logits, 2 speculate and retrieve, 3 verify, 4 accept and reject, 5 commit; 5 also for a
 * step at rest. previous: tokens of the text before the step; visible: those shown, the step's own with
 * beat 5. moving: the motion that leads to the beat is on its way. name: idle, running, paused, done or
 * error. pointed: {node}, {position}, {rank} or null. The painter adds `hurried`: this picture stays too
 * short a time for small print.
 */
function frameOf({ state }) {
  const { trace, cursor, beat, playing, moving, pointed, settings } = state;
  const step = cursor ? trace.steps[cursor - 1] : null;
  const previous = trace ? visibleTokens(trace, Math.max(0, cursor - 1)) : 0;
  const visible = step && beat === LAST_BEAT ? visibleTokens(trace, cursor) : previous;
  return {
    trace, cursor, step, beat, previous, visible, name: stateName(state), playing, moving, pointed,
    settings: { ...settings },
  };
}

export function paintPlayer(player) {
  const { view, state } = player;
  const frame = { ...frameOf(player), hurried: hurries(player) };
  showParts(view, state, frame.name);
  view.transport.paint({
    state: frame.name,
    steps: stepCount(state),
    busy: state.playing || frame.name === "running",
    speed: state.speed,
    status: statusText(state, frame.name),
    settings: state.settings,
  });
  for (const each of view.parts) {
    if (!frame.hurried || isDue(player, each)) each.paint(frame);
  }
  speak(player, frame.step);
  paintAttributes(player);
}

/** Whether a part is painted while steps rush by: in sight, and it is its turn, if it has turns. */
function isDue({ view, painted }, part) {
  const waits = !painted.stays && view.turns.some((parts) => parts.includes(part));
  return !view.unseen.has(part.element) && (!waits || view.turns[painted.turn].includes(part));
}

/**
 * Whether steps play, arrive or are dragged by too fast to be read; what was left out comes when one stays.
 */
function hurries(player) {
  const { painted } = player;
  const { trace, cursor, playing, live, follow, dragged } = player.state;
  const step = cursor ? trace.steps[cursor - 1] : null;
  const now = performance.now();
  const other = step !== painted.step;
  const soon = now - painted.at < HURRY;
  // What is dragged begins with a rush; what plays may be slow.
  const rushes = dragged ? other || soon : (playing || (live && follow)) && soon;
  // Of another run all is painted: nothing may be left of the one before.
  const hurried = rushes && trace === painted.trace && (other || painted.hurried);
  const turn = (painted.turn + 1) % player.view.turns.length;
  player.painted = { trace, step, hurried, stays: !other, at: other ? now : painted.at, turn };
  clearTimeout(player.resting);
  if (hurried) player.resting = setTimeout(() => changed(player), other ? TURN : HURRY - TURN);
  return hurried;
}

// Before the panels are painted: what is hidden can't be scrolled.
function showParts(view, state, name) {
  view.idle.hidden = name !== "idle" && !state.expecting;
  setText(view.idle, state.expecting ? EXPECTING_TEXT : IDLE_TEXT);
  view.error.hidden = state.error === null;
  setText(view.error, state.error || "");
  view.panels.hidden = state.trace === null;
}

/** What the viewer asked for is told once, in words. */
function speak({ view, state }, step) {
  if (state.announce) setText(view.spoken, step ? view.strip.words() : "");
  state.announce = false;
}
