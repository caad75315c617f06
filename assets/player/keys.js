/* Keys: only while the player has the focus, and never where the browser or a field uses them. */

import { t } from "../page/i18n.js";
import { el, holds, icon } from "./dom.js";

/** @import { Actions } from "./types.js" */

const KEYS = [
  "space", "sides", "sides-shift", "dots", "ends", "rejections", "speed", "walk",
  "enter", "zoom", "views", "whitespace", "lecture", "escape", "help",
];

/** @type {Record<string, string>} by key */
const ACTIONS = {
  " ": "toggle",
  ArrowLeft: "previous",
  ArrowRight: "next",
  Home: "first",
  End: "last",
  "[": "slower",
  "]": "faster",
  j: "nextRejection",
  J: "nextRejection",
  k: "previousRejection",
  K: "previousRejection",
  ",": "previousBeat",
  ".": "nextBeat",
  m: "nextView",
  M: "nextView",
  w: "whitespace",
  W: "whitespace",
  l: "lecture",
  L: "lecture",
  "?": "keys",
  Escape: "escape",
};

const BRACKETS = ["[", "]"];

/**
 * @param {HTMLElement} element the player's root
 * @param {Actions} actions by the names in `actionOf`
 */
export function listenToKeys(element, actions) {
  element.addEventListener("keydown", (event) => {
    const name = actionOf(event);
    if (!name) return;
    event.preventDefault();
    actions[name]();
  });
}

/**
 * The name of a key's action; null where it has none.
 * @param {KeyboardEvent} event
 */
export function actionOf(event) {
  if (isShortcut(event) || event.defaultPrevented) return null;
  const { target } = event;
  if (!(target instanceof Element)) return null;
  const range = target.matches("input[type=range]");
  if (!range && target.matches("input, select, textarea, [contenteditable]")) return null;
  if (event.key === " " && target.closest(":is(button, summary)")) return null;
  if (event.shiftKey && event.key === "ArrowLeft") return "back10";
  if (event.shiftKey && event.key === "ArrowRight") return "forward10";
  return ACTIONS[event.key] || null;
}

/**
 * Whether a key is held down with others for the browser. Many keyboards have brackets only with AltGr, which is Ctrl
 * and Alt on Windows, or with Option, which is Alt.
 * @param {KeyboardEvent} event
 */
function isShortcut({ key, ctrlKey, altKey, metaKey }) {
  const writes = altKey && BRACKETS.includes(key);
  return metaKey || (!writes && (ctrlKey || altKey));
}

/** The sheet that lists the keys. */
export function createKeysSheet() {
  const close = el("button", { type: "button", class: "ls-button", "aria-label": t("player.close") }, icon("close"));
  const list = el("dl", { class: "ls-keys" });
  for (const each of KEYS) {
    list.append(el("dt", {}, t(`player.key-${each}`)), el("dd", {}, t(`player.key-${each}-does`)));
  }
  const head = el("div", { class: "ls-panel-head" }, el("span", { class: "ls-title" }, t("player.keys")), close);
  const attributes = { class: "ls-sheet", role: "dialog", "aria-label": t("player.keys"), hidden: true };
  const element = el("div", attributes, head, list);
  /** @type {Element | null} */
  let before = null;
  const hide = () => {
    if (element.hidden) return;
    element.hidden = true;
    if (before instanceof HTMLElement) before.focus();
  };
  const show = () => {
    before = document.activeElement;
    element.hidden = false;
    close.focus();
  };
  close.addEventListener("click", hide);
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !holds(element, event.relatedTarget)) element.hidden = true;
  });
  return { element, hide, isOpen: () => !element.hidden, toggle: () => (element.hidden ? show() : hide()) };
}
