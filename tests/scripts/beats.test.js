import assert from "node:assert/strict";
import { test } from "node:test";
import { AS_IT_RAN, BEATS, BY_BEAT, BY_BEAT_SLOWLY, SPEEDS, beatBefore, dueStill, sceneSeconds, staySeconds, stillAfter } from "../../assets/player/beats.js";

const STEPS = [{ seconds: 0.5 }, { seconds: 0.25 }, { seconds: 1 }];
const still = (cursor, beat) => ({ cursor, beat });

function stillsFrom(first, speed) {
  const stills = [];
  for (let at = first; at; at = stillAfter(at, STEPS.length, speed)) stills.push([at.cursor, at.beat]);
  return stills;
}

test("the beats of every step in order, then the next step", () => {
  assert.deepEqual(stillsFrom(still(2, 3), BY_BEAT), [[2, 3], [2, 4], [2, 5], [3, 1], [3, 2], [3, 3], [3, 4], [3, 5]]);
});

test("other speeds go from end to end of the steps", () => {
  for (const speed of [1, 60, AS_IT_RAN]) {
    assert.deepEqual(stillsFrom(still(1, 2), speed), [[1, 2], [1, 5], [2, 5], [3, 5]]);
  }
});

test("a beat back", () => {
  assert.deepEqual(beatBefore(still(3, 2)), still(3, 1));
  assert.deepEqual(beatBefore(still(3, 1)), still(2, 5));
  assert.equal(beatBefore(still(1, 1)), null);
});

test("all five beats take less than two seconds, slowly they can be read", () => {
  assert.equal(BEATS.length, 5);
  assert.ok(staySeconds(STEPS, BY_BEAT, still(1, 1)) * 5 < 2);
  assert.ok(staySeconds(STEPS, BY_BEAT_SLOWLY, still(1, 1)) >= 2);
});

test("a still stays as long as its speed says", () => {
  assert.equal(staySeconds(STEPS, 20, still(1, 5)), 0.05);
  assert.equal(staySeconds(STEPS, AS_IT_RAN, still(1, 5)), 0.25);
  assert.equal(staySeconds(STEPS, AS_IT_RAN, still(3, 5)), 0);
  assert.deepEqual(SPEEDS.filter((speed) => typeof speed === "number"), [1, 2, 5, 10, 20, 60]);
});

test("a scene walks from node to node, a long way in no more than six seconds", () => {
  const rounded = (beat, nodes) => Number(sceneSeconds(beat, nodes).toFixed(6));
  assert.deepEqual([1, 2, 3].map((beat) => rounded(beat, 9)), [2, 4, 2]);
  assert.deepEqual([1, 3, 20].map((nodes) => rounded(4, nodes)), [1.4, 3, 6.6]);
});

test("whole steps that are over by now are left out", () => {
  assert.deepEqual(dueStill(STEPS, 10, still(1, 5), 0), { still: still(2, 5), skipped: 0 });
  assert.deepEqual(dueStill(STEPS, 10, still(1, 5), 0.09), { still: still(2, 5), skipped: 0 });
  assert.deepEqual(dueStill(STEPS, 10, still(1, 5), 0.11), { still: still(3, 5), skipped: 0.1 });
  assert.deepEqual(dueStill(STEPS, 10, still(3, 5), 9), { still: null, skipped: 0 });
});

test("a beat is never left out, however late it is", () => {
  assert.deepEqual(dueStill(STEPS, BY_BEAT, still(1, 1), 60), { still: still(1, 2), skipped: 0 });
});
