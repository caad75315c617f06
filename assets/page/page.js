/* The page's scripts: the document's head loads this module, and a tab.js for each tab that has one. */

import { mountRace } from "../compare/gradio.js";
import { mountPlayer } from "../player/gradio.js";
import { offerPresenting } from "../present/app.js";
import { announce, keepInputs, keepOptions, recallInputs, unfold } from "./calls.js";
import { tendDropDowns } from "./drop_downs.js";
import { showAlone } from "./embed.js";
import { tendFooter } from "./footer.js";
import { glossPage } from "./gloss.js";
import { offerLanguages } from "./languages.js";
import { relabelPage } from "./relabel.js";
import { reopenTab } from "./same_tab.js";

/** @import { Gradio, StartView } from "../player/types.js" */

/** @type {Gradio[]} */
const mounted = [];
/** @type {[string, StartView][]} */
const views = [];

/**
 * Calls `start` for every component whose markup has an element that matches `selector`.
 * @param {string} selector
 * @param {StartView} start
 */
export function addView(selector, start) {
  views.push([selector, start]);
  for (const gradio of mounted) startIn(gradio, selector, start);
}

/**
 * Starts the views that a component of Gradio holds; `component.js` calls it.
 * @param {Gradio} gradio
 */
export function mount(gradio) {
  mounted.push(gradio);
  for (const [selector, start] of views) startIn(gradio, selector, start);
}

/** @param {Gradio} gradio @param {string} selector @param {StartView} start */
function startIn(gradio, selector, start) {
  /** @type {HTMLElement | null} */
  const root = gradio.element.querySelector(selector);
  if (root) start(gradio, root);
}

Object.assign(globalThis, { logitspec: { announce, keepInputs, keepOptions, recallInputs, unfold } });
addView("[data-logitspec-player]", mountPlayer);
addView("[data-logitspec-race]", mountRace);
offerLanguages();
offerPresenting();
showAlone();
relabelPage();
glossPage();
tendFooter();
tendDropDowns();
reopenTab();
