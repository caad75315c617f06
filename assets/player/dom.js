/* Building elements. Text goes in as text nodes and attributes only: tokens may hold any markup. */

import { term } from "../page/gloss.js";

/** @import { Attributes, Panel } from "./types.js" */

const SVG_SPACE = "http://www.w3.org/2000/svg";

/** @type {Record<string, string>} */
const ICONS = {
  first: "M5 5h2v14H5zM19 5v14L8 12z",
  previous: "M17 5v14L6 12z",
  play: "M7 4v16l13-8z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  next: "M7 5v14l11-7z",
  last: "M17 5h2v14h-2zM5 5v14l11-7z",
  previousBeat: "M15 6v12L6.5 12zM17 10.5h3v3h-3z",
  nextBeat: "M9 6v12l8.5-6zM4 10.5h3v3H4z",
  previousRejection: "M11 5v14L2 12zM14 8.4 15.4 7 18 9.6 20.6 7 22 8.4 19.4 11 22 13.6 20.6 15 18 12.4 15.4 15 14 13.6 16.6 11z",
  nextRejection: "M13 5v14l9-7zM2 8.4 3.4 7 6 9.6 8.6 7 10 8.4 7.4 11 10 13.6 8.6 15 6 12.4 3.4 15 2 13.6 4.6 11z",
  whitespace: "M4 9h2v5h12V9h2v7H4z",
  lecture: "M2 19 7.2 5h2.4l5.2 14h-2.5l-1.2-3.4H5.7L4.5 19zM6.4 13.5h4L8.4 7.6zM17 8h2v3h3v2h-3v3h-2v-3h-3v-2h3z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z",
};

/**
 * An element with attributes and children; strings become text nodes, null children are left out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes] true sets an empty attribute; false, null and undefined set none
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function el(name, attributes, ...children) {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * The same for an SVG element.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG_SPACE, name);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * @param {Element} element
 * @param {Attributes} [attributes]
 */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * Sets the text only when it differs, to avoid a needless layout.
 * @param {Node} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Sets only attributes that differ, because every write makes the browser match style rules again.
 * @param {HTMLElement} element
 * @param {string} name
 * @param {string | number | boolean | null} value null removes it
 */
export function setData(element, name, value) {
  if (value === null) delete element.dataset[name];
  else if (element.dataset[name] !== String(value)) element.dataset[name] = String(value);
}

/**
 * The nearest element around an event's target that matches a selector.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function nearest({ target }, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/**
 * Children that are known to be HTML.
 * @param {Element} parent
 * @returns {HTMLElement[]}
 */
export const childrenOf = (parent) => /** @type {HTMLElement[]} */ ([...parent.children]);

/**
 * Whether an event's target, which may be null, is inside an element.
 * @param {Element} element
 * @param {EventTarget | null} other
 */
export const holds = (element, other) => other instanceof Node && element.contains(other);

/** -1 for the up key, 1 for the down key, 0 for any other. @param {KeyboardEvent} event */
export function caretMove({ key, ctrlKey, altKey, metaKey }) {
  if (ctrlKey || altKey || metaKey) return 0;
  return key === "ArrowUp" ? -1 : key === "ArrowDown" ? 1 : 0;
}

/** @param {string} name */
export function icon(name) {
  const attributes = { viewBox: "0 0 24 24", "aria-hidden": "true", class: "ls-icon" };
  return svg("svg", attributes, svg("path", { d: ICONS[name] }));
}

/**
 * A titled panel: `body` is where its content goes.
 * @param {string} kind
 * @param {string} title
 * @param {string} [gloss] the term of the title
 * @returns {Panel}
 */
export function panel(kind, title, gloss = "") {
  const body = el("div", { class: "ls-panel-body ls-" + kind });
  const noted = el("span", { class: "ls-note" });
  const head = el("div", { class: "ls-panel-head" }, el("span", { class: "ls-title" }, gloss ? term(gloss, title) : title), noted);
  const attributes = { class: "ls-panel ls-panel-" + kind, role: "region", "aria-label": title };
  return { element: el("div", attributes, head, body), body, note: noted };
}
