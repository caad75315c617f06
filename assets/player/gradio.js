/* The player as a component of Gradio. */

import { keepInPage } from "./adapter.js";
import { createPlayer } from "./player.js";

/** @import { Gradio, Timer } from "./types.js" */

const STAYS = 100; // ms; Python hears only of steps that the viewer stays at

/**
 * @param {Gradio} gradio
 * @param {HTMLElement} root where the player goes
 */
export function mountPlayer(gradio, root) {
  /** @type {Timer} */
  let timer;
  const player = keepInPage(gradio, root, (options) => createPlayer(root, options), {
    store: "logitspec.player",
    subject: ({ run, finish }) => ({ run, finish }),
    waiting: "logitspec-waiting",
    stop: "logitspec-stop",
    stopButton: "#stop",
    links: true,
    onSelect(run, step) {
      clearTimeout(timer);
      timer = setTimeout(() => gradio.trigger("step_select", { run, step }), STAYS);
    },
  });
  addEventListener("logitspec-open", (event) => event instanceof CustomEvent && player.open(event.detail));
}
