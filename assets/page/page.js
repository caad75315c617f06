/* The page's scripts: whatever runs in the app is imported here. The document's head loads this module. */

import { mountRace } from "../compare/gradio.js";
import { mountPlayer } from "../player/gradio.js";

/** Starts the view that a component of Gradio holds; `component.js` calls it. */
export function mount(gradio) {
  const player = gradio.element.querySelector("[data-logitspec-player]");
  const race = gradio.element.querySelector("[data-logitspec-race]");
  if (player) mountPlayer(gradio, player);
  if (race) mountRace(gradio, race);
}
