import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.mjs";

const { aroundText, logBars, share, tieCurve } = load(["words.js", "logits.js", "ties.js"]);

const box = (left, top, right, bottom) => ({ left, top, right, bottom });
const ends = (...about) => {
  const numbers = tieCurve(...about).curve.match(/-?\d+(\.\d+)?/g).map(Number);
  return [numbers.slice(0, 2), numbers.slice(-2)];
};

test("from a rank to a node beside it: from side to side", () => {
  assert.deepEqual(ends(box(0, 100, 50, 120), box(200, 40, 260, 60), true), [[50, 110], [198, 50]]);
});

test("from the text to a node: from above to its top", () => {
  const from = box(20, 0, 60, 20);
  assert.deepEqual(ends(from, box(200, 100, 240, 120), false), [[60, 18], [214, 98]]);
  assert.deepEqual(ends(from, box(10, 100, 30, 120), false), [[40, 20], [20, 98]]);
});

// Every place that a line of M, L, H, V, q and C passes or bends at, without what bends it.
function corners(curve) {
  const places = [];
  let [x, y] = [0, 0];
  for (const [, name, rest] of curve.matchAll(/([MLHVqC])([^MLHVqC]*)/g)) {
    const numbers = (rest.match(/-?\d+(\.\d+)?/g) || []).map(Number);
    if (name === "H") x = numbers[0];
    else if (name === "V") y = numbers[0];
    else if (name === "q") [x, y] = [x + numbers[2], y + numbers[3]];
    else [x, y] = numbers.slice(-2);
    places.push([x, y]);
  }
  return places;
}

test("from the text to a tree beside it: under the line to the right edge, then over", () => {
  const text = box(0, 0, 200, 100);
  const places = corners(aroundText(box(20, 30, 60, 50), box(300, 10, 340, 30), text).curve);
  assert.deepEqual(places, [[60, 52], [193, 52], [314, 8]]);
});

test("from the text to a tree below it: under the line to the left edge, then down", () => {
  const text = box(0, 0, 200, 100);
  const places = corners(aroundText(box(20, 30, 60, 50), box(50, 180, 90, 200), text).curve);
  assert.deepEqual(places, [[20, 52], [13, 52], [7, 58], [7, 162], [13, 168], [58, 168], [64, 174], [64, 178]]);
});

test("upwards it leaves at the top and ends at the foot", () => {
  assert.deepEqual(ends(box(20, 200, 60, 220), box(10, 100, 50, 120), false), [[40, 200], [24, 122]]);
});

test("probabilities keep two digits that say something", () => {
  assert.deepEqual([1, 0.5, 0.0123, 0.000123, 0.0000123, 0.00000000123, 0].map(share), [
    "100.0 %",
    "50.0 %",
    "1.2 %",
    "0.01 %",
    "0.0012 %",
    "< 0.000001 %",
    "0.0 %",
  ]);
});

test("a logarithmic scale goes from a tenth of the least to the most", () => {
  const length = logBars([1, 0.1, 0.01]);
  assert.deepEqual([1, 0.1, 0.01, 0].map((each) => Number(length(each).toFixed(6))), [1, 0.666667, 0.333333, 0]);
});
