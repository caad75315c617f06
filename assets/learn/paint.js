/* What a lesson shows at a place: a station or the end, the links to all of them, and what went wrong. */

import { t } from "../page/i18n.js";
import { messageOf } from "../player/disk.js";
import { el, setText } from "../player/dom.js";
import { barFigures } from "./bars.js";
import { contentItems, resultList } from "./contents.js";
import { cueAt, stationAt } from "./places.js";
import { askAnother, createPractice } from "./practice.js";
import { isOpen, scoreOf } from "./progress.js";
import { createStage } from "./stage.js";
import { button, stationParts } from "./station.js";

/** @import { LessonView, Station, Talk, Visit } from "./types.js" */

/** @param {HTMLElement} element @param {(place: number) => void} onPick @returns {LessonView} */
export function createView(element, onPick) {
  const title = el("h2", { class: "learn-title" });
  const score = el("p", { class: "learn-score" });
  const list = el("ol", { class: "learn-stations" });
  const error = el("p", { class: "ls-error", role: "alert", hidden: true });
  const article = el("article", { class: "learn-station" });
  const bars = el("div", { class: "learn-bars", hidden: true });
  const files = el("div", { class: "ls-files", role: "group" });
  const stage = createStage(onPick);
  const head = el("header", { class: "learn-head" }, title, score);
  const nav = el("nav", { "aria-label": t("learn.stations") }, list);
  const shown = el("div", { class: "learn-stage" }, bars, stage.element);
  const body = el("div", { class: "learn-body" }, el("div", { class: "learn-side" }, article), shown);
  new ResizeObserver(() => body.style.setProperty("--learn-station", `${article.offsetHeight}px`)).observe(article);
  element.setAttribute("aria-label", t("learn.lesson"));
  element.replaceChildren(head, nav, error, body, files);
  return { title, score, list, error, article, bars, stage, files };
}

/** @param {Visit} visit @param {Talk} talk */
export function paint(visit, talk) {
  visit.view.error.hidden = true;
  paintHead(visit, talk);
  const station = stationAt(talk.lesson, talk.at);
  if (station) paintStation(visit, talk, station);
  else paintEnd(visit, talk);
}

/** @param {Visit} visit @param {Talk} talk */
export function paintHead({ view, files, options, saving }, talk) {
  const { lesson, say, progress, isOwn } = talk;
  const { right, revealed } = scoreOf(lesson, progress);
  view.title.replaceChildren(...say.nodes(lesson.title));
  setText(view.score, revealed ? t("learn.score", { right, n: revealed }) : "");
  view.list.replaceChildren(...contentItems(talk));
  files.own.hidden = isOwn;
  files.link.hidden = !options.link || !isOwn;
  files.save.hidden = !options.page || !isOwn;
  files.save.disabled = saving;
}

/** @param {Visit} visit @param {Talk} talk @param {Station} station */
function paintStation(visit, talk, station) {
  const { view } = visit;
  const { at, progress, runs, say } = talk;
  const cue = cueAt(at);
  const { parts, field } = stationParts(talk, station, cue);
  visit.field = field;
  view.article.replaceChildren(...parts);
  const { predict, scene = {}, reveal_scene: after, bars = [] } = station;
  const shown = cue > 1 ? { ...scene, ...after } : scene;
  const picks = cue === 1 && predict && isOpen(station, progress) && predict.kind !== "choice" && predict.kind !== "number" ? predict.kind : "";
  view.stage.show(shown.run ? runs.have(shown.run) : null, shown, { sealed: cue === 1, picks });
  view.bars.replaceChildren(...barFigures(bars, say, cue === 1));
  view.bars.hidden = !bars.length;
}

/** @param {Visit} visit @param {Talk} talk */
function paintEnd(visit, talk) {
  const { view } = visit;
  const { lesson, progress } = talk;
  visit.field = null;
  view.bars.hidden = true;
  const { right, revealed, all } = scoreOf(lesson, progress);
  const score = revealed ? t("learn.score_end", { right, n: revealed, all }) : t("learn.score_none");
  const heading = el("h3", { tabindex: -1 }, t("learn.end"));
  const back = el("div", { class: "learn-actions" }, button(t("learn.back"), () => talk.go(talk.at - 1, true)));
  const practice = (visit.practice ||= practiceOf(visit, talk));
  const isOffered = Boolean(lesson.practice && lesson.practice.length);
  const sum = el("p", { class: "learn-sum" }, score);
  view.article.replaceChildren(heading, sum, ...(isOffered ? [practice.view.element] : []), resultList(talk), back);
  view.stage.show(null, {}, { sealed: true, picks: "" });
  if (isOffered) askAnother(practice);
}

/** @param {Visit} visit @param {Talk} talk */
function practiceOf(visit, { lesson, runs, options }) {
  const { store, random = Math.random } = options;
  return createPractice({
    lesson, runs, store, random,
    show(trace, scene, sealed) {
      const { talk, view } = visit;
      if (talk && !stationAt(talk.lesson, talk.at)) view.stage.show(trace, scene, { sealed, picks: "" });
    },
    fail: (fault) => fail(visit, fault),
  });
}

/** @param {Visit} visit @param {unknown} fault */
export function fail({ view: { error } }, fault) {
  setText(error, messageOf(fault));
  error.hidden = false;
}
