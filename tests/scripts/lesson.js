/* What a lesson's figures are, for tests/test_lesson.py: reads {lesson, runs} and writes each figure's value. */

import { readFileSync } from "node:fs";
import { valueOf } from "../../assets/learn/figures.js";
import { appendSteps, createTrace } from "../../assets/player/trace.js";

const { lesson, runs } = JSON.parse(readFileSync(0, "utf8"));
const traces = Object.fromEntries(
  Object.entries(runs).map(([name, document]) => {
    const trace = createTrace(document);
    appendSteps(trace, document.steps);
    return [name, trace];
  }),
);
const values = Object.keys(lesson.figures).map((name) => [name, valueOf(lesson, name, (run) => traces[run])]);
process.stdout.write(JSON.stringify(Object.fromEntries(values)));
