import assert from "node:assert/strict";
import { test } from "node:test";

import { headOf, linkOf, nextRoot, stretchesOf, stretchesShown } from "../../assets/player/links.js";
import { appendSteps, createTrace } from "../../assets/player/trace.js";

const VOCABULARY = ["the", " cat", " sat", " on", " mat", "."];
const SECONDS = { draft: 0, verify: 0, accept: 0, commit: 0, device: 0 };

// "the cat sat on the" wants " cat sat . mat":
//   0 " cat" root - 1 " sat" - 2 " on" - 3 "the" copied from 2 on after "the cat"
//                 - 4 " mat" rank 2 - 5 "." copied from nowhere near
//                 - 6 " sat" rank 1 - 7 " on" copied from 3 after "sat"
const STEP = {
  position: 5,
  last: { ids: [1, 2, 4, 5], probs: [0.5, 0.3, 0.1, 0.05] },
  tokens: [1, 2, 3, 0, 4, 5, 2, 3],
  parents: [-1, 0, 1, 2, 0, 4, 0, 6],
  provenance: [
    ["root", 0, 0.5],
    ["retrieved", null, null, 2, 2, "root"],
    ["retrieved", null, null, 2, 3, "root"],
    ["retrieved", null, null, 2, 4, "root"],
    ["logit", 2, 0.1],
    ["retrieved", null, null, 1, 0, "next_next"],
    ["logit", 1, 0.3],
    ["retrieved", null, null, 1, 3, "next_next"],
  ],
  choices: [2, 5, 0, 1, 5, 0, 3, 0],
  path: [0, 1],
  seconds: SECONDS,
};
const NEXT = {
  position: 7,
  last: { ids: [2, 0], probs: [0.4, 0.3] },
  tokens: [5],
  parents: [-1],
  provenance: [["root", null, null]],
  choices: [4],
  path: [0],
  seconds: SECONDS,
};

function made(steps = [STEP], finish = null) {
  const vocabulary = Object.fromEntries(VOCABULARY.map((text, id) => [id, text]));
  const trace = createTrace({ schema: 1, run: "r", prompt_ids: [0, 1, 2, 3, 0], vocabulary, finish });
  appendSteps(trace, steps);
  return trace;
}

function frame(changes = {}, trace = made()) {
  const cursor = changes.cursor ?? 1;
  const step = cursor ? trace.steps[cursor - 1] : null;
  return { trace, cursor, step, beat: 5, previous: 5, visible: trace.totals[cursor].end, pointed: null, ...changes };
}

const told = (pointed, changes) => {
  const link = linkOf(frame({ pointed, ...changes }));
  return link && [link.number, link.node, link.rank, link.position];
};

test("one thing in all its forms", () => {
  assert.equal(told(null), null);
  assert.deepEqual(told({ position: 3 }), [0, null, null, 3]);
  assert.deepEqual(told({ position: 5 }), [1, 0, 0, 5]);
  assert.deepEqual(told({ position: 6 }), [1, 1, null, 6]);
  assert.deepEqual(told({ node: 0 }), [1, 0, 0, 5]);
  assert.deepEqual(told({ node: 4 }), [1, 4, 2, null]);
  assert.deepEqual(told({ node: 7 }), [1, 7, null, null]);
  assert.deepEqual(told({ rank: 0 }), [1, 0, 0, 5]);
  assert.deepEqual(told({ rank: 1 }), [1, 6, 1, null]);
  assert.deepEqual(told({ rank: 3 }), [1, null, 3, null]);
});

test("what is not shown yet has no position, and what is not there no link", () => {
  for (const visible of [5, 6]) assert.deepEqual(told({ node: 1 }, { visible, beat: 3 }), [1, 1, null, null]);
  assert.equal(told({ position: 6 }, { visible: 5, beat: 3 }), null);
  assert.equal(told({ node: 99 }), null);
  assert.equal(told({ rank: 0 }, { cursor: 0, visible: 5 }), null);
  assert.equal(linkOf({ ...frame(), trace: null, pointed: { position: 1 } }), null);
});

test("a root that the last logits do not list has no rank", () => {
  const link = linkOf(frame({ cursor: 2, pointed: { node: 0 } }, made([STEP, NEXT])));
  assert.deepEqual([link.number, link.node, link.rank, link.position], [2, 0, null, 7]);
});

test("copies as stretches of the text", () => {
  const { steps } = made();
  assert.deepEqual(stretchesOf(steps[0]), [
    { start: 1, nodes: [1, 2, 3], from: 2, to: 5, match: [0, 2] },
    { start: 5, nodes: [5], from: 0, to: 1, match: [0, 0] },
    { start: 7, nodes: [7], from: 3, to: 4, match: [2, 3] },
  ]);
  const starts = (nodes) => stretchesOf(steps[0], nodes).map(({ start }) => start);
  assert.deepEqual(starts([2]), [1]);
  assert.deepEqual(starts([0, 4]), []);
  assert.deepEqual(starts([3, 7]), [1, 7]);
});

test("the sources that are lit follow the beats and the pointer", () => {
  const starts = (changes) => stretchesShown(frame(changes)).stretches.map(({ start }) => start);
  assert.deepEqual(starts({ beat: 1 }), []);
  assert.deepEqual(starts({ beat: 2 }), [1, 5, 7]);
  assert.deepEqual(starts({ beat: 3 }), [1, 5, 7]);
  assert.deepEqual(starts({ beat: 4 }), [1]);
  assert.deepEqual(starts({}), [1]);
  assert.deepEqual(starts({ pointed: { node: 7 } }), [7]);
  assert.deepEqual(starts({ pointed: { position: 1 } }), []);
  assert.equal(stretchesShown(frame({ pointed: { node: 2 } })).own, 3);
  assert.deepEqual(starts({ cursor: 0, visible: 5 }), []);
});

test("the certain next token", () => {
  assert.equal(nextRoot(frame({ cursor: 0 })), 1);
  assert.equal(nextRoot(frame({ beat: 2 })), 1);
  assert.equal(nextRoot(frame()), 5); // what the target chose after the accepted path
  assert.equal(nextRoot(frame({}, made([STEP, { ...NEXT, tokens: [4] }]))), 4); // what the next step began with
  assert.equal(nextRoot(frame({}, made([STEP], "length"))), null);
  assert.equal(nextRoot(frame({ cursor: 0 }, made([]))), null);
});

test("the rank that a branch began with", () => {
  const { steps } = made();
  assert.deepEqual([0, 1, 3, 4, 5, 7].map((node) => headOf(steps[0], node)), [0, 0, 0, 4, 4, 6]);
});
