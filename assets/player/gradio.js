/* The player as a component of Gradio. */

import { keepInPage } from "./adapter.js";
import { createPlayer } from "./player.js";

/** @import { Gradio, PlayerApi, Timer } from "./types.js" */

const STAYS = 100; // ms; Python hears only of steps that the viewer stays at

/**
 * @param {Gradio} gradio
 * @param {HTMLElement} root where the player goes
 */
export function mountPlayer(gradio, root) {
  /** @type {Timer} */
  let timer;
  /** @type {PlayerApi} */
  let player;
  keepInPage(gradio, root, (options) => (player = createPlayer(root, options)), {
    store: "logitspec.player",
    subject: ({ run, finish }) => ({ run, finish }),
    waiting: "logitspec-waiting",
    stop: "logitspec-stop",
    stopButton: "#stop",
    links: true,
    why: openWhy,
    onOpened: () => gradio.trigger("opened", player.about()),
    onSelect(run, step) {
      clearTimeout(timer);
      timer = setTimeout(() => gradio.trigger("step_select", { run, step }), STAYS);
    },
  });
  addEventListener("logitspec-open", (event) => {
    if (!(event instanceof CustomEvent)) return;
    player.open(event.detail);
    gradio.trigger("opened", player.about());
  });
}

/** Opens the tab that answers why a step brought several tokens: the lesson, else the evidence. */
function openWhy() {
  for (const tab of ["learn", "why"]) {
    /** @type {HTMLElement | null} */
    const button = document.querySelector(`[role="tab"][data-tab-id="${tab}"]`);
    if (button) return button.click();
  }
}
