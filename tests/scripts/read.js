/* Reads files as the page would, for tests/test_trace_files.py: one file a line, in base64. For each it writes what
   is wrong with it, or with anything that is made from a run without a page; {} if nothing is. */

import { createInterface } from "node:readline";
import { wholeRace } from "../../assets/compare/race.js";
import { readLesson } from "../../assets/learn/read.js";
import { exportedPage, runTitle } from "../../assets/player/exported.js";
import { layOutTree } from "../../assets/player/layout.js";
import { readDocument } from "../../assets/player/schema.js";
import { beatWords } from "../../assets/player/sentence.js";
import { appendSteps, createTrace, traceText } from "../../assets/player/trace.js";
import { nodeSentence, restSentence } from "../../assets/player/words.js";
import { stillPicture } from "../../assets/take/picture.js";
import { homeworkSheet, homeworkSolutions, stepTable } from "../../assets/take/tables.js";

const [kind] = process.argv.slice(2);

/* What is made from a run depends on the fields that are read for it: files that differ in others are drawn once. */
const read = new Set(["run", "prompt_ids", "vocabulary", "steps"]);
const drawn = new Set();

function used(document) {
  const trace = createTrace(document);
  appendSteps(trace, document.steps);
  const key = JSON.stringify([...read].map((field) => [field, document[field]]));
  if (!drawn.has(key)) {
    draw({ ...trace, header: new Proxy(trace.header, { get: (header, field) => (read.add(field), header[field]) }) });
    drawn.add(JSON.stringify([...read].map((field) => [field, document[field]])));
  }
  const again = traceText(trace);
  readDocument(again, "trace");
  const title = runTitle(trace);
  const page = exportedPage({ trace: again, title, scripts: "", style: "", nonce: "1", place: { step: 1, beat: 5 } });
  if (page.match(/<script/g).length !== 2) throw new RangeError("A script got into the page.");
}

function draw(trace) {
  trace.steps.forEach((step, at) => {
    for (let beat = 1; beat <= 5; beat += 1) beatWords(trace, at + 1, beat);
    restSentence(trace, at + 1);
    step.states.forEach((_, node) => nodeSentence(trace, step, node));
  });
  // The first and the last: in the mutants, the steps between them are like them.
  for (const number of new Set([1, trace.steps.length])) {
    const step = trace.steps[number - 1];
    if (!step) continue;
    stillPicture(trace, number);
    layOutTree(step, step.states.map(() => ({ chip: 3, slot: 4 })), 60);
  }
  const all = trace.steps.map((_, at) => at + 1);
  for (const table of [stepTable, homeworkSheet, homeworkSolutions]) table(trace, all);
}

function answer(line) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(line, "base64"));
  } catch {
    return { refused: "no UTF-8" };
  }
  let document;
  try {
    document = kind === "lesson" ? readLesson(text) : readDocument(text, kind);
  } catch (error) {
    return error.constructor === Error ? { refused: error.message } : { fault: error.stack };
  }
  try {
    if (kind === "trace") used(document);
    else if (kind === "race") wholeRace(text).lanes.forEach(({ trace }) => traceText(trace));
  } catch (error) {
    return { fault: error.stack };
  }
  return {};
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(answer(line)));
