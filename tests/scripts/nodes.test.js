/* Chips, edges and the mask, without a page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { originOfEdge, stateOfEdge } from "../../assets/player/edges.js";
import { ancestorsOf, positionIds } from "../../assets/player/mask.js";
import { letterCount, nodeWidths } from "../../assets/player/nodes.js";
import { addVocabulary, appendSteps, createTrace, isRejection, lastTypicalStep, spellToken, verdictOf } from "../../assets/player/trace.js";
import { nextZoom } from "../../assets/player/zoom.js";

const VOCABULARY = { 0: " the", 1: " cat", 2: "\n", 3: { hex: "e2 9c".replace(" ", "") }, 4: " 日本" };

/** root 0 -> 1 (accepted) -> 2 (rejected); 0 -> 3 (rejected) -> 4 (not compared) */
const ROW = {
  position: 7,
  last: { ids: [0, 3], probs: [0.9, 0.1] },
  tokens: [0, 1, 2, 3, 4],
  parents: [-1, 0, 1, 0, 3],
  provenance: [["root", 0, 0.9], ["retrieved", null, null, 1, 3, "root"], ["retrieved", null, null, 1, 4, "root"], ["logit", 1, 0.1], ["retrieved", null, null, 1, 5, "next_next"]],
  choices: [1, 4, 0, 0, 0],
  path: [0, 1],
  seconds: { draft: 0, verify: 0, accept: 0, commit: 0 },
};

function made() {
  const trace = createTrace({ schema: 1, prompt_ids: [0, 1, 0, 1, 2, 3, 4], vocabulary: VOCABULARY });
  appendSteps(trace, [ROW]);
  return { trace, step: trace.steps[0] };
}

test("letters: wide ones count twice, marks none, icons and codes what they take", () => {
  assert.equal(letterCount([{ text: " cat" }]), 4);
  assert.equal(letterCount([{ text: "日本" }]), 4);
  assert.equal(letterCount([{ text: "𠮷" }]), 2);
  assert.equal(letterCount([{ text: "e\u0301" }]), 1);
  assert.equal(letterCount([{ text: "\n  " }]), 3.4);
  assert.equal(letterCount([{ text: "\u202e" }]), 6.6);
  assert.ok(letterCount([{ hex: "e2 9c" }]) >= 7);
});

test("a slot holds its chip and the line under it, within limits", () => {
  const { trace, step } = made();
  const widths = nodeWidths(trace, step);
  for (const { chip, slot } of widths) assert.ok(chip <= slot && chip > 1.4 && chip <= 11);
  assert.ok(widths[4].chip > widths[1].chip); // " 日本" is five letters wide
});

test("along the accepted path it says whether what the target wants was drafted, elsewhere nothing", () => {
  const { step } = made();
  assert.deepEqual(step.states, ["accepted", "accepted", "rejected", "rejected", "uncompared"]);
  assert.deepEqual([0, 1, 2, 3, 4].map((node) => verdictOf(step, node)), ["✓", "✗", "", "", ""]);
});

test("a step has a rejection where the target chose another token, not where a right draft came too late", () => {
  assert.equal(isRejection(made().step), true);
  const trace = createTrace({ schema: 1, prompt_ids: [], vocabulary: VOCABULARY });
  appendSteps(trace, [rootOf(3), { ...rootOf(3), path: [0] }, rootOf(1)]);
  assert.deepEqual(trace.steps.map(isRejection), [false, false, false]);
});

/** A step that brings `length` tokens. */
const rootOf = (length) => ({
  ...ROW,
  tokens: Array(length).fill(0),
  parents: Array.from({ length }, (_, node) => node - 1),
  provenance: Array(length).fill(["root"]),
  choices: Array(length).fill(0),
  path: [...Array(length).keys()],
});

test("a run that was followed rests at the last of its typical steps", () => {
  const rest = (...lengths) => {
    const trace = createTrace({ schema: 1, prompt_ids: [], vocabulary: VOCABULARY });
    appendSteps(trace, lengths.map(rootOf));
    return lastTypicalStep(trace.steps);
  };
  assert.equal(rest(3, 9, 3, 3, 1), 4);
  assert.equal(rest(3, 5, 3, 5), 3); // of two in the middle the smaller one
  assert.equal(rest(1, 2, 1, 2, 1, 1), 4); // one token shows nothing
  assert.equal(rest(1, 1), 0);
  assert.equal(rest(), 0);
});

test("a token is a number until its spelling comes, and its characters keep together", () => {
  const trace = createTrace({ schema: 1, prompt_ids: [9, 7, 8, 9], vocabulary: { 7: { hex: "c3" }, 8: { hex: "a9" } } });
  assert.deepEqual(spellToken(trace, 9), [{ text: "⟨#9⟩" }]);
  addVocabulary(trace, { 9: " dog" });
  assert.deepEqual(spellToken(trace, 9), [{ text: " dog" }]);
  assert.deepEqual(trace.groupOf, [0, 1, 1, 3]);
});

test("a shared edge takes the best fate and the origin that all agree on", () => {
  const { step } = made();
  assert.equal(stateOfEdge(step, { of: [2, 1] }), "accepted");
  assert.equal(stateOfEdge(step, { of: [4] }), "uncompared");
  assert.equal(originOfEdge(step, { kind: "bus", of: [1, 2] }), "retrieved");
  assert.equal(originOfEdge(step, { kind: "bus", of: [1, 3] }), null);
  assert.equal(originOfEdge(step, { kind: "trunk", of: [1] }), null);
});

test("a row of the mask sees its ancestors and itself; siblings share a position id", () => {
  const { step } = made();
  assert.deepEqual(ancestorsOf(step), [[0], [0, 1], [0, 1, 2], [0, 3], [0, 3, 4]]);
  assert.deepEqual(positionIds(step), [7, 8, 9, 8, 9]);
});

test("zoom goes by fixed steps and stops at the ends", () => {
  assert.deepEqual([1, 1.1, 3].map((factor) => nextZoom(factor, 1)), [1.25, 1.25, 3]);
  assert.deepEqual([1, 1.1, 0.5].map((factor) => nextZoom(factor, -1)), [0.8, 1, 0.5]);
});
