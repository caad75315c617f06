/* The files of the page's buttons, without a page: `node draw.js < request.json` writes one of them to standard output. */

import { readFileSync } from "node:fs";
import { t } from "../page/i18n.js";
import { messageOf } from "../player/disk.js";
import { runTitle } from "../player/exported.js";
import { appendSteps, createTrace } from "../player/trace.js";
import { parseSteps } from "./choose.js";
import { filmFrames } from "./film.js";
import { handout } from "./handout.js";
import { stillPicture } from "./picture.js";
import { homeworkSheet, homeworkSolutions, stepTable, stepsToSet } from "./tables.js";

/** @import { Trace } from "../player/types.js" */
/** @import { DrawRequest } from "./types.js" */

/** @type {Record<string, (trace: Trace, numbers: number[], request: DrawRequest) => string>} */
const WRITERS = {
  picture: (trace, numbers, { beat }) => numbers.map((number) => stillPicture(trace, number, beat)).join(""),
  frames: (trace, numbers) => JSON.stringify(filmFrames(trace, numbers)),
  table: stepTable,
  homework: homeworkSheet,
  solutions: homeworkSolutions,
  handout: (trace, numbers, { notes, beat }) => handout(trace, numbers, { title: runTitle(trace), notes, beat }),
};

/** @param {DrawRequest} request */
function answer({ kind, steps, ...request }) {
  const trace = createTrace(request.trace);
  appendSteps(trace, request.trace.steps || []);
  const every = trace.steps.map((_, at) => at + 1);
  if (!every.length && kind !== "table") throw new Error(t("export.without-steps"));
  const chosen = steps ? parseSteps(steps, every.length) : null;
  const numbers = ["homework", "solutions"].includes(kind) ? stepsToSet(trace, chosen) : chosen || every;
  return WRITERS[kind](trace, numbers, { kind, steps, ...request });
}

try {
  process.stdout.write(answer(JSON.parse(readFileSync(0, "utf8"))));
} catch (error) {
  process.stderr.write(messageOf(error));
  process.exitCode = 1;
}
