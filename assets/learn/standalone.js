/* The lesson as a standalone page: runs are in the page, predictions in the browser if it lets a local file store them. */

import { language, t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { placeInAddress } from "../player/exported.js";
import { unpacked } from "../player/unpack.js";
import { createPresenter } from "../present/present.js";
import { createLesson } from "./lesson.js";

/** Begins at the cue in the address, else the one that the page was saved for, else where the visitor was. */
function start() {
  /** @type {HTMLElement | null} */
  const element = document.querySelector("[data-logitspec-lesson]");
  const data = document.getElementById("logitspec-trace");
  if (!element || !data) return;
  document.documentElement.lang = language;
  const { lesson, runs } = JSON.parse(data.textContent);
  const asked = placeInAddress(location.href.replace("#lesson=", "#step=").replace("&cue=", "&beat="));
  const { step = 0, beat = 1 } = asked.step ? asked : data.dataset;
  createLesson(element, {
    lesson,
    fetchRun: async (run) => (Object.hasOwn(runs, run) ? unpacked(runs[run]) : null),
    start: Number(step) ? { station: Number(step), cue: Math.min(3, Number(beat)) } : null,
    link: (station, cue) => `${location.href.replace(/#.*/, "")}#lesson=${station}&cue=${cue}`,
    store: storage(),
  });
  const presenter = createPresenter(null);
  const begin = el("button", { type: "button", class: "ls-button lp-begin" }, t("present.begin"));
  begin.addEventListener("click", () => presenter.start());
  element.querySelector(".learn-head")?.append(begin);
}

function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

start();
