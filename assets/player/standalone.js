/* The player of an exported page, and of the one that an MCP client shows, which has no run of its own. */

import { language, t } from "../page/i18n.js";
import { createPresenter } from "../present/present.js";
import { placeInAddress } from "./exported.js";
import { el } from "./dom.js";
import { isFramed, playForClient } from "./mcp.js";
import { createPlayer } from "./player.js";

/** @import { StepPlace } from "./types.js" */

/** Plays the page's run, or stops at the step that the address names, else at the one where it was saved. */
function start() {
  /** @type {HTMLElement | null} */
  const element = document.querySelector("[data-logitspec-player]");
  const trace = document.getElementById("logitspec-trace");
  if (!element || !trace) return;
  document.documentElement.lang = language;
  if (!trace.textContent && isFramed()) {
    playForClient(element);
    return;
  }
  const player = createPlayer(element);
  const goTo = (/** @type {StepPlace} */ { step, beat }) => {
    if (!step) return;
    player.pause();
    player.still(step, beat);
  };
  const presenter = createPresenter(null);
  const begin = el("button", { type: "button", class: "ls-button lp-begin" }, t("present.begin"));
  begin.addEventListener("click", () => presenter.start());
  element.querySelector(".ls-transport")?.append(begin);
  const asked = () => placeInAddress(location.href);
  player.open(trace.textContent);
  const { step = 0, beat = 0 } = trace.dataset;
  goTo(asked().step ? asked() : { step: Number(step), beat: Number(beat) });
  addEventListener("hashchange", () => goTo(asked()));
}

start();
