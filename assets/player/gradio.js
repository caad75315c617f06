/* The player as a component of Gradio. */

import { keepInPage } from "./adapter.js";
import { createPlayer } from "./player.js";

const TELL = 100; // ms that a step stays before Python hears of it

/**
 * @param {object} gradio what a script of gr.HTML is given
 * @param {HTMLElement} root where the player goes
 */
export function mountPlayer(gradio, root) {
  let teller = null;
  const player = keepInPage(gradio, root, (options) => createPlayer(root, options), {
    store: "logitspec.player",
    told: ({ run, finish }) => ({ run, finish }),
    waiting: "logitspec-waiting",
    stop: "logitspec-stop",
    links: true,
    onSelect(run, step) {
      clearTimeout(teller);
      teller = setTimeout(() => gradio.trigger("step_select", { run, step }), TELL);
    },
  });
  addEventListener("logitspec-open", ({ detail }) => player.open(detail));
}
