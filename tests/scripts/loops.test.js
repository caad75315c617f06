import assert from "node:assert/strict";
import { test } from "node:test";
import { loopIn } from "../../assets/player/loops.js";

const range = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);
const times = (count, block) => Array.from({ length: count }, () => block).flat();

test("a block that follows itself three times, in all of its length", () => {
  const ids = [...range(100, 110), ...times(3, range(0, 8)), ...range(200, 205)];
  assert.deepEqual(loopIn(ids), { from: 10, to: 34, block: 8 });
  assert.deepEqual(loopIn([...range(100, 107), ...times(40, [5])]), { from: 7, to: 47, block: 1 });
  // It goes on with a part of the block, up to the end of the text.
  assert.deepEqual(loopIn([...times(4, range(0, 7)), 0, 1]), { from: 0, to: 30, block: 7 });
});

test("twice, or short, or too long a block is no loop", () => {
  assert.equal(loopIn([...times(2, range(0, 20)), 99]), null);
  assert.equal(loopIn(times(5, [1, 2, 3])), null);
  assert.equal(loopIn(times(3, range(0, 49))), null);
  assert.equal(loopIn([]), null);
});

test("the longest of several", () => {
  const ids = [...times(3, range(0, 8)), ...range(50, 60), ...times(5, range(20, 30))];
  assert.deepEqual(loopIn(ids), { from: 34, to: 84, block: 10 });
});
