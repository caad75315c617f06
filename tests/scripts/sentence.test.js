import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheWords } from "../../assets/player/cache.js";
import { baselineWords, countTexts, duration, secondsReason } from "../../assets/player/numbers.js";
import { beatWords, stepSentence, storySentence } from "../../assets/player/sentence.js";
import { appendSteps, createTrace, isRejection } from "../../assets/player/trace.js";
import { originWords, restSentence } from "../../assets/player/words.js";

const WORDS = [" the", " cat", " sat", " on", " mat", " and", " slept", "\n", " dog", "!"];
const [THE, CAT, SAT, ON, MAT, AND, SLEPT, LINE, DOG, END] = WORDS.keys();

// Position:        0    1    2    3   4    5    6    7      8    9
const PROMPT = [THE, CAT, SAT, ON, THE, MAT, AND, SLEPT, LINE, SAT];

function traceOf(steps, header = {}) {
  const vocabulary = Object.fromEntries(WORDS.map((word, id) => [id, word]));
  const trace = createTrace({ schema: 1, run: "r", prompt_ids: PROMPT, vocabulary, ...header });
  appendSteps(trace, steps);
  return trace;
}

const NO_TIME = { draft: 0, verify: 0, accept: 0, commit: 0, device: 0 };

/** nodes: [token, parent, provenance]; choices by node, those not given are the newline. */
function stepOf(nodes, choices, path, extra = {}) {
  return {
    position: 10,
    last: { ids: [nodes[0][0], DOG, THE, END, LINE, AND, SLEPT, MAT], probs: [0.9, 0.02, 0.0123, 0.003, 0.002, 0.001, 0.0004, 0.0001] },
    tokens: nodes.map(([token]) => token),
    parents: nodes.map(([, parent]) => parent),
    provenance: nodes.map(([, , origin]) => origin),
    choices: nodes.map((node, at) => choices[at] ?? LINE),
    path,
    seconds: NO_TIME,
    ...extra,
  };
}

const said = (trace, beat) => Object.values(beatWords(trace, 1, beat));

const ROOT = (token) => [token, -1, ["root", 0, 0.9]];

// The step of the specification: a runner-up, then what followed " the mat" in the prompt.
const RUNNER_UP = stepOf(
  [
    ROOT(THE),
    [MAT, 0, ["logit", 7, 0.0001]],
    [AND, 1, ["retrieved", null, null, 2, 6, "next_next"]],
    [SLEPT, 2, ["retrieved", null, null, 2, 7, "next_next"]],
    [LINE, 3, ["retrieved", null, null, 2, 8, "next_next"]],
    [DOG, 0, ["logit", 1, 0.02]],
  ],
  [MAT, AND, SLEPT, DOG],
  [0, 1, 2, 3],
);

test("a run of one token says so where it reached its limit", () => {
  for (const [most, limit] of [[1, "1 new token was"], [2, "2 new tokens was"]]) {
    const trace = traceOf([stepOf([ROOT(THE)], [CAT], [0])], { finish: "length", max_new_tokens: most });
    assert.equal(restSentence(trace, 1), `The limit of ${limit} reached; the target's next token would have been " cat".`);
  }
});

test("a runner-up, and what the prompt continued with after it", () => {
  const trace = traceOf([RUNNER_UP]);
  assert.equal(
    storySentence(trace, 1),
    '"mat" was the model\'s 8th choice for the previous place; after "the mat" the prompt continued with "and slept\\n", so 3 tokens were' +
      " copied from position 6; 3 of 5 drafted tokens were accepted: 4 tokens from one forward pass.",
  );
  assert.equal(stepSentence(trace, 1), "Step 1: 5 drafted, 3 accepted, 4 tokens from one forward pass.");
});

test("a copy after the root's own n-gram, from the output", () => {
  const copy = stepOf(
    [ROOT(MAT), [AND, 0, ["retrieved", null, null, 1, 12, "root"]], [SLEPT, 0, ["logit", 6, 0.0004]]],
    [AND, DOG],
    [0, 1],
    { position: 14 },
  );
  assert.equal(
    storySentence(traceOf([RUNNER_UP, copy]), 2),
    'After "mat" the output continued with "and", so 1 token was copied from position 12; 1 of 2 drafted tokens was' +
      " accepted: 2 tokens from one forward pass.",
  );
});

test("a copy that reaches over the end of the prompt is of the text", () => {
  const copy = stepOf(
    [ROOT(LINE), [SAT, 0, ["retrieved", null, null, 1, 9, "root"]], [THE, 1, ["retrieved", null, null, 1, 10, "root"]]],
    [SAT, THE, DOG],
    [0, 1, 2],
    { position: 14 },
  );
  assert.match(storySentence(traceOf([RUNNER_UP, copy]), 2), /^After "\\n" the text continued with "sat the", so 2 tokens were/);
});

test("a runner-up alone", () => {
  const trace = traceOf([stepOf([ROOT(THE), [DOG, 0, ["logit", 1, 0.02]]], [DOG, END], [0, 1])]);
  assert.equal(
    storySentence(trace, 1),
    '"dog" was the model\'s 2nd choice for the previous place; the one drafted token was accepted: 2 tokens from one forward pass.',
  );
});

test("nothing accepted, and why", () => {
  const trace = traceOf([stepOf([ROOT(THE), [DOG, 0, ["logit", 1, 0.02]], [END, 0, ["logit", 3, 0.003]]], [CAT], [0])]);
  assert.equal(
    storySentence(trace, 1),
    'None of 2 drafted tokens was accepted, because after "the" the target chose "cat": 1 token from one forward pass.',
  );
});

test("no reason is made up for the end of a run", () => {
  const nodes = [ROOT(THE), [CAT, 0, ["logit", 1, 0.02]]];
  const trace = traceOf([stepOf(nodes, [CAT], [0])], { finish: "length" });
  assert.equal(
    storySentence(trace, 1),
    "The one drafted token was not accepted before the run ended: 1 token from one forward pass.",
  );
  assert.deepEqual(said(trace, 4), ["The one drafted token was not accepted before the run ended", '"the" wants "cat". The run ends here.']);
  const longer = [...nodes, [SAT, 1, ["logit", 2, 0.01]], [ON, 2, ["logit", 3, 0.01]]];
  const cut = (path) => said(traceOf([stepOf(longer, [CAT, SAT, ON, DOG], path)], { finish: "length" }), 4)[0];
  assert.equal(cut([0]), "None of 3 drafted tokens was accepted before the run ended");
  assert.equal(cut([0, 1, 2]), "2 of 3 drafted tokens were accepted");
  assert.equal(cut([0, 1, 2, 3]), "3 of 3 drafts are what it would have written");
  assert.equal(isRejection(trace.steps[0]), false);
  const beside = stepOf([ROOT(THE), nodes[1], [DOG, 0, ["logit", 2, 0.01]]], [CAT], [0, 1]);
  assert.equal(isRejection(traceOf([beside]).steps[0]), true);
});

test("nothing drafted is plain decoding", () => {
  const trace = traceOf([stepOf([ROOT(THE)], [CAT], [0])]);
  assert.equal(storySentence(trace, 1), "This pass yields one token, as in plain decoding.");
  assert.deepEqual(said(trace, 2), ["Nothing is drafted", "This pass yields one token, as in plain decoding."]);
});

test("where trees are sized by cost, nothing drafted has its reason in the costs", () => {
  const costs = (milliseconds) => ({ environment: { forward_costs: { rows: [1, 2, 4], milliseconds } } });
  const told = (milliseconds, tree_size) =>
    said(traceOf([stepOf([ROOT(THE)], [CAT], [0])], { options: { tree_size }, ...costs(milliseconds) }), 2)[1];
  const plain = "This pass yields one token, as in plain decoding.";
  assert.equal(
    told([40, 50, 90], "measured"),
    `${plain} A pass takes 40.0 ms here, and a single draft 10.0 ms more: it pays only where it is right more than` +
      " 25% of the time, and none was that likely.",
  );
  assert.equal(
    told([40, 90, 90], "measured"),
    `${plain} A pass takes 40.0 ms here, and a single draft 50.0 ms more: even one that is always right would` +
      " not pay alone, and several were not likely enough.",
  );
  assert.equal(told([40, 50, 90], "capacity"), plain);
});

test("costs are no reason where a draft costs nothing, or has no room", () => {
  const plain = "This pass yields one token, as in plain decoding.";
  const told = (rows, milliseconds, { padded, ...header } = {}) => {
    const environment = { forward_costs: { rows, milliseconds, padded } };
    return said(traceOf([stepOf([ROOT(THE)], [CAT], [0])], { options: { tree_size: "measured" }, environment, ...header }), 2)[1];
  };
  assert.equal(told([1, 2, 4], [40, 40, 90]), plain);
  assert.equal(told([1, 2, 4], [40, 40.1, 90]), plain);
  assert.match(told([1, 2, 4], [40, 40.2, 90]), /more than 1% of the time/);
  assert.equal(told([64, 128], [40, 60], { padded: true }), plain);
  assert.match(told([1, 64], [40, 60], { padded: true }), /a single draft 20\.0 ms more: it pays .* more than 50% /);
  assert.match(told([1, 5], [40, 56]), /a single draft 4\.0 ms more: it pays .* more than 10% /);
  assert.equal(told([1, 2, 4], [40, 50, 90], { finish: "context" }), plain);
  assert.match(told([1, 2, 4], [40, 50, 90], { finish: "length" }), /more than 25% of the time/);
});

test("other origins are told by their names, and two copies in one path apart", () => {
  const nodes = [
    ROOT(THE),
    [CAT, 0, ["recycled", null, null]],
    [SAT, 1, ["recycled", null, null]],
    [ON, 2, ["suffix", null, null, 2, 3]],
    [THE, 3, ["suffix", null, null, 2, 4]],
    [MAT, 4, ["suffix", null, null, 3, 5]],
  ];
  const trace = traceOf([stepOf(nodes, [CAT, SAT, ON, THE, MAT], [0, 1, 2, 3, 4, 5])]);
  assert.equal(
    storySentence(trace, 1),
    '"cat sat" came from the successor table; after "cat sat" the prompt continued with "on the", so 2 tokens were copied' +
      ' from position 3; after "sat on the" the prompt continued with "mat", so 1 token was copied from position 5;' +
      " 5 of 5 drafted tokens were accepted: 6 tokens from one forward pass.",
  );
});

test("a recycled node says its rank after the token above it", () => {
  const nodes = [ROOT(THE), [CAT, 0, ["recycled", 2, 0.031]], [SAT, 1, ["recycled", 0]]];
  const trace = traceOf([stepOf(nodes, [CAT, DOG], [0, 1])]);
  const step = trace.steps[0];
  assert.equal(originWords(trace, step, 1), 'from the successor table, rank 2 after " the" (3.1% then)');
  assert.equal(originWords(trace, step, 2), 'from the successor table, rank 0 after " cat"');
  assert.deepEqual(said(trace, 2), ["2 drafts of what comes next", "2: from the successor table."]);
  assert.equal(
    storySentence(trace, 1),
    '"cat" came from the successor table; 1 of 2 drafted tokens was accepted: 2 tokens from one forward pass.',
  );
});

test("of a long match the end is quoted", () => {
  const nodes = [ROOT(LINE), [SAT, 0, ["suffix", null, null, 9, 9]], [DOG, 1, ["suffix", null, null, 9, 10]]];
  const earlier = stepOf([ROOT(DOG)], [LINE], [0]);
  const trace = traceOf([earlier, stepOf(nodes, [SAT, DOG], [0, 1, 2], { position: 11 })]);
  const quote = '"… cat sat on the mat and slept\\n"';
  assert.ok(storySentence(trace, 2).startsWith(`After ${quote} the text continued with "sat dog", so 2 tokens were copied`));
  const told = originWords(trace, trace.steps[1], 2);
  assert.equal(told, `copied from position 10 after the 9-token match ${quote}`);
  assert.deepEqual(Object.values(beatWords(trace, 2, 2)), ["2 drafts of what comes next", "2: from the suffix automaton."]);
});

test("a long copy is cut short in words, not in its count", () => {
  const nodes = [ROOT(LINE)];
  for (let at = 0; at < 10; at += 1) nodes.push([PROMPT[at], at, ["retrieved", null, null, 0, at, "root"]]);
  const choices = [...nodes.slice(1).map(([token]) => token), DOG];
  const trace = traceOf([stepOf(nodes, choices, nodes.map((node, at) => at))]);
  assert.equal(
    storySentence(trace, 1),
    "10 tokens were copied from position 0; 10 of 10 drafted tokens were accepted: 11 tokens from one forward pass.",
  );
});

test("the beats of the step, each in its sentence", () => {
  const seconds = { draft: 0.001, verify: 0.02, accept: 0, commit: 0, device: 0.0185 };
  const trace = traceOf([{ ...RUNNER_UP, seconds }]);
  assert.deepEqual(said(trace, 1), [
    'The next token is certain: "the"',
    "The previous pass ranked it first (90.0%). 2 other favourites for its place will be tried after it.",
  ]);
  assert.deepEqual(said(trace, 2), [
    "5 drafts of what comes next",
    '2: its other favourites for the place of "the"; 3: what followed those words earlier.',
  ]);
  assert.deepEqual(said(trace, 3), [
    "One pass checks all 5 drafts",
    "It works on 6 tokens at once (its rows), the root and the drafts, and says after each what it would write next." +
      " It took 20.0 ms, 18.5 ms of it on the device.",
  ]);
  assert.deepEqual(said(trace, 4), [
    "3 of 5 drafts are what it would have written",
    '"the" wants "mat"\u00a0✓, "mat" wants "and"\u00a0✓, "and" wants "slept"\u00a0✓, "slept" wants "dog"\u00a0✗.',
  ]);
  assert.deepEqual(said(trace, 5), [stepSentence(trace, 1), storySentence(trace, 1)]);
});

test("the verb goes with the accepted drafts, not with all of them", () => {
  const headline = (nodes, path) => said(traceOf([stepOf(nodes, [DOG, MAT], path)]), 4)[0];
  const dog = [DOG, 0, ["logit", 1, 0.02]];
  const mat = [MAT, 1, ["retrieved", null, null, 1, 5, "next_next"]];
  assert.equal(headline([ROOT(THE), dog, [MAT, 0, ["logit", 7, 0.0001]]], [0, 1]), "1 of 2 drafts is what it would have written");
  assert.equal(headline([ROOT(THE), dog, mat], [0, 1, 2]), "2 of 2 drafts are what it would have written");
  assert.equal(headline([ROOT(THE), dog], [0, 1]), "The draft is what it would have written");
});

test("a root that sampling drew from lower ranks is not called the first", () => {
  const drawn = stepOf([ROOT(END)], [CAT], [0], { last: { ids: [THE, END], probs: [0.6, 0.3] } });
  const below = stepOf([ROOT(END)], [CAT], [0], { last: { ids: [THE], probs: [0.6] } });
  assert.equal(said(traceOf([drawn]), 1)[1], "It was drawn from the last logits: their 2nd choice, 30.0%.");
  assert.equal(said(traceOf([below]), 1)[1], "It was drawn from the last logits, from below the ranks that are kept.");
});

test("numbers up to the end of a step", () => {
  const seconds = { draft: 0.1, verify: 0.8, accept: 0.05, commit: 0.05, device: 0.75 };
  const baseline = { method: "autoregressive", seconds_per_token: 0.5 };
  const trace = traceOf([{ ...RUNNER_UP, seconds }], { baseline });
  assert.deepEqual(countTexts(trace, 1), {
    tokens: "4", forwards: "1", mean: "4.00", acceptance: "60.0%", rate: "4.0", wall: "1.00 s", device: "750 ms", speedup: "2.00 ×",
  });
  assert.equal(baselineWords(baseline), "over plain decoding, which took 500 ms a token (autoregressive, measured)");
  assert.deepEqual(countTexts(trace, 0), { tokens: "0", forwards: "0" });
  assert.equal("speedup" in countTexts(traceOf([{ ...RUNNER_UP, seconds }]), 1), false);
});

test("times", () => {
  assert.deepEqual([0.0123, 0.84, 3.841, 59.994, 125.4].map(duration), ["12.3 ms", "840 ms", "3.84 s", "59.99 s", "2 min 5 s"]);
  assert.deepEqual([0.9996, 59.996, 119.6].map(duration), ["1.00 s", "1 min 0 s", "2 min 0 s"]);
});

test("where the seconds come from, and what more rows cost there", () => {
  const where = "Measured on cuda:0; on another machine a pass costs a different amount.";
  const about = (forward_costs) => secondsReason({ header: { model: { device: "cuda:0" }, environment: { forward_costs } } });
  const times = "A pass over 64 rows takes 2.5 times as long here as one over a single row.";
  assert.equal(about({ rows: [1, 64, 128], milliseconds: [4, 10, 30] }), `${where} ${times}`);
  assert.equal(secondsReason({ header: { model: {}, environment: {} } }), "On another machine a pass costs a different amount.");
  for (const costs of [undefined, { rows: [1, 8], milliseconds: [4, 5] }]) assert.equal(about(costs), where);
});

test("the rows of the KV cache before, in and after the pass", () => {
  const trace = traceOf([RUNNER_UP]);
  assert.equal(cacheWords(trace, 1, 1), "10 rows: one for every token of the text before the root");
  assert.equal(cacheWords(trace, 1, 3), "10 rows + 6 of this pass");
  assert.equal(cacheWords(trace, 1, 5), "10 rows + 6 of this pass: 4 accepted rows stay, 2 dropped, 14 in all");
});
