import assert from "node:assert/strict";
import { test } from "node:test";
import { raceReasons, verdictWords } from "../../assets/compare/words.js";

const race = (dtype) => ({
  lanes: [{ trace: { header: { model: { dtype } } } }],
  verdict: { tokens: 12, differs_at: null, margin: null, complete: true },
});

test("identical outputs in half precision are said to be so", () => {
  assert.equal(verdictWords(race("bfloat16")), "All outputs are identical, in bfloat16, token for token (12 tokens).");
  assert.equal(verdictWords(race("float32")), "All outputs are identical, token for token (12 tokens).");
  assert.equal(verdictWords(race(undefined)), "All outputs are identical, token for token (12 tokens).");
});

test("nothing is called identical where some lane wrote nothing", () => {
  const stopped = (tokens) => verdictWords({ ...race("float32"), verdict: { tokens, differs_at: null, margin: null, complete: false } });
  assert.equal(stopped(0), "Stopped");
  assert.match(stopped(1), /^The race was stopped\. Up to where all lanes got \(1 token\), their outputs are identical\.$/);
});

test("a lane is compared with plain decoding where both wrote as much", () => {
  /** A lane whose passes brought so many tokens each, in a second each. */
  const lane = (title, method, passes) => {
    const ends = passes.reduce((all, tokens) => [...all, all[all.length - 1] + tokens], [10]);
    const steps = passes.map((tokens) => ({ row: { tokens: Array(tokens).fill(0) } }));
    const header = { method, model: { device: "cpu" } };
    return { title, trace: { header, steps, promptLength: 10, totals: ends.map((end, seconds) => ({ end, seconds })) } };
  };
  const plain = lane("plain", "autoregressive", [1, 1, 1, 1]);
  const reasons = (...lanes) => raceReasons({ lanes: [plain, ...lanes] }, null);
  assert.deepEqual(reasons(lane("done", "logitspec", [2, 2])), [
    "done: 2 passes instead of 4, each 1.00 times as expensive on this cpu: 2.00 times as fast.",
  ]);
  assert.match(reasons(lane("once", "logitspec", [4]))[0], /^once: 1 pass instead of 4, 1\.00 times as expensive/);
  // Stopped together: as many passes, but not as many tokens.
  assert.deepEqual(reasons(lane("stopped", "logitspec", [2, 2, 2, 2])), []);
});
