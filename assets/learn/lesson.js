/* The lesson: stations with three cues each (question, reveal, sentence to remember), and an unseen step at the end.
   It needs no server: a host passes in the lesson, a way to fetch recorded runs, and a store for predictions. */

import { register } from "../page/cues.js";
import { onOutcome } from "../page/outcome.js";
import { createFiles } from "./buttons.js";
import { beginAnew, open } from "./open.js";
import { createView, fail } from "./paint.js";
import { lastCue } from "./places.js";
import { onOtherTab } from "./progress.js";
import { describeCue } from "./source.js";
import { countRace, go, recallProgress } from "./visit.js";

/** @import { CueSource } from "../player/types.js" */
/** @import { LessonApi, LessonOptions, Talk, Visit } from "./types.js" */

/**
 * A lesson inside `element`.
 * @param {HTMLElement} element an empty element of the classes "ls-player learn"
 * @param {LessonOptions} options
 * @returns {LessonApi}
 */
export function createLesson(element, options) {
  const visit = /** @type {Visit} */ ({ element, options, talk: null, field: null, practice: null, saving: false, chosen: 0 });
  visit.view = createView(element, (place) => visit.field && visit.field.pick(place));
  visit.files = createFiles(visit);
  const source = sourceOf(visit);
  register(element, source);
  const ready = beginAnew(visit).catch((fault) => fail(visit, fault));
  void ready.then(() => onOutcome((outcome) => countRace(visit, outcome)));
  onOtherTab(() => recallProgress(visit));
  return { source, open: (text) => open(visit, text), ready };
}

/** @param {Visit} visit @returns {CueSource} */
function sourceOf(visit) {
  return {
    name: "lesson",
    length: () => (visit.talk ? lastCue(visit.talk.lesson) + 1 : 0),
    at: () => (visit.talk ? visit.talk.at : -1),
    go: (index) => go(visit, index),
    describe: (index) => describeCue(/** @type {Talk} */ (visit.talk), index),
    // A lesson from a file is on the lecturer's own disk, and others do not have it.
    place: () => (visit.talk && visit.talk.isOwn ? { lesson: visit.talk.lesson.lesson } : null),
    show: (place) => Boolean(visit.talk && place && place.lesson === visit.talk.lesson.lesson),
    stage: (on) => visit.view.stage.enlarge(on),
  };
}
