/* The runs of a lesson: those in its file, and recorded ones, which are fetched once each. */

import { t } from "../page/i18n.js";
import { readDocument } from "../player/schema.js";
import { appendSteps, createTrace } from "../player/trace.js";

/** @import { Trace } from "../player/types.js" */
/** @import { Lesson, LessonOptions, Runs } from "./types.js" */

/**
 * @param {Lesson} lesson
 * @param {LessonOptions["fetchRun"]} fetchRun
 * @returns {Runs}
 */
export function createRuns({ runs, traces = {} }, fetchRun) {
  /** @type {Map<string, Trace>} */
  const loaded = new Map();
  /** @type {Map<string, Promise<Trace>>} */
  const requests = new Map();

  /** @param {string} name */
  async function fetchTrace(name) {
    const own = Object.hasOwn(traces, name) ? JSON.stringify(traces[name]) : null;
    const text = own || (await fetchRun(runs[name]).catch(() => null));
    if (!text) {
      requests.delete(name); // a later visit may find it
      throw new Error(t("learn.no_run", { run: runs[name] }));
    }
    const document = readDocument(text, "trace");
    // Traces in a file may share a name or have none, and the player tells runs apart by name.
    const trace = createTrace({ ...document, run: own ? `lesson-${name}` : document.run || name });
    appendSteps(trace, document.steps);
    loaded.set(name, trace);
    return trace;
  }

  return {
    get(name) {
      const found = requests.get(name) || fetchTrace(name);
      requests.set(name, found);
      return found;
    },
    have: (name) => loaded.get(name) || null,
  };
}
