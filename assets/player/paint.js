/* Painting: in the next frame, the element's attributes last, so that they never run ahead of the picture. */

import { t } from "../page/i18n.js";
import { translated } from "../page/translated.js";
import { LAST_BEAT } from "./beats.js";
import { paceScene } from "./scene.js";
import { setData, setText } from "./dom.js";
import { shownState, shownStep, stateName, stepCount } from "./state.js";
import { visibleTokens } from "./trace.js";
import { FINISH_TITLES, badgeWords, waitingWords } from "./words.js";

/** @import { Frame, Part, Player, PlayerState, PlayerView, StateName, Step, Timer } from "./types.js" */

const PAINT_DEADLINE = 120; // ms
const TURN = 40; // ms after which the rest of a hurried picture follows, if its step still shows
export const HURRY = 100; // ms; a step that shows for less can be seen, but its small print can't be read
const EXPECTING_TEXT = t("step.expecting");
export const IDLE_TEXT = t("step.idle");

/**
 * A function that paints in the next frame, once for many requests, or immediately with `now`. Hidden pages
 * get no frames, so a timer stands in for them.
 * @param {() => void} paint
 */
export function coalesced(paint) {
  /** @type {number | null} */
  let frame = null;
  /** @type {Timer} */
  let timer;
  let painting = false;
  const run = () => {
    cancelAnimationFrame(frame || 0);
    clearTimeout(timer);
    frame = null;
    painting = true;
    try {
      paint();
    } finally {
      painting = false;
    }
  };
  return (/** @type {boolean | undefined} */ now) => {
    // A focus that moves while a panel is drawn requests a paint within the paint, which waits for the next frame.
    if (now && !painting) return run();
    if (frame !== null) return;
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, PAINT_DEADLINE);
  };
}

/**
 * Paints after a change of the state; `now` for a change by the viewer, who waits for it.
 * @param {Player} player
 * @param {boolean} [now]
 */
export function changed(player, now = false) {
  player.repaint(now);
}

/** @param {Player} player */
function paintAttributes({ element, state, picture }) {
  const { cursor, playing, beat, moving, settings } = state;
  /** @param {boolean} on */
  const flag = (on) => (on ? "true" : null);
  const values = {
    steps: stepCount(state),
    cursor,
    state: stateName(state),
    playing,
    beat,
    moving: flag(moving),
    hurried: flag(picture.hurried),
    lecture: flag(settings.lecture),
    stage: flag(Boolean(settings.stage)),
    whitespace: flag(settings.whitespace),
    treeView: settings.treeView,
  };
  for (const [name, value] of Object.entries(values)) setData(element, name, value);
}

/** @param {PlayerState} state @param {StateName} name */
function statusText(state, name) {
  if (name === "idle") return "";
  if (state.expecting) return t(state.outlook ? "step.status-waiting" : "step.status-starting");
  if (name === "running") return t("step.live");
  if (name === "paused") return t("step.looking-back");
  if (name === "error") return t("step.error");
  const { recorded, finish } = state.trace ? state.trace.header : {};
  if (recorded) return translated(recorded);
  return FINISH_TITLES[finish || ""] || t("step.interrupted");
}

/**
 * @param {PlayerState} state
 * @param {boolean} hurried
 * @returns {Frame}
 */
function frameOf(state, hurried) {
  const { trace, cursor, beat, playing, moving, pointed } = state;
  const scene = state.scene > 0;
  const step = shownStep(state);
  const previous = trace ? visibleTokens(trace, Math.max(0, cursor - 1)) : 0;
  const visible = trace && step && beat === LAST_BEAT ? visibleTokens(trace, cursor) : previous;
  const settings = { ...state.settings };
  const rest = { cursor, beat, previous, visible, name: stateName(state), playing, moving, scene, pointed, settings, hurried };
  return trace ? { trace, step, ...rest } : { trace, step: null, ...rest };
}

/** @param {Player} player */
export function paintPlayer(player) {
  const { view, state } = player;
  const name = stateName(state);
  const frame = frameOf(shownState(state), hurries(player));
  showParts(view, state, name);
  setData(player.element, "scene", frame.scene ? "true" : null); // it affects sizes that panels measure
  paceScene(player.element, frame);
  view.transport.paint({
    state: name,
    steps: stepCount(state),
    busy: state.playing || name === "running",
    speed: state.speed,
    badge: frame.trace ? badgeWords(frame.trace.header) : "",
    status: statusText(state, name),
    settings: state.settings,
  });
  for (const each of view.parts) {
    if (!frame.hurried || isDue(player, each)) each.paint(frame);
  }
  speak(player, frame.step);
  paintAttributes(player);
}

/**
 * Whether a part is painted while steps rush by: if it is in sight and, where it has turns, it is its turn.
 * @param {Player} player
 * @param {Part} part
 */
function isDue({ view, picture }, part) {
  const waits = !picture.stays && view.turns.some((parts) => parts.includes(part));
  return !view.unseen.has(part.element) && (!waits || view.turns[picture.turn].includes(part));
}

/**
 * Whether steps play, arrive or are dragged past too fast to read; what they leave out is painted once one stays.
 * @param {Player} player
 */
function hurries(player) {
  const { picture } = player;
  const { trace, playing, live, follow, dragged } = shownState(player.state);
  const step = shownStep(shownState(player.state));
  const now = performance.now();
  const other = step !== picture.step;
  const soon = now - picture.at < HURRY;
  // Dragging is a rush from its start; playing may be slow.
  const rushes = dragged ? other || soon : (playing || (live && follow)) && soon;
  // Another run repaints every part, so that nothing of the previous one stays.
  const hurried = rushes && trace === picture.trace && (other || picture.hurried);
  const turn = (picture.turn + 1) % player.view.turns.length;
  player.picture = { trace, step, hurried, stays: !other, at: other ? now : picture.at, turn };
  clearTimeout(player.resting);
  if (hurried) player.resting = setTimeout(() => changed(player), other ? TURN : HURRY - TURN);
  return hurried;
}

/**
 * Shows and hides parts before the panels are painted, because a hidden panel can't scroll.
 * @param {PlayerView} view
 * @param {PlayerState} state
 * @param {StateName} name
 */
function showParts(view, state, name) {
  view.idle.hidden = name !== "idle";
  view.waiting.hidden = !state.expecting;
  setText(view.outlook, state.outlook ? waitingWords(state.outlook) : EXPECTING_TEXT);
  view.error.hidden = state.error === null;
  setText(view.error, translated(state.error || ""));
  view.panels.hidden = shownState(state).trace === null;
}

/**
 * Announces the viewer's own change once, in words.
 * @param {Player} player
 * @param {Step | null} step
 */
function speak({ view, state }, step) {
  if (state.announce) setText(view.spoken, step ? view.strip.words() : "");
  state.announce = false;
}
