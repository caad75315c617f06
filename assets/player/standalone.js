/* The player of an exported page. */

import { language } from "../page/i18n.js";
import { stepInAddress } from "./exported.js";
import { createPresenter } from "../present/present.js";
import { createPlayer } from "./player.js";

/** Plays the page's run, or stands still at the step that the address names. */
function start() {
  /** @type {HTMLElement | null} */
  const element = document.querySelector("[data-logitspec-player]");
  const trace = document.getElementById("logitspec-trace");
  if (!element || !trace) return;
  document.documentElement.lang = language;
  const player = createPlayer(element);
  const go = () => {
    const step = stepInAddress(location.href);
    if (!step) return;
    player.pause();
    player.show(step);
  };
  createPresenter(null);
  player.open(trace.textContent);
  go();
  addEventListener("hashchange", go);
}

start();
