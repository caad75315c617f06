/* The lesson: stations with three cues each (question, reveal, sentence to remember), and an unseen step at the end.
   It needs no server: a host passes in the lesson, a way to fetch recorded runs, and a store for predictions. */

import { announceCue, predict as announcePrediction, register } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { onOutcome } from "../page/outcome.js";
import { copyText, download, fileButton, fileOpener, filesOf, fillFiles, messageOf, say as sayOf } from "../player/disk.js";
import { el, setText } from "../player/dom.js";
import { barFigures } from "./bars.js";
import { contentItems, resultList } from "./contents.js";
import { runsShown } from "./figures.js";
import { judge } from "./measured.js";
import { createPractice } from "./practice.js";
import {
  CUES, hasAnswer, isOpen, isRight, keepFile, keepProgress, newProgress, onOtherTab, readFile, readProgress, scoreOf,
} from "./progress.js";
import { readLesson } from "./read.js";
import { createRuns } from "./runs.js";
import { sayingsOf } from "./sayings.js";
import { describeCue } from "./source.js";
import { createStage } from "./stage.js";
import { button, stationParts } from "./station.js";

/** @import { Lesson, LessonApi, LessonOptions, Prediction, PredictionField, Scene, Station, Talk } from "./types.js" */
/** @import { RaceOutcome, Trace } from "../player/types.js" */

/**
 * A lesson inside `element`.
 * @param {HTMLElement} element an empty element of the classes "ls-player learn"
 * @param {LessonOptions} options
 * @returns {LessonApi}
 */
export function createLesson(element, options) {
  const { store = null, tab = null, random = Math.random } = options;
  /** @type {PredictionField | null} */
  let field = null;
  /** @type {ReturnType<typeof createPractice> | null} */
  let practice = null;
  let saving = false;
  /** @type {Talk | null} null until the runs have loaded */
  let talk = null;
  const view = createView(element, (place) => field && field.pick(place));
  const files = { ...filesOf({ element, open: (text) => void open(text) }), element: view.files };
  const own = fileButton(files, t("learn.builtin"), t("learn.builtin_title"), () => beginOwn(null));
  const link = fileButton(files, t("learn.copy_link"), t("learn.copy_link_title"), copyLink);
  const again = fileButton(files, t("learn.start_over"), t("learn.start_over_title"), startOver);
  const save = fileButton(files, t("learn.save"), t("learn.save_title"), savePage);
  save.hidden = !options.page;
  save.disabled = true;
  fillFiles(files, fileOpener(files, "lesson"), [own, link, save, again]);

  /**
   * Shows a cue. @param {number} to @param {boolean} [focus] moves the focus to where the visitor continues
   */
  function go(to, focus = false) {
    if (!talk) return;
    const before = Math.floor(talk.at / CUES.length);
    talk.at = Math.max(0, Math.min(lastCue(talk.lesson), Math.round(to)));
    keepPlace(talk);
    paint(talk);
    const isOther = Math.floor(talk.at / CUES.length) !== before;
    /** @type {HTMLElement | null} */
    const target = view.article.querySelector(isOther ? "h3" : "[data-next]");
    if (focus && target) focusOn(target, isOther);
    announceCue(element);
  }

  /** Within a station, no more is scrolled than it takes. @param {HTMLElement} target @param {boolean} isOther */
  function focusOn(target, isOther) {
    target.focus({ preventScroll: !isOther });
    if (!isOther) queueMicrotask(() => target.scrollIntoView({ block: "nearest" })); // below the reveal, which a microtask adds
  }

  /** @param {Talk} now */
  function keepPlace({ at, lesson, progress }) {
    progress.at = at;
    const station = stationAt(lesson, at);
    if (station) progress.seen[station.station] = Math.max(progress.seen[station.station] || 0, cueAt(at));
    keepProgress(store, lesson.lesson, progress);
  }

  /** @param {Talk} now */
  function paint(now) {
    const { lesson, at } = now;
    view.error.hidden = true;
    paintHead(now);
    const station = stationAt(lesson, at);
    if (station) paintStation(now, station, cueAt(at));
    else paintEnd(now);
  }

  /** @param {Talk} now */
  function paintHead(now) {
    const { lesson, say, progress, isOwn } = now;
    const { right, revealed } = scoreOf(lesson, progress);
    view.title.replaceChildren(...say.nodes(lesson.title));
    setText(view.score, revealed ? t("learn.score", { right, n: revealed }) : "");
    view.list.replaceChildren(...contentItems(now));
    own.hidden = isOwn;
    link.hidden = !options.link || !isOwn;
    save.hidden = !options.page || !isOwn;
    save.disabled = saving;
  }

  /** @param {Talk} now @param {Station} station @param {number} cue */
  function paintStation(now, station, cue) {
    const { parts, field: newField } = stationParts(now, station, cue);
    field = newField;
    view.article.replaceChildren(...parts);
    const { predict, scene = {}, reveal_scene: after, bars = [] } = station;
    const shown = cue > 1 ? { ...scene, ...after } : scene;
    const picks = cue === 1 && predict && isOpen(station, now.progress) && predict.kind !== "choice" && predict.kind !== "number" ? predict.kind : "";
    view.stage.show(shown.run ? now.runs.have(shown.run) : null, shown, { sealed: cue === 1, picks });
    view.bars.replaceChildren(...barFigures(bars, now.say, cue === 1));
    view.bars.hidden = !bars.length;
  }

  /** @param {Talk} now */
  function paintEnd(now) {
    const { lesson, runs, progress } = now;
    field = null;
    view.bars.hidden = true;
    const { right, revealed, all } = scoreOf(lesson, progress);
    const score = revealed ? t("learn.score_end", { right, n: revealed, all }) : t("learn.score_none");
    const heading = el("h3", { tabindex: -1 }, t("learn.end"));
    const back = el("div", { class: "learn-actions" }, button(t("learn.back"), () => go(now.at - 1, true)));
    practice = practice || createPractice({ lesson, runs, store, random, show: onStage, fail });
    const isOffered = Boolean(lesson.practice && lesson.practice.length);
    const sum = el("p", { class: "learn-sum" }, score);
    view.article.replaceChildren(heading, sum, ...(isOffered ? [practice.element] : []), resultList(now), back);
    view.stage.show(null, {}, { sealed: true, picks: "" });
    if (isOffered) practice.begin();
  }

  /** @param {Trace | null} trace @param {Scene} scene @param {boolean} sealed */
  function onStage(trace, scene, sealed) {
    if (talk && !stationAt(talk.lesson, talk.at)) view.stage.show(trace, scene, { sealed, picks: "" });
  }

  /**
   * Stores a prediction and goes on to the reveal, or waits for it where a lecture counts the prediction: only a
   * counted one may be replaced later.
   * @param {Station} station
   * @param {number} said
   */
  function settle(station, said) {
    if (!talk || !station.predict) return;
    const { answers } = talk.progress;
    const mayPredict = isOpen(station, talk.progress); // another tab may have predicted meanwhile
    const counted = mayPredict && announcePrediction(element, said);
    if (mayPredict) answers[station.station] = { said, right: judged(talk, station.predict, said), ...(counted && { counted }) };
    go(talk.at + (counted ? 0 : 1), true);
  }

  /** Counts a race, and leaves what the visitor is about to predict elsewhere as it is. @param {RaceOutcome} outcome */
  function countRace(outcome) {
    if (!talk) return;
    const { lesson, progress, at } = talk;
    const judged = lesson.stations.filter((station) => judge(station, progress, outcome));
    if (!judged.length) return;
    keepProgress(store, lesson.lesson, progress);
    const here = stationAt(lesson, at);
    if (here && judged.some(({ station, predict }) => [station, predict?.sealed].includes(here.station))) paint(talk);
    else paintHead(talk);
  }

  /** Takes over what the visitor predicted in another tab, so that this one does not undo it. */
  function recallProgress() {
    if (!talk) return;
    talk.progress = { ...readProgress(store, talk.lesson.lesson), at: talk.at };
    if (practice) practice.recall();
    paintHead(talk);
  }

  /**
   * Starts another lesson once its runs have loaded, and stays in the current one if they do not load.
   * @param {Lesson} lesson
   * @param {LessonOptions["start"]} start
   */
  async function begin(lesson, start) {
    const runs = createRuns(lesson, options.fetchRun);
    await Promise.all(runsShown(lesson).map((run) => runs.get(run)));
    const say = sayingsOf(lesson, runs);
    const progress = readProgress(store, lesson.lesson);
    const isOwn = lesson === options.lesson;
    const next = { lesson, runs, say, progress, at: 0, options, isOwn, go, settle };
    checkAgainstRuns(next);
    talk = next;
    practice = null;
    go(start ? (start.station - 1) * CUES.length + start.cue - 1 : progress.at);
  }

  /** Begins the page's own lesson, to which a reload returns from now on. @param {LessonOptions["start"]} start */
  function beginOwn(start) {
    keepFile(tab, null);
    return begin(options.lesson, start);
  }

  /** Begins where the address leads, else in the lesson that was open before a reload, else in the page's own. */
  async function beginAnew() {
    const kept = readFile(tab);
    if (kept === null || options.start) return beginOwn(options.start || null);
    try {
      await begin(readLesson(kept), null);
    } catch (fault) {
      await begin(options.lesson, null);
      throw fault;
    }
  }

  /** Opens a lesson from a file, or shows what is wrong with it. @param {string} text */
  async function open(text) {
    try {
      await begin(readLesson(text), null);
      keepFile(tab, text);
      sayOf(files, t("learn.opened"));
    } catch (fault) {
      fail(fault);
    }
  }

  /** @param {unknown} fault */
  function fail(fault) {
    setText(view.error, messageOf(fault));
    view.error.hidden = false;
  }

  function startOver() {
    if (!talk) return;
    talk.progress = newProgress();
    if (practice) practice.forget();
    go(0, true);
  }

  async function copyLink() {
    if (!talk || !options.link) return;
    const address = options.link(Math.floor(talk.at / CUES.length) + 1, cueAt(talk.at));
    const copied = await copyText(view.files, address);
    sayOf(files, copied ? t("learn.copied") : address);
  }

  /** Saves the lesson as a page that opens here; gives the focus back to the button, which loses it when disabled. */
  async function savePage() {
    if (!talk || !options.page || saving) return;
    const hadFocus = document.activeElement === save;
    saving = save.disabled = true;
    try {
      const page = await options.page(Math.floor(talk.at / CUES.length) + 1, cueAt(talk.at));
      download("logitspec-lesson.html", page, "text/html");
    } finally {
      saving = save.disabled = false;
      if (hadFocus && document.activeElement === document.body) save.focus({ preventScroll: true });
    }
  }

  const source = {
    name: "lesson",
    length: () => (talk ? lastCue(talk.lesson) + 1 : 0),
    at: () => (talk ? talk.at : -1),
    go: (/** @type {number} */ index) => go(index),
    describe: (/** @type {number} */ index) => describeCue(/** @type {Talk} */ (talk), index),
    // A lesson from a file is on the lecturer's own disk, and others do not have it.
    place: () => (talk && talk.isOwn ? { lesson: talk.lesson.lesson } : null),
    show: (/** @type {any} */ place) => Boolean(talk && place && place.lesson === talk.lesson.lesson),
    stage: (/** @type {boolean} */ on) => view.stage.enlarge(on),
  };
  register(element, source);
  const ready = beginAnew().catch(fail);
  void ready.then(() => onOutcome(countRace));
  onOtherTab(recallProgress);
  return { source, open, ready };
}

/** Whether a prediction is right; null where nothing is right or wrong. @param {Talk} talk @param {Prediction} predict @param {number} said */
const judged = ({ say }, predict, said) => (hasAnswer(predict) ? isRight(predict, said, say.answer(predict)) : null);

/** @param {Lesson} lesson */
const lastCue = ({ stations }) => stations.length * CUES.length;

/** @param {Lesson} lesson @param {number} at @returns {Station | undefined} */
const stationAt = ({ stations }, at) => stations[Math.floor(at / CUES.length)];

/** @param {number} at */
const cueAt = (at) => (at % CUES.length) + 1;

/**
 * @param {Talk} talk
 * @throws {Error} with one sentence when a figure or a scene names a step or a node that its run lacks
 */
function checkAgainstRuns({ lesson, runs, say }) {
  for (const name of Object.keys(lesson.figures || {})) say.write(name);
  for (const { scene = {}, reveal_scene: after = {} } of lesson.stations) {
    for (const { run = "", step: n = 1 } of [scene, { ...scene, ...after }]) {
      const trace = runs.have(run);
      if (trace && n > trace.steps.length) throw new Error(t("learn.no_step", { run, n }));
    }
  }
}

/** @param {HTMLElement} element @param {(place: number) => void} onPick */
function createView(element, onPick) {
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
