/* Races, without a page: what they hold, their clocks, and what is said about them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { frontier, momentAfter, momentBefore, places, stepsAt } from "../../assets/compare/clock.js";
import { registerRace } from "../../assets/compare/cues.js";
import { createRace, growRace, raceText, trackLength } from "../../assets/compare/race.js";
import { isTimed, raceReasons, timingWords } from "../../assets/compare/words.js";
import { sourceNamed } from "../../assets/page/cues.js";

/** Steps of `rows` rows, which brought `length` tokens each and took these seconds. */
const stepsOf = (seconds, rows = 1, length = 1) =>
  seconds.map((verify, at) => ({
    position: 1 + at * length,
    last: { ids: [0], probs: [1] },
    tokens: Array(rows).fill(0),
    parents: Array.from({ length: rows }, (_, node) => node - 1),
    provenance: [["root", 0, 1], ...Array(rows - 1).fill(["logit", 1, 0.1])],
    choices: Array(rows).fill(0),
    path: [...Array(length).keys()],
    seconds: { draft: 0, verify, accept: 0, commit: 0 },
  }));

const laneOf = (method, steps, finish = "length") => ({
  schema: 1, method, prompt_ids: [0], vocabulary: {}, environment: {}, model: { device: "cpu" }, max_new_tokens: 30, steps, finish,
});

const raceOf = (lanes, about = {}) => createRace({ race: "r", warm_up: 4, titles: lanes.map(({ method }) => method), lanes, ...about });

const SLOW = laneOf("autoregressive", stepsOf([1, 1, 1, 1]));
const FAST = laneOf("logitspec", stepsOf([0.5, 1.25], 6, 2));

test("a lane has done the steps that are over by then", () => {
  const [slow, fast] = raceOf([SLOW, FAST]).lanes;
  assert.deepEqual([0, 0.5, 1, 3.9, 4, 9].map((at) => stepsAt(slow.trace, at, "time")), [0, 0, 1, 3, 4, 4]);
  assert.deepEqual([0.4, 0.5, 1.7, 1.75].map((at) => stepsAt(fast.trace, at, "time")), [0, 1, 1, 2]);
  assert.deepEqual([0, 1, 2, 3].map((at) => stepsAt(fast.trace, at, "forwards")), [0, 1, 2, 2]);
});

test("the clock goes from step to step of any lane, and back again", () => {
  const race = raceOf([SLOW, FAST]);
  const moments = [0, 0.5, 1, 1.75, 2, 3, 4];
  assert.deepEqual(moments.map((at) => momentAfter(race, at, "time")), [0.5, 1, 1.75, 2, 3, 4, 4]);
  assert.deepEqual(moments.map((at) => momentBefore(race, at, "time")), [0, 0, 0.5, 1, 1.75, 2, 3]);
  assert.equal(momentBefore(race, 2.5, "time"), 2);
  assert.equal(momentBefore(race, 3, "forwards"), 2);
});

test("a running race is shown up to the slowest of the lanes that go on", () => {
  const going = (lane) => ({ ...lane, finish: null });
  const upTo = (...lanes) => ["time", "forwards"].map((clock) => frontier(raceOf(lanes), clock));
  assert.deepEqual(upTo(going(SLOW), going(FAST)), [1.75, 2]);
  assert.deepEqual(upTo(going(SLOW), FAST), [4, 4]);
  assert.deepEqual(upTo(SLOW, FAST), [4, 4]);
});

test("places are shared by equal times, and given to who arrived only", () => {
  const failed = laneOf("goose", stepsOf([0.1]), "error");
  assert.deepEqual(places(raceOf([SLOW, FAST, failed, SLOW]), "time"), [2, 1, null, 2]);
  assert.deepEqual(places(raceOf([SLOW, SLOW, FAST]), "forwards"), [2, 2, 1]);
});

test("lanes that come in first together are all right", () => {
  const root = Object.assign(new EventTarget(), { isConnected: true });
  const asked = (race, cue) => {
    registerRace({ state: { race }, element: root, options: {} });
    const { right, answer } = sourceNamed("race").source.describe(cue);
    return { right, answer };
  };
  const other = { ...FAST, method: "goose" };
  assert.deepEqual(asked(raceOf([SLOW, FAST, other]), 0), { right: [1, 2], answer: "logitspec, goose, 2 passes" });
  assert.deepEqual(asked(raceOf([FAST, SLOW]), 3), { right: [0], answer: "logitspec, 1.75 s" });
  assert.deepEqual(asked(raceOf([laneOf("goose", [], "error"), laneOf("goose", [], "error")]), 0), { right: [], answer: "" });
});

test("plain decoding comes first in a recorded race, and lanes of a live one stay in order", () => {
  const titles = (about) => raceOf([FAST, SLOW], about).lanes.map(({ title }) => title);
  assert.deepEqual(titles({ recorded: "a title" }), ["autoregressive", "logitspec"]);
  assert.deepEqual(titles({}), ["logitspec", "autoregressive"]);
});

test("steps that came already come once, a gap takes none, and a late message undoes no end", () => {
  const race = raceOf([laneOf("logitspec", stepsOf([1, 1]), null)]);
  const [{ trace }] = race.lanes;
  const message = (from, seconds, finish = null) => ({ lanes: [{ from, steps: stepsOf(seconds), finish }] });
  assert.equal(growRace(race, message(1, [1, 3], "length")), true);
  assert.equal(growRace(race, message(4, [5])), false);
  assert.equal(growRace(race, message(0, [1])), true);
  assert.deepEqual([trace.totals.map(({ seconds }) => seconds), trace.header.finish], [[0, 1, 2, 5], "length"]);
});

test("a lane keeps what its run found out about the machine", () => {
  const race = raceOf([laneOf("logitspec", stepsOf([1]), null)]);
  const environment = { graphs: "none: the driver is too old" };
  const message = (from, about) => ({ lanes: [{ from, steps: stepsOf([1]), finish: null, ...about }] });
  growRace(race, message(1, { environment }));
  growRace(race, message(2));
  assert.deepEqual(JSON.parse(raceText(race)).lanes[0].environment, environment);
});

test("tracks have room for the longest text, or for the limit while no lane has arrived", () => {
  const going = (lane) => ({ ...lane, finish: null });
  assert.equal(trackLength(raceOf([going(SLOW), going(FAST)])), 30);
  assert.equal(trackLength(raceOf([SLOW, going(FAST)])), 4);
  assert.equal(trackLength(raceOf([going(laneOf("goose", [])), laneOf("goose", [], "error")])), 30);
});

test("why a lane was faster: its passes, what one cost, and what one costs on a GPU", () => {
  const gpu = { name: "H200", rows: [1, 4, 8], milliseconds: [10, 12, 20] };
  const race = raceOf([FAST, SLOW]);
  // 1.75 s / 2 passes against 4 s / 4; six rows are halfway from four to eight.
  const own = "logitspec: 2 passes instead of 4, each 0.88 times as expensive on this cpu: 2.29 times as fast.";
  assert.deepEqual(raceReasons(race, null), [own]);
  const there = "On an H200 a pass over 6 rows of a model of 7 billion parameters costs 1.60 times one over a single row.";
  assert.deepEqual(raceReasons(race, gpu), [`${own} ${there}`]);
  assert.match(raceReasons(raceOf([laneOf("logitspec", stepsOf([1], 9, 4)), SLOW]), gpu)[0], /9 rows .* costs 2.00 times/);
  assert.deepEqual(raceReasons(raceOf([FAST]), gpu), []);
});

test("a file that has no times, or no names, gets no numbers and no words for them", () => {
  const named = { model: { id: "m", dtype: "float32", device: "cpu" }, environment: { torch: "2", forward: "fast" } };
  const full = raceOf([{ ...FAST, ...named }, SLOW]);
  assert.match(timingWords(full), /wrote 4 tokens untimed\. Model m, float32, on cpu, the fast forward; torch 2\.$/);
  assert.doesNotMatch(timingWords(raceOf([FAST, SLOW])), /Model/);
  const { warm_up, ...old } = { race: "r", warm_up: 4, titles: ["a", "b"], lanes: [{ ...FAST, ...named }, SLOW] };
  assert.equal(timingWords(createRace(old)), "Model m, float32, on cpu, the fast forward; torch 2.");
  const nowhere = (lane) => ({ ...lane, model: {} });
  assert.match(raceReasons(raceOf([FAST, SLOW].map(nowhere)), null)[0], /on this machine: 2\.29 times as fast/);
  const untimed = raceOf([laneOf("logitspec", stepsOf([0, 0], 6, 2)), SLOW]);
  assert.deepEqual([isTimed(full), isTimed(untimed)], [true, false]);
  assert.deepEqual(raceReasons(untimed, null), []);
  assert.equal(timingWords(untimed), "");
});
