/* The player of an exported page. */

import { stepInAddress } from "./exported.js";
import { createPlayer } from "./player.js";

/** Plays the page's run, or stands still at the step that the address names. */
function start() {
  const player = createPlayer(document.querySelector("[data-logitspec-player]"));
  const go = () => {
    const step = stepInAddress(location.href);
    if (!step) return;
    player.pause();
    player.show(step);
  };
  player.open(document.getElementById("logitspec-trace").textContent);
  go();
  addEventListener("hashchange", go);
}

start();
