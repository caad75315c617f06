/* The links to all stations with the outcomes of their predictions, and the list of sentences at the end. */

import { t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { numberAt, placeOf } from "./places.js";
import { isDone } from "./progress.js";
import { STATES, kindOf, mark } from "./verdicts.js";

/** @import { Station, Talk } from "./types.js" */

/** @param {Talk} talk */
export function contentItems(talk) {
  const { lesson, say } = talk;
  const items = lesson.stations.map((station, place) => item(talk, place, say.plain(station.title), station));
  return [...items, item(talk, lesson.stations.length, t("learn.end"), null)];
}

/** @param {Talk} talk @param {number} place @param {string} words @param {Station | null} station */
function item({ at, isOwn, options, progress, go }, place, words, station) {
  const isNow = numberAt(at) === place + 1;
  const state = station && isDone(station, progress) ? kindOf(station, progress) : "";
  const href = options.link && isOwn ? options.link(place + 1, 1) : `#${place + 1}`;
  const anchor = el(
    "a",
    { href, title: words, "aria-current": isNow ? "step" : null, "data-verdict": state || null },
    el("span", {}, station ? `${place + 1}` : "⚑"),
    el("span", { class: isNow ? "learn-name" : "ls-spoken" }, words),
    state ? el("span", { class: "ls-spoken" }, STATES[state]) : null,
  );
  anchor.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(placeOf(place + 1, 1), true);
  });
  return el("li", {}, anchor);
}

/** The sentences to remember, each with the outcome of its prediction. @param {Talk} talk */
export function resultList({ lesson, progress, say }) {
  const items = lesson.stations.map((station) => {
    const kind = station.predict ? kindOf(station, progress) : "kept";
    return el("li", {}, ...say.nodes(station.remember), " ", mark(kind));
  });
  const title = el("summary", {}, t("learn.sentences"));
  return el("details", { class: "learn-results" }, title, el("ol", {}, ...items));
}
