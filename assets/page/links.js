/* Links to a place: ?run=recorded-20&step=4&beat=2, ?lesson=7&cue=2. A link leads there once; after that, a reload
   returns to the visitor's own place. */

import { keep, recall } from "../present/storage.js";

const PLACES = ["run", "step", "beat", "lesson", "cue"];
const STORE = "logitspec.linked"; // the link that was followed last

/** The kinds of the links that are still to be followed: this module runs once for each load of the page. */
const fresh = new Set(leadsAnew() ? ["run", "lesson"] : []);

/** @param {"run" | "lesson"} kind of a link in the address that nobody has followed yet */
export const isFresh = (kind) => fresh.has(kind) && new URLSearchParams(location.search).has(kind);

/**
 * The same, and from now on it counts as followed.
 * @param {"run" | "lesson"} kind
 */
export function takeLink(kind) {
  const found = isFresh(kind);
  fresh.delete(kind);
  return found;
}

/** Whether the address was opened, or pasted again; not after a reload, nor on the way back to it. */
export function isOpened() {
  const [load] = performance.getEntriesByType("navigation");
  return load instanceof PerformanceNavigationTiming && load.type === "navigate";
}

/** The same, or another link than before: on the way back to a link, the visitor's own place is that of a later one. */
function leadsAnew() {
  if (typeof document === "undefined") return false;
  const place = linkIn(location.search);
  const before = recall(STORE);
  if (place) keep(STORE, place);
  return isOpened() || before !== place;
}

/**
 * The part of an address's query that leads to a place: it stays the same where only the language changes.
 * @param {string} query
 */
function linkIn(query) {
  const asked = new URLSearchParams(query);
  return String(new URLSearchParams(PLACES.flatMap((name) => (asked.has(name) ? [[name, asked.get(name) || ""]] : []))));
}
