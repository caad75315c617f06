import assert from "node:assert/strict";
import { test } from "node:test";
import { verdictWords } from "../../assets/compare/words.js";

const race = (dtype) => ({
  lanes: [{ trace: { header: { model: { dtype } } } }],
  verdict: { tokens: 12, differs_at: null, margin: null, complete: true },
});

test("identical outputs in half precision are said to be so", () => {
  assert.equal(verdictWords(race("bfloat16")), "All outputs are identical, in bfloat16, token for token (12 tokens).");
  assert.equal(verdictWords(race("float32")), "All outputs are identical, token for token (12 tokens).");
  assert.equal(verdictWords(race(undefined)), "All outputs are identical, token for token (12 tokens).");
});
