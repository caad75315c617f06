/* The lesson as a standalone page: runs are in the page, predictions in the browser if it lets a local file store them. */

import { language, t } from "../page/i18n.js";
import { isOpened } from "../page/links.js";
import { el } from "../player/dom.js";
import { placeInAddress } from "../player/exported.js";
import { unpacked } from "../player/unpack.js";
import { createPresenter } from "../present/present.js";
import { storage } from "../present/storage.js";
import { createLesson } from "./lesson.js";
import { CUES, placeOf } from "./places.js";

/** @import { StepPlace } from "../player/types.js" */

/** Begins at the cue in the address, else the one that the page was saved for; after a reload, where the visitor was. */
function start() {
  /** @type {HTMLElement | null} */
  const element = document.querySelector("[data-logitspec-lesson]");
  const data = document.getElementById("logitspec-trace");
  if (!element || !data) return;
  document.documentElement.lang = language;
  const { lesson, runs } = JSON.parse(data.textContent);
  const { step = 0, beat = 1 } = asked().step ? asked() : data.dataset;
  const store = storage("localStorage");
  const { source, ready } = createLesson(element, {
    lesson,
    fetchRun: async (run) => (Object.hasOwn(runs, run) ? unpacked(runs[run]) : null),
    start: Number(step) && (isOpened() || !store) ? { station: Number(step), cue: Math.min(CUES.length, Number(beat)) } : null,
    link: (station, cue) => `${location.href.replace(/#.*/, "")}#lesson=${station}&cue=${cue}`,
    store,
  });
  const goTo = (/** @type {StepPlace} */ { step: station, beat: cue }) => {
    if (station) source.go(placeOf(station, Math.min(CUES.length, cue)));
  };
  addEventListener("hashchange", () => void ready.then(() => goTo(asked()))); // a link may be followed while runs load
  const presenter = createPresenter(null);
  const begin = el("button", { type: "button", class: "ls-button lp-begin" }, t("present.begin"));
  begin.addEventListener("click", () => presenter.start());
  element.querySelector(".learn-head")?.append(begin);
}

/** The station and the cue that the address leads to, as step and beat. */
const asked = () => placeInAddress(location.href.replace("#lesson=", "#step=").replace("&cue=", "&beat="));

start();
