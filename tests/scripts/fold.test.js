import assert from "node:assert/strict";
import { test } from "node:test";

import { foldOf } from "../../assets/player/fold.js";

const never = () => false;
const everyLine = (tokens) => (position) => position % tokens === tokens - 1;

test("short prompts are not folded", () => {
  assert.equal(foldOf(0, never, never), null);
  assert.equal(foldOf(1200, never, never), null);
  assert.equal(foldOf(600, everyLine(10), never), null); // 60 lines
});

test("many short lines: fourteen stay at either end", () => {
  assert.deepEqual(foldOf(610, everyLine(10), never), { from: 140, to: 470 });
});

test("long lines: a fold begins and ends with one where the rest stays long enough", () => {
  assert.deepEqual(foldOf(2000, everyLine(100), never), { from: 200, to: 1800 });
});

test("one endless line is folded by tokens, but not within a character", () => {
  assert.deepEqual(foldOf(2000, never, never), { from: 280, to: 1720 });
  const inside = (position) => [279, 280, 1720].includes(position);
  assert.deepEqual(foldOf(2000, never, inside), { from: 278, to: 1721 });
});
