/* What a page keeps of a view in the browser, for a reload: its trace, and the place of the viewer. */

import { keepText, recallText } from "../present/storage.js";

/** @import { ViewInPage } from "./types.js" */

const SAVE_EVERY = 2000; // ms
const STEPS_TO_SAVE_OFTEN = 300; // longer traces are stored only when the page closes

/** @param {ViewInPage} page @param {string} name */
const nameOf = ({ about }, name) => `${about.store}.${name}`;

/** @param {ViewInPage} page @param {string} name */
export const read = (page, name) => recallText(nameOf(page, name));

/** @param {ViewInPage} page @param {string} name @param {string} text */
export const save = (page, name, text) => keepText(nameOf(page, name), text);

/** @param {ViewInPage} page */
export function savePlace(page) {
  const place = page.view.place();
  const { begun } = page;
  const isShown = !begun || begun === place.run;
  save(page, "place", JSON.stringify(isShown ? place : { ...place, run: begun, follow: true }));
}

/** @param {ViewInPage} page */
export function saveSoon(page) {
  if (page.saver) return;
  page.saver = setTimeout(() => saveTrace(page, page.view.place().steps <= STEPS_TO_SAVE_OFTEN), SAVE_EVERY);
}

/**
 * @param {ViewInPage} page
 * @param {boolean} whole the trace too, not only the place
 */
export function saveTrace(page, whole) {
  clearTimeout(page.saver);
  page.saver = undefined;
  const { run, steps } = page.view.place();
  if (!page.root.isConnected || !(page.begun || run || steps)) return; // a run from a file may have no name
  if (whole) save(page, "trace", page.view.snapshot() || "");
  savePlace(page);
}
