/* What Gradio's components call in the page, as `logitspec.NAME(...)` in their `js`. */

import { keep, recall } from "../present/storage.js";

/** @type {Map<string, string>} by tab, the values of its inputs as the page was served, in JSON */
const served = new Map();
const stored = (/** @type {string} */ tab) => `logitspec.inputs.${tab}`;

/**
 * Keeps the values of a tab's inputs for a reload.
 * @param {string} tab
 * @param {any[]} values
 */
export function keepInputs(tab, values) {
  const first = served.get(tab);
  if (first) keep(stored(tab), { first, values });
}

/**
 * The values of a tab's inputs from before a reload, unless the server now offers others to begin with.
 * @param {string} tab
 * @param {any[]} values as the page was served
 */
export function recallInputs(tab, values) {
  const first = JSON.stringify(values);
  served.set(tab, first);
  const kept = recall(stored(tab));
  return kept && kept.first === first ? kept.values : values;
}

/**
 * Tells the page's views of a press before the server hears of it; passes on the values of the inputs.
 * @param {string} event
 * @param {any[]} values
 */
export function announce(event, values) {
  dispatchEvent(new Event(event));
  return values;
}

/**
 * Shows or hides what a button unfolds, and goes to the first field in it.
 * @param {string} button id
 * @param {string} part id
 */
export function unfold(button, part) {
  const [opener, content] = [button, part].map((id) => document.getElementById(id));
  if (!opener || !content) return;
  const open = content.toggleAttribute("data-open");
  opener.setAttribute("aria-expanded", String(open));
  opener.setAttribute("aria-controls", part);
  /** @type {HTMLElement | null} */
  const field = document.querySelector("#prompt textarea");
  if (open && field) field.focus();
}

/**
 * The values of all methods' options, updated with those of `method`; the page holds them, so that nothing
 * typed is lost, whatever the visitor clicks next.
 * @param {string} method
 * @param {string[]} names of the options
 * @param {any[]} values of the options, and last the JSON of what was set before
 * @returns {string} JSON: options by name, by method
 */
export function keepOptions(method, names, values) {
  const set = JSON.parse(values[names.length]);
  set[method] = Object.fromEntries(names.map((name, place) => [name, values[place]]));
  return JSON.stringify(set);
}
