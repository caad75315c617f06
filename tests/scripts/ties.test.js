import assert from "node:assert/strict";
import { test } from "node:test";

import { logBars, share } from "../../assets/player/logits.js";
import { aroundText, fromRank, withinText } from "../../assets/player/ways.js";

const box = (left, top, right, bottom) => ({ left, top, right, bottom });

// Where a line of M, L and Q begins, bends and ends.
const corners = (curve) =>
  [...curve.matchAll(/[MQ](-?\d+) (-?\d+)|L(-?\d+) (-?\d+)$/g)].map((found) =>
    found.slice(1).filter((each) => each !== undefined).map(Number),
  );

test("from the text to a tree beside it: under the line to the right edge, then over the row", () => {
  const text = box(0, 0, 200, 100);
  const places = corners(aroundText(box(20, 30, 60, 50), box(300, 10, 340, 30), text).curve);
  assert.deepEqual(places, [[60, 52], [205, 52], [205, 0], [314, 0], [314, 8]]);
});

test("from the text to a tree below it: under the line to the left edge, then down", () => {
  const text = box(0, 0, 200, 100);
  const places = corners(aroundText(box(20, 30, 60, 50), box(50, 180, 90, 200), text).curve);
  assert.deepEqual(places, [[20, 52], [7, 52], [7, 170], [64, 170], [64, 178]]);
});

test("a line's corners are round, but never longer than half of its sides", () => {
  const { curve } = aroundText(box(20, 30, 60, 50), box(50, 180, 90, 200), box(0, 0, 200, 100));
  assert.equal(curve, "M20 52L13 52Q7 52 7 58L7 164Q7 170 13 170L58 170Q64 170 64 174L64 178");
});

test("from a rank to a node beside it: along the edge of the text, then over the row", () => {
  const way = fromRank(box(0, 100, 50, 120), box(200, 40, 260, 60), box(0, 0, 60, 90));
  assert.deepEqual(corners(way.curve), [[50, 110], [69, 110], [69, 30], [214, 30], [214, 38]]);
});

test("within the text it comes down to the top of a token, or up to its foot", () => {
  const ends = (way) => {
    const numbers = way.curve.match(/-?\d+/g).map(Number);
    return [numbers.slice(0, 2), numbers.slice(-2)];
  };
  assert.deepEqual(ends(withinText(box(20, 0, 60, 20), box(10, 100, 30, 120))), [[40, 20], [20, 98]]);
  assert.deepEqual(ends(withinText(box(20, 200, 60, 220), box(10, 100, 50, 120))), [[40, 200], [24, 122]]);
});

test("probabilities keep two digits that say something", () => {
  assert.deepEqual([1, 0.5, 0.0123, 0.000123, 0.0000123, 0.00000000123, 0].map(share), [
    "100.0%",
    "50.0%",
    "1.2%",
    "0.01%",
    "0.0012%",
    "< 0.000001%",
    "0.0%",
  ]);
});

test("a logarithmic scale goes from a tenth of the least to the most", () => {
  const length = logBars([1, 0.1, 0.01]);
  assert.deepEqual([1, 0.1, 0.01, 0].map((each) => Number(length(each).toFixed(6))), [1, 0.666667, 0.333333, 0]);
});
