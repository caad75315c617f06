/* Zoom and pan of the content of a scrolling box: the box scrolls, the content's letters grow. */

import { t } from "../page/i18n.js";
import { el, setText } from "./dom.js";

/** @import { Point, Zoom } from "./types.js" */

const ZOOMS = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5, 3];

/**
 * @param {HTMLElement} body the scrolling box
 * @param {HTMLElement} content sized in its own letters
 * @returns {Zoom}
 */
export function createZoom(body, content) {
  const state = { factor: 1, fit: 1 };
  const apply = () => {
    content.style.fontSize = `${state.fit * state.factor}em`;
    level.hidden = state.factor === 1;
    setText(level, t("player.zoom-level", { n: Math.round(state.factor * 100) }));
    out.disabled = state.factor === ZOOMS[0];
    into.disabled = state.factor === ZOOMS[ZOOMS.length - 1];
  };
  /** @param {number} factor @param {Point} [at] the point that stays where it is */
  const zoomTo = (factor, at = { x: 0, y: 0 }) => {
    const before = state.factor;
    state.factor = Math.min(ZOOMS[ZOOMS.length - 1], Math.max(ZOOMS[0], factor));
    const { x, y } = at;
    const left = (body.scrollLeft + x) * (state.factor / before) - x;
    const top = (body.scrollTop + y) * (state.factor / before) - y;
    apply();
    body.scrollTo(left, top);
    body.dispatchEvent(new Event("ls-moved", { bubbles: true })); // so that ties to nodes follow
  };
  /** @param {number} direction */
  const by = (direction) => zoomTo(nextZoom(state.factor, direction));
  const out = zoomButton("−", t("player.zoom-out"), "-", () => by(-1));
  const into = zoomButton("+", t("player.zoom-in"), "+", () => by(1));
  const level = el("button", { type: "button", class: "ls-button ls-zoom-level", title: t("player.zoom-original") });
  level.addEventListener("click", () => zoomTo(1));
  listenToWheel(body, (factor, at) => zoomTo(state.factor * factor, at));
  listenToDrag(body);
  apply();
  return {
    element: el("div", { class: "ls-zoom", role: "group", "aria-label": t("player.zoom") }, out, level, into),
    fit(size) {
      if (state.fit === size) return;
      state.fit = size;
      apply();
    },
    size: () => state.fit * state.factor,
    key({ key }) {
      if (key === "+" || key === "=") by(1);
      else if (key === "-") by(-1);
      else if (key === "0") zoomTo(1);
      else return false;
      return true;
    },
  };
}

/**
 * The nearest of the fixed factors in a direction.
 * @param {number} factor
 * @param {number} direction
 */
export function nextZoom(factor, direction) {
  if (direction > 0) return ZOOMS.find((each) => each > factor + 0.001) || ZOOMS[ZOOMS.length - 1];
  return [...ZOOMS].reverse().find((each) => each < factor - 0.001) || ZOOMS[0];
}

/** @param {string} sign @param {string} label @param {string} key @param {() => void} onClick */
function zoomButton(sign, label, key, onClick) {
  const attributes = { type: "button", class: "ls-button", "aria-label": label, title: `${label} (${key})` };
  const button = el("button", attributes, sign);
  button.addEventListener("click", onClick);
  return button;
}

/**
 * With the control key held the wheel zooms about the pointer, as a pinch on a touchpad does.
 * @param {HTMLElement} body
 * @param {(factor: number, at: Point) => void} onZoom
 */
function listenToWheel(body, onZoom) {
  /** @param {WheelEvent} event */
  const onWheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = body.getBoundingClientRect();
    onZoom(Math.exp(-event.deltaY / 300), { x: event.clientX - box.left, y: event.clientY - box.top });
  };
  body.addEventListener("wheel", onWheel, { passive: false });
}

/**
 * A mouse drags the content along; fingers scroll by themselves.
 * @param {HTMLElement} body
 */
function listenToDrag(body) {
  /** @type {Point | null} where the drag began, in the content */
  let start = null;
  let isDragging = false;
  const drop = () => {
    start = null;
    body.classList.remove("ls-dragged");
  };
  body.addEventListener("pointerdown", (event) => {
    const onBar = event.target === body && event.offsetX > body.clientWidth;
    if (event.pointerType !== "mouse" || event.button !== 0 || onBar) return;
    start = { x: event.clientX + body.scrollLeft, y: event.clientY + body.scrollTop };
    isDragging = false;
  });
  body.addEventListener("pointermove", (event) => {
    if (!start) return;
    if (!event.buttons) return drop(); // released outside the box, which has not captured the pointer yet
    const left = start.x - event.clientX;
    const top = start.y - event.clientY;
    const far = Math.abs(left - body.scrollLeft) + Math.abs(top - body.scrollTop) > 4;
    if (!isDragging && !far) return;
    if (!isDragging) body.setPointerCapture(event.pointerId);
    isDragging = true;
    body.classList.add("ls-dragged");
    body.scrollTo(left, top);
  });
  body.addEventListener("pointerup", drop);
  body.addEventListener("pointercancel", drop);
}
