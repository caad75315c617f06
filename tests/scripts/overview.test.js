import assert from "node:assert/strict";
import { test } from "node:test";
import { markPlaces, soFarWords } from "../../assets/player/overview.js";

test("sources are marked at the steps that brought them, each step once, the prompt as 0", () => {
  const trace = { stepOf: [0, 0, 0, 1, 1, 2, 3, 3] };
  const from = (...positions) => positions.map((position) => ({ from: position }));
  assert.deepEqual(markPlaces(trace, from(6, 1, 4, 3, 2)), [0, 1, 3]);
  assert.deepEqual(markPlaces({ stepOf: [10, 9, 2] }, from(0, 1, 2)), [2, 9, 10]);
  assert.deepEqual(markPlaces(trace, []), []);
  assert.deepEqual(markPlaces(trace, from(8)), []); // not in the text: nothing is marked
});

test("the numbers so far count a step with its last beat", () => {
  const total = (end, seconds) => ({ end, seconds, device: 0, drafted: 0, accepted: 0 });
  const trace = { header: {}, promptLength: 5, totals: [total(5, 0), total(7, 0.1), total(11, 0.2)] };
  assert.equal(soFarWords({ trace, cursor: 2, beat: 5 }), "So far 3.00 a pass");
  assert.equal(soFarWords({ trace, cursor: 2, beat: 4 }), "So far 2.00 a pass");
  assert.equal(soFarWords({ trace, cursor: 1, beat: 4 }), "");
  assert.equal(soFarWords({ trace, cursor: 0, beat: 1 }), "");
});
