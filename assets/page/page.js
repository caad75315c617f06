/* The page's scripts: the document's head loads this module, and a tab.js for each tab that has one. */

import { mountRace } from "../compare/gradio.js";
import { mountPlayer } from "../player/gradio.js";
import { announce, keepOptions } from "./calls.js";
import { silenceFooterIcons } from "./footer.js";
import { reopenTab } from "./same_tab.js";

const mounted = [];
const views = [];

/**
 * Has `start` called with (gradio, root) for every component whose markup has an element like `selector`.
 *
 * @param {string} selector
 * @param {function(object, HTMLElement)} start
 */
export function addView(selector, start) {
  views.push([selector, start]);
  for (const gradio of mounted) startIn(gradio, selector, start);
}

/** Starts the views that a component of Gradio holds; `component.js` calls it. */
export function mount(gradio) {
  mounted.push(gradio);
  for (const [selector, start] of views) startIn(gradio, selector, start);
}

function startIn(gradio, selector, start) {
  const root = gradio.element.querySelector(selector);
  if (root) start(gradio, root);
}

globalThis.logitspec = { announce, keepOptions };
addView("[data-logitspec-player]", (gradio, root) => mountPlayer(gradio, root));
addView("[data-logitspec-race]", (gradio, root) => mountRace(gradio, root));
silenceFooterIcons();
reopenTab();
