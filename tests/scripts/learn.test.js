import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { addressOf, startIn } from "../../assets/learn/address.js";
import { sharesOf } from "../../assets/learn/bars.js";
import { valueOf } from "../../assets/learn/figures.js";
import { judge, measuredWords } from "../../assets/learn/measured.js";
import {
  isDone,
  isOpen,
  isRevealed,
  isRight,
  isShownStep,
  keepPractice,
  keepProgress,
  newProgress,
  practiceScore,
  readPractice,
  readProgress,
  rightOption,
  scoreOf,
} from "../../assets/learn/progress.js";
import { readLesson } from "../../assets/learn/read.js";
import { digitsOf, formatValue, inLanguage, piecesOf } from "../../assets/learn/texts.js";
import { appendSteps, createTrace } from "../../assets/player/trace.js";

const SECONDS = { draft: 0.001, verify: 0.02, accept: 0, commit: 0.001 };
// "the cat" -> " sat" with " on" at rank 1 and " a" below it, which the target rejects; then " mat".
const VOCABULARY = ["the", " cat", " sat", " on", " a", " mat"];
const STEPS = [
  {
    position: 2,
    last: { ids: [2, 3, 4], probs: [0.6, 0.2, 0.1] },
    tokens: [2, 3, 4, 4],
    parents: [-1, 0, 1, 0],
    provenance: [["root", 0, 0.6], ["logit", 1, 0.2], ["retrieved", null, null, 1, 1, "next_next"], ["logit", 2, 0.1]],
    choices: [3, 5, 0, 0],
    path: [0, 1],
    seconds: SECONDS,
  },
  {
    position: 4,
    last: { ids: [5], probs: [1] },
    tokens: [5],
    parents: [-1],
    provenance: [["root", 0, 1]],
    choices: [0],
    path: [0],
    seconds: { ...SECONDS, verify: 0.04 },
  },
];

function trace() {
  const vocabulary = Object.fromEntries(VOCABULARY.map((text, id) => [id, text]));
  const baseline = { seconds_per_token: 0.05, method: "autoregressive" };
  const made = createTrace({ schema: 1, run: "r", prompt_ids: [0, 1], vocabulary, finish: "length", baseline });
  appendSteps(made, STEPS);
  return made;
}

/** The value of one figure. */
function value(figure, others = {}) {
  const figures = { it: { run: "r", step: 1, ...figure }, ...others };
  return valueOf({ figures, stations: [] }, "it", () => trace());
}

test("figures are measured in a run", () => {
  const measured = ["tokens", "passes", "tokens_per_pass", "plain_ms", "verify_ms"].map((of) => value({ of }));
  assert.deepEqual(measured, [3, 2, 1.5, 50, 30]);
  assert.equal(value({ of: "speed_up" }).toFixed(6), (0.15 / 0.064).toFixed(6));
  const ofStep = ["rows", "drafted", "accepted", "emitted", "runners_up", "copied", "last"].map((of) => value({ of }));
  assert.deepEqual(ofStep, [4, 3, 1, 2, 2, 1, 1]);
  assert.deepEqual(["token", "choice"].map((of) => value({ of, node: 1 })), [" on", " mat"]);
  assert.deepEqual(["rank", "nth"].map((of) => value({ of, node: 3 })), [2, 3]);
  assert.equal(value({ of: "rank", node: 0 }), 0);
  assert.equal(value({ of: "source", node: 2 }), 1);
  assert.equal(value({ of: "phrase", node: 0, other: 2 }), " sat on a");
  assert.deepEqual([[2, 1], [2, 2], [2, 3], [1, 2]].map(([node, other]) => value({ of: "sees", node, other })), [1, 1, 0, 0]);
});

test("figures are compared, or have a source", () => {
  const others = { a: { value: 3, source: "here" }, b: { value: 2, source: "there" } };
  assert.equal(value({ of: "ratio", figures: ["a", "b"] }, others), 1.5);
  assert.equal(value({ of: "largest", figures: ["b", "a"] }, others), 1);
  assert.equal(value({ value: 7, source: "by hand" }), 7);
});

test("bars are shares of the longest, and nothing has no bar", () => {
  assert.deepEqual(sharesOf([1, 4, 2]), [0.25, 1, 0.5]);
  assert.deepEqual(sharesOf([0, 0]), [0, 0]);
  assert.deepEqual(sharesOf([-1, 2]), [0, 1]);
  assert.deepEqual(sharesOf([-1, -2]), [0, 0]);
});

test("a figure that no run has is an error", () => {
  const none = { one: { value: 1, source: "here" }, none: { of: "copied", run: "r", step: 2 } };
  assert.throws(() => value({ of: "ratio", figures: ["one", "none"] }, none), /figure it/);
  for (const figure of [
    { of: "rows", step: 3 },
    { of: "token", node: 4 },
    { of: "rank", node: 2 },
    { of: "source", node: 1 },
    { of: "phrase", node: 3, other: 2 },
  ]) {
    assert.throws(() => value(figure), /figure it of this lesson is in none of its runs/);
  }
});

test("a text is in the reader's language, a nearer one, English, or what there is", () => {
  const text = { en: "one", de: "eins", "zh-Hans": "一" };
  assert.deepEqual(["de", "de-AT", "zh-Hans", "zh", "fr"].map((language) => inLanguage(text, language)), ["eins", "eins", "一", "一", "one"]);
  assert.equal(inLanguage({ it: "uno" }, "de"), "uno");
  assert.equal(inLanguage("all", "de"), "all");
  assert.equal(inLanguage({ en: "" }, "constructor"), "");
});

test("a text with figures in it comes in pieces, and markup stays text", () => {
  const values = { n: 3, word: " cat" };
  const pieces = piecesOf("<b>{n}</b> of {word}.", (name) => values[name], (name) => String(values[name]).trim());
  assert.deepEqual(pieces.map(({ text }) => text), ["<b>", "3", "</b> of ", "cat", "."]);
  assert.deepEqual(pieces.map(({ token }) => token), [false, false, false, true, false]);
});

test("numbers have as many places as their kind is written with", () => {
  assert.deepEqual(
    [{ of: "tokens" }, { of: "ratio" }, { of: "plain_ms" }, { value: 1 }, { of: "ratio", digits: 0 }].map(digitsOf),
    [0, 2, 1, 1, 0],
  );
  const number = (given, { maximumFractionDigits }) => given.toFixed(maximumFractionDigits);
  assert.equal(formatValue(1.234, { of: "speed_up" }, number), "1.23");
  assert.equal(formatValue(" cat", { of: "token" }, number), "cat");
  assert.equal(formatValue("  ", { of: "token" }, number), "  ");
});

test("a prediction is right by its kind", () => {
  const options = [{ is: 1 }, { is: 8 }, { is: 64 }];
  assert.equal(rightOption({ kind: "choice", answer: "x", options }, 1.15), 0);
  assert.equal(rightOption({ kind: "choice", right: 2, options }, 0), 2);
  assert.equal(isRight({ kind: "choice", answer: "x", options }, 1, 7), true);
  assert.equal(isRight({ kind: "number", answer: "x" }, 202, 202), true);
  assert.equal(isRight({ kind: "number", answer: "x" }, 201, 202), false);
  assert.equal(isRight({ kind: "number", answer: "x", within: 0.1 }, 90, 100), true);
  assert.equal(isRight({ kind: "number", answer: "x", within: 0.1 }, 89, 100), false);
  assert.equal(isRight({ kind: "number", answer: "x", within: 0.1 }, -90, -100), true);
  assert.equal(isRight({ kind: "node", answer: "x" }, 3, 3), true);
});

const LESSON = {
  lesson: "l",
  stations: [
    { station: "a", predict: { kind: "number", answer: "x", sealed: "c" }, scene: { run: "r", step: 1 } },
    { station: "b", predict: { kind: "choice", right: 0 }, done: "predicted", reveal_scene: { step: 5 } },
    { station: "c", predict: { kind: "number" }, scene: { run: "r", step: 2 }, reveal_scene: { step: 3 } },
    { station: "d", done: "remembered" },
  ],
};

test("a sealed answer does not count before it is told, and what nobody knows never does", () => {
  const progress = { ...newProgress(), answers: { a: { said: 1, right: true }, c: { said: 2, right: null } } };
  assert.equal(isRevealed(LESSON.stations[0], progress), false);
  for (const seen of [{}, { c: 1 }]) assert.deepEqual(scoreOf(LESSON, { ...progress, seen }), { right: 0, revealed: 0, all: 2 });
  progress.seen = { c: 2 };
  assert.deepEqual(scoreOf(LESSON, progress), { right: 1, revealed: 1, all: 2 });
  progress.answers.b = { said: 1, right: false };
  assert.deepEqual(scoreOf(LESSON, progress), { right: 1, revealed: 2, all: 2 });
});

test("a station is done when what it asks for has been", () => {
  const progress = { ...newProgress(), seen: { a: 1, b: 3, c: 2, d: 2 } };
  assert.deepEqual(LESSON.stations.map((station) => isDone(station, progress)), [false, false, true, false]);
  progress.answers.b = { said: 0, right: true };
  progress.seen.d = 3;
  assert.deepEqual(LESSON.stations.map((station) => isDone(station, progress)), [false, true, true, true]);
});

test("who may predict: once, and where it was counted again until the answer is seen", () => {
  const open = (answer, seen) => isOpen(LESSON.stations[0], { answers: answer ? { a: answer } : {}, seen: { a: seen } });
  assert.deepEqual([0, 1, 2].map((seen) => open(null, seen)), [true, true, true]);
  assert.deepEqual([0, 1, 2].map((seen) => open({ said: 1, right: true }, seen)), [false, false, false]);
  assert.deepEqual([0, 1, 2].map((seen) => open({ said: 1, right: true, counted: true }, seen)), [true, true, false]);
});

test("the steps that stations show", () => {
  assert.deepEqual([1, 2, 3, 5].map((step) => isShownStep(LESSON, "r", step)), [true, true, true, false]);
  assert.equal(isShownStep(LESSON, "s", 1), false);
});

/** What a browser keeps. */
function storeOf(texts = {}) {
  return { texts, getItem: (name) => texts[name] ?? null, setItem: (name, text) => void (texts[name] = text) };
}

test("progress is kept by the lesson's name, and nobody else's text is believed", () => {
  const store = storeOf();
  keepProgress(store, "l", { answers: { a: { said: 1, right: true } }, seen: { a: 2 }, at: 4 });
  assert.equal(readProgress(store, "l").at, 4);
  assert.deepEqual(readProgress(store, "other"), newProgress());
  for (const text of ["no JSON", "[]", "null", '{"at":1}', '{"answers":{"a":{"said":"<b>","right":true}},"seen":{},"at":0}']) {
    assert.deepEqual(readProgress(storeOf({ "logitspec.lesson.l": text }), "l"), newProgress());
  }
  const forbidden = { getItem: () => assert.fail("forbidden"), setItem: () => assert.fail("forbidden") };
  assert.deepEqual(readProgress(forbidden, "l"), newProgress());
  keepProgress(forbidden, "l", newProgress());
  keepProgress(null, "l", newProgress());
});

test("predictions of unseen steps are kept and summed up", () => {
  const store = storeOf();
  assert.equal(practiceScore(readPractice(store)), null);
  const practised = Array.from({ length: 600 }, (_, step) => ({ run: "r", step, said: step < 590 ? 3 : 1, was: 1 }));
  keepPractice(store, practised);
  const kept = readPractice(store);
  assert.equal(kept.length, 500);
  assert.deepEqual(practiceScore(kept).recent, { steps: 10, exact: 10, error: 0 });
  assert.deepEqual(practiceScore(kept).first, { steps: 10, exact: 0, error: 2 });
  assert.equal(practiceScore(kept).all.error, (490 * 2) / 500);
  assert.deepEqual(readPractice(storeOf({ "logitspec.practice": '[{"run":1}]' })), []);
});

test("addresses of cues", () => {
  assert.deepEqual(startIn("?lesson=7&cue=2"), { station: 7, cue: 2 });
  assert.deepEqual(startIn("?lesson=7"), { station: 7, cue: 1 });
  assert.deepEqual(startIn("?lesson=7&cue=9"), { station: 7, cue: 1 });
  for (const query of ["", "?cue=2", "?lesson=x", "?lesson=-1", "?lesson=1.5", "?lesson=1e9"]) assert.equal(startIn(query), null);
  const address = addressOf("https://here/page?lang=de&run=r&step=3#step=2", 7, 2);
  assert.equal(address, "https://here/page?lang=de&lesson=7&cue=2");
  assert.deepEqual(startIn(new URL(address).search), { station: 7, cue: 2 });
});

test("the lesson that ships can be read", () => {
  const text = readFileSync(new URL("../../assets/learn/lesson.json", import.meta.url), "utf8");
  assert.equal(readLesson(text).stations.length, 10);
});

test("a race that nobody won by passes, or by time, is not told as won", () => {
  const lane = (title, passes, seconds) => ({ title, plain: title === "Plain", tokens: 12, passes, seconds });
  const told = (...lanes) => {
    const progress = { answers: { own: { said: 2, right: null } }, seen: {}, at: 0 };
    const station = { station: "own", open: "compare", predict: { kind: "number", within: 0.2 } };
    assert.equal(judge(station, progress, { lanes }), true);
    return measuredWords(progress.answers.own.measured, 2);
  };
  assert.equal(
    told(lane("Plain", 12, 1.5), lane("Drafts", 8, 1.25)),
    "You predicted 2; Drafts got 1.50 tokens a pass. By passes, Drafts came first, with 4 fewer than Plain. By measured" +
      " time, Drafts came first, 250 ms ahead of Plain.",
  );
  assert.equal(
    told(lane("Plain", 12, 1.5), lane("Drafts", 12, 1.50001)),
    "You predicted 2; Drafts got 1.00 tokens a pass. By passes, Plain and Drafts were level. By measured time, Plain and" +
      " Drafts were level.",
  );
});
