/* A step in plain English, each sentence built from the trace and from nothing else. */

import { ORIGINS, ORIGIN_NAMES } from "./origins.js";
import { goesOn as copyGoesOn, matchBefore, outcome } from "./trace.js";
import {
  MAX_QUOTE,
  matchExcerpt,
  milliseconds,
  outcomeSentence,
  percent,
  plural,
  quoted,
  tokensText,
} from "./words.js";

/** @import { Provenance, Step, Trace } from "./types.js" */

/**
 * The step and its gain, in one line.
 * @param {Trace} trace
 * @param {number} number
 */
export function stepSentence(trace, number) {
  const step = trace.steps[number - 1];
  const { drafted, accepted } = outcome(step);
  const time = step.seconds > 0 ? " (" + milliseconds(step.seconds) + ")" : "";
  const gained = plural(step.row.path.length, "token") + " from one forward pass" + time + ".";
  return `Step ${number}: ${drafted} drafted, ${accepted} accepted, ${gained}`;
}

/**
 * How the step got its tokens: where the accepted drafts came from, and how many were accepted.
 * @param {Trace} trace
 * @param {number} number the step's, from 1
 */
export function storySentence(trace, number) {
  const step = trace.steps[number - 1];
  const { drafted, accepted } = outcome(step);
  const gained = plural(step.row.path.length, "token") + " from one forward pass";
  if (drafted === 0) return `Nothing was drafted: ${gained}, as in plain decoding.`;
  if (accepted === 0) return noneSentence(trace, number, drafted) + `: ${gained}.`;
  const clauses = pathSegments(step).map((nodes) => segmentClause(trace, step, nodes));
  const some = `${accepted} of ${drafted} drafted tokens ${were(accepted)}`;
  const subject = drafted === 1 ? "the one drafted token was" : some;
  return capital([...clauses, subject + " accepted"].join("; ")) + `: ${gained}.`;
}

/** @param {number} count */
const were = (count) => (count === 1 ? "was" : "were");
/** @param {string} sentence */
const capital = (sentence) => sentence[0].toUpperCase() + sentence.slice(1);

/** @param {Trace} trace @param {number} number @param {number} drafted */
function noneSentence(trace, number, drafted) {
  const all = `None of ${drafted} drafted tokens was accepted`;
  const none = drafted === 1 ? "The one drafted token was not accepted" : all;
  const { tokens, choices } = trace.steps[number - 1].row;
  if (isEnd(trace, number)) return none + " before the run ended";
  return `${none}, because after ${quoted(trace, tokens[0])} the target chose ${quoted(trace, choices[0])}`;
}

/** @param {Trace} trace @param {number} number */
const isEnd = (trace, number) => Boolean(trace.header.finish) && number === trace.steps.length;

/**
 * The accepted drafts as runs of nodes with one source: a runner-up alone, or a copy from place to place.
 * @param {Step} step
 * @returns {number[][]}
 */
function pathSegments(step) {
  const segments = [];
  for (const node of step.row.path.slice(1)) {
    const last = segments[segments.length - 1];
    if (last && sameSource(step.origins[last[last.length - 1]], step.origins[node])) last.push(node);
    else segments.push([node]);
  }
  return segments;
}

/**
 * Whether `next` goes on with what `before` began: the same copy, or the same table.
 * @param {Provenance} before
 * @param {Provenance} next
 */
function sameSource(before, next) {
  if (before.origin !== next.origin || before.origin === "logit") return false;
  if (next.from === null) return before.from === null;
  return copyGoesOn(before, next);
}

/** @param {Trace} trace @param {Step} step @param {number[]} nodes */
function segmentClause(trace, step, nodes) {
  const { origin, rank, from } = step.origins[nodes[0]];
  const token = quoted(trace, step.row.tokens[nodes[0]]);
  if (origin === "logit") return `the last logits put ${token} at rank ${rank}`;
  if (from !== null) return copyClause(trace, step, nodes, from);
  return `${quotedTokens(trace, step, nodes)} came ${ORIGINS[origin].title}`;
}

/** @param {Trace} trace @param {Step} step @param {number[]} nodes @param {number} from */
function copyClause(trace, step, nodes, from) {
  const copy = wholeCopy(step, nodes);
  const { match } = step.origins[copy[0]];
  const went = `${placeName(trace, from, copy.length)} went on ${quotedTokens(trace, step, copy)}`;
  const after = match ? `after "${matchExcerpt(trace, matchBefore(from, match))}" ${went}, so ` : "";
  return `${after}${plural(copy.length, "token")} ${were(copy.length)} copied from position ${from}`;
}

/**
 * The copy that the nodes belong to, with the nodes below the accepted ones, which were drafted as well.
 * @param {Step} step
 * @param {number[]} nodes
 */
function wholeCopy(step, nodes) {
  const copy = [...nodes];
  for (;;) {
    const end = copy[copy.length - 1];
    /** @param {number} parent @param {number} node */
    const goesOn = (parent, node) => parent === end && sameSource(step.origins[end], step.origins[node]);
    const next = step.row.parents.findIndex(goesOn);
    if (next < 0) return copy;
    copy.push(next);
  }
}

/** @param {Trace} trace @param {number} from @param {number} length */
function placeName(trace, from, length) {
  if (from + length <= trace.promptLength) return "the prompt";
  return from >= trace.promptLength ? "the output" : "the text";
}

/**
 * The tokens of nodes that follow each other, as one quotation.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number[]} nodes
 */
function quotedTokens(trace, step, nodes) {
  const quote = nodes.slice(0, MAX_QUOTE).map((node) => step.row.tokens[node]);
  return '"' + tokensText(trace, quote) + (nodes.length > MAX_QUOTE ? "…" : "") + '"';
}

/**
 * What a beat shows: a headline, and a sentence or two that go with it.
 * @param {Trace} trace
 * @param {number} number the step's, from 1
 * @param {number} beat 1 to 5
 * @returns {{ headline: string, sentence: string }}
 */
export function beatWords(trace, number, beat) {
  const words = [logitsWords, draftWords, verifyWords, fateWords, commitWords];
  const [headline, sentence] = words[beat - 1](trace, number, trace.steps[number - 1]);
  return { headline, sentence };
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function logitsWords(trace, number, { row, origins }) {
  const token = quoted(trace, row.tokens[0]);
  const rank = row.last.ids.indexOf(row.tokens[0]);
  const runners = origins.filter(({ origin }) => origin === "logit").length;
  const guesses = runners ? ` ${plural(runners, "runner-up", "runners-up")} will be tried after it.` : "";
  const share = rank < 0 ? "" : percent(row.last.probs[rank]);
  const place = rank < 0 ? "from below those that are kept" : `at rank ${rank}, ${share}`;
  const first = `The last logits put it first (${share})`;
  const how = rank === 0 ? first : `It was drawn from the last logits (${place})`;
  return [`The next token is certain: ${token}`, `${how}, and it becomes the root.${guesses}`];
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function draftWords(trace, number, { origins, drafted }) {
  if (!drafted) return ["Nothing is drafted", "This pass brings one token, as in plain decoding."];
  /** @type {(name: string, key?: string | null) => number} */
  const count = (name, key) =>
    origins.filter((each) => each.origin === name && (key === undefined || each.key === key)).length;
  const others = ORIGIN_NAMES.filter((name) => !["root", "logit", "retrieved"].includes(name));
  /** @type {[number, (n: number) => string][]} */
  const parts = [
    [count("retrieved", "root"), (n) => `${n} copied after the root's own n-gram`],
    [count("logit"), (n) => plural(n, "runner-up", "runners-up") + " of the last logits"],
    [count("retrieved", "next_next"), (n) => `${n} copied after an n-gram that ends with a runner-up`],
    [count("retrieved", null), (n) => `${n} copied`],
    ...others.map((name) => /** @type {[number, (n: number) => string]} */ ([
      count(name), (n) => `${n} ${ORIGINS[name].title}`,
    ])),
  ];
  const phrases = parts.filter(([n]) => n > 0).map(([n, words]) => words(n));
  return [`${plural(drafted, "token")} drafted`, capital(phrases.join(", ")) + "."];
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function verifyWords(trace, number, { row }) {
  const { verify, device = 0 } = row.seconds;
  const share = device > 0 ? `, ${milliseconds(device)} of it on the device` : "";
  const time = verify > 0 ? ` It took ${milliseconds(verify)}${share}.` : "";
  const choice = `The target chooses its own next token after every node at once.${time}`;
  return [`One forward pass, ${plural(row.tokens.length, "row")}`, choice];
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function fateWords(trace, number, step) {
  const { tokens, parents, choices, path } = step.row;
  const headline = outcomeSentence(step);
  if (isEnd(trace, number)) return [headline, "The run ends here."];
  const last = path[path.length - 1];
  const choice = `After ${quoted(trace, tokens[last])} the target chose ${quoted(trace, choices[last])}`;
  const drafted = parents.some((parent, node) => parent === last && tokens[node] === choices[last]);
  return [headline, `${choice}${drafted ? "" : ", which was not drafted there"}.`];
}

/** @param {Trace} trace @param {number} number */
function commitWords(trace, number) {
  return [stepSentence(trace, number), storySentence(trace, number)];
}
