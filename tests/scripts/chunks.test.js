import assert from "node:assert/strict";
import { test } from "node:test";

import { chunkAt, cutChunks, inWindow } from "../../assets/player/chunks.js";

const text = (lines = [], insides = [], borders = []) => ({
  endsLine: (position) => lines.includes(position),
  inside: (position) => insides.includes(position),
  borders,
});
const cut = (count, about = text()) => {
  const chunks = [];
  cutChunks(chunks, count, about);
  return chunks;
};
const ends = (chunks) => chunks.map(({ end }) => end);

test("chunks of at most 64 tokens hold every position once", () => {
  assert.deepEqual(cut(0), []);
  assert.deepEqual(cut(1), [{ start: 0, end: 1, line: true }]);
  assert.deepEqual(ends(cut(200)), [64, 128, 192, 200]);
  assert.deepEqual(cut(130).map(({ start }) => start), [0, 64, 128]);
});

test("a chunk ends with a line when it is long enough", () => {
  const chunks = cut(150, text([9, 39, 59, 75, 110]));
  assert.deepEqual(ends(chunks), [40, 76, 111, 150]);
  assert.deepEqual(chunks.map(({ line }) => line), [true, true, true, true]);
  assert.equal(cut(100)[1].line, false);
});

test("borders cut always, characters never are", () => {
  assert.deepEqual(ends(cut(100, text([], [], [10, 50]))), [10, 50, 100]);
  assert.deepEqual(ends(cut(100, text([], [64, 65]))), [66, 100]);
});

test("a text that grows is cut as if it had come in one piece", () => {
  const about = text([39, 59, 75, 110, 140], [130], [20]);
  const grown = [];
  for (const count of [0, 1, 5, 20, 21, 60, 61, 100, 131, 150]) cutChunks(grown, count, about);
  assert.deepEqual(grown, cut(150, about));
});

test("the chunk of a position", () => {
  const chunks = cut(200);
  assert.deepEqual([0, 63, 64, 199, 200, -1].map((at) => chunkAt(chunks, at)), [0, 0, 1, 3, -1, -1]);
  assert.equal(chunkAt([], 0), -1);
});

test("what reaches into a window", () => {
  const boxes = [0, 10, 20, 30, 40].map((top) => ({ top, bottom: top + 10 }));
  const boxOf = (at) => boxes[at];
  assert.deepEqual(inWindow(5, boxOf, 12, 31), [1, 4]);
  assert.deepEqual(inWindow(5, boxOf, -50, -20), [0, 0]);
  assert.deepEqual(inWindow(5, boxOf, 90, 99), [5, 5]);
  assert.deepEqual(inWindow(5, boxOf, -50, 99), [0, 5]);
});
