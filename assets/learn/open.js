/* The lesson that is open: the page's own, or one from a file, which a reload opens again. */

import { t } from "../page/i18n.js";
import { say as sayOf } from "../player/disk.js";
import { runsShown } from "./figures.js";
import { fail } from "./paint.js";
import { placeOf } from "./places.js";
import { keepFile, readFile, readProgress } from "./progress.js";
import { readLesson } from "./read.js";
import { createRuns } from "./runs.js";
import { sayingsOf } from "./sayings.js";
import { go, settle } from "./visit.js";

/** @import { Lesson, LessonOptions, Talk, Visit } from "./types.js" */

/**
 * Starts another lesson once its runs have loaded, and stays in the current one if they do not load.
 * @param {Visit} visit
 * @param {Lesson} lesson
 * @param {LessonOptions["start"]} start
 * @returns {Promise<boolean>} false where one that the visitor chose later has opened meanwhile
 */
async function begin(visit, lesson, start) {
  const { options } = visit;
  const number = (visit.chosen += 1);
  const runs = createRuns(lesson, options.fetchRun);
  const loads = Promise.all(runsShown(lesson).map((run) => runs.get(run)));
  await loads.catch(() => null); // what is wrong with a lesson concerns nobody who is in a later one
  if (visit.talk && visit.talk.number > number) return false;
  await loads;
  const progress = readProgress(options.store, lesson.lesson);
  /** @type {Talk} */
  const next = {
    lesson, runs, progress, options, number,
    say: sayingsOf(lesson, runs),
    at: 0,
    isOwn: lesson === options.lesson,
    go: (to, focus) => go(visit, to, focus),
    settle: (station, said) => settle(visit, station, said),
  };
  checkAgainstRuns(next);
  visit.talk = next;
  visit.practice = null;
  go(visit, start ? placeOf(start.station, start.cue) : progress.at);
  return true;
}

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

/** Begins the page's own lesson, to which a reload returns from now on. @param {Visit} visit @param {LessonOptions["start"]} [start] */
export async function beginOwn(visit, start) {
  if (await begin(visit, visit.options.lesson, start)) keepFile(visit.options.tab || null, null);
}

/** Begins where the address leads, else in the lesson that was open before a reload, else in the page's own. @param {Visit} visit */
export async function beginAnew(visit) {
  const { lesson, start, tab = null } = visit.options;
  const kept = readFile(tab);
  if (kept === null || start) return beginOwn(visit, start);
  try {
    await begin(visit, readLesson(kept), null);
  } catch (fault) {
    await begin(visit, lesson, null);
    throw fault;
  }
}

/** Opens a lesson from a file, or shows what is wrong with it. @param {Visit} visit @param {string} text */
export async function open(visit, text) {
  try {
    if (!(await begin(visit, readLesson(text), null))) return;
    const isKept = keepFile(visit.options.tab || null, text);
    sayOf(visit.files, t(isKept ? "learn.opened" : "learn.opened_for_now"));
  } catch (fault) {
    fail(visit, fault);
  }
}
