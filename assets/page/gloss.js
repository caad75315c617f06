/* Terms with a line about what they mean: a button that shows the line on a press, by key, or under the pointer, and
   has a screen reader say it. */

import { t } from "./i18n.js";

/**
 * A term of the room `gloss`.
 * @param {string} name
 * @param {string} [words] shown in the page instead of its name
 */
export function term(name, words = t(`gloss.${name}-name`)) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "gloss";
  button.dataset.term = name;
  button.textContent = words;
  button.setAttribute("aria-description", t(`gloss.${name}`));
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    toggle(button);
  });
  button.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && show(button));
  button.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && hide(button));
  button.addEventListener("blur", () => hide(button));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isShown(button)) return;
    event.stopPropagation();
    hide(button);
  });
  return button;
}

/**
 * Makes the terms in an element one tab stop: the up and down keys move between them.
 * @param {HTMLElement} element
 */
export function oneStop(element) {
  /** @returns {HTMLElement[]} */
  const inSight = () => [.../** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("button.gloss"))].filter((each) => each.offsetParent);
  [...element.querySelectorAll("button.gloss")].forEach((each, place) => place && each.setAttribute("tabindex", "-1"));
  element.addEventListener("keydown", (event) => {
    const move = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const all = inSight();
    const at = all.findIndex((each) => each === document.activeElement);
    if (!move || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[Math.max(0, Math.min(all.length - 1, at + move))];
    for (const each of all) each.setAttribute("tabindex", each === next ? "0" : "-1");
    next.focus();
  });
}

/** Turns elements that Python marks with `data-gloss` into terms, now and as they appear. */
export function glossPage() {
  const mark = () => {
    for (const each of document.querySelectorAll("[data-gloss]:not(:has(.gloss))")) {
      if (each instanceof HTMLElement) each.replaceChildren(term(each.dataset.gloss || "", each.textContent.trim()));
    }
  };
  new MutationObserver(mark).observe(document.body, { childList: true, subtree: true });
  mark();
}

/* The line: one note for all terms of a view, above everything */

/** @type {WeakMap<Element, HTMLElement>} */
const notes = new WeakMap();

/** @param {HTMLElement} button */
function noteOf(button) {
  const home = button.closest(".ls-player") || document.body;
  let note = notes.get(home);
  if (!note) {
    note = document.createElement("div");
    note.className = "gloss-note";
    note.popover = "manual";
    note.ariaHidden = "true"; // the button's description says it
    notes.set(home, note);
    home.append(note);
  }
  return note;
}

/** @param {HTMLElement} button */
const isShown = (button) => button.getAttribute("aria-expanded") === "true";

/** @param {HTMLElement} button */
const toggle = (button) => (isShown(button) && button.dataset.kept ? hide(button) : show(button, true));

/** @param {HTMLElement} button @param {boolean} [kept] shown by a press, so that the next one hides it */
function show(button, kept = false) {
  if (kept) button.dataset.kept = "";
  const note = noteOf(button);
  note.textContent = button.getAttribute("aria-description");
  button.setAttribute("aria-expanded", "true");
  if (!note.matches(":popover-open")) note.showPopover();
  const box = button.getBoundingClientRect();
  const { width, height } = note.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  const below = box.bottom + 6 + height <= innerHeight;
  note.style.left = Math.max(8, Math.min(box.left, room - width - 8)) + "px";
  note.style.top = (below ? box.bottom + 6 : Math.max(8, box.top - height - 6)) + "px";
}

/** @param {HTMLElement} button */
function hide(button) {
  if (!isShown(button)) return;
  button.setAttribute("aria-expanded", "false");
  delete button.dataset.kept;
  const note = noteOf(button);
  if (note.matches(":popover-open")) note.hidePopover();
}
