/* A step in plain words, each sentence built from the trace and from nothing else. */

import { t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { forwardCosts, millisecondsOf } from "./costs.js";
import { ORIGINS, ORIGIN_NAMES } from "./origins.js";
import { goesOn as copyGoesOn, isCutOff, matchBefore, outcome, verdictOf } from "./trace.js";
import {
  MAX_QUOTE,
  inQuotes,
  matchExcerpt,
  milliseconds,
  ordinal,
  percent,
  sentences,
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
  const gained = t("step.from-pass", { n: step.row.path.length });
  const values = { number, drafted, accepted, gained, time: milliseconds(step.seconds) };
  return t(step.seconds > 0 ? "step.summary-time" : "step.summary", values);
}

/**
 * How the step got its tokens: where the accepted drafts came from, and how many were accepted.
 * @param {Trace} trace
 * @param {number} number the step's, from 1
 */
export function storySentence(trace, number) {
  const step = trace.steps[number - 1];
  const { drafted, accepted } = outcome(step);
  const gained = t("step.from-pass", { n: step.row.path.length });
  if (drafted === 0) return noGuessSentence(trace, number);
  if (accepted === 0) return t("step.story-gained", { why: noneSentence(trace, number, drafted), gained });
  const some = drafted === 1 ? t("step.story-one") : t("step.story-some", { n: accepted, drafted });
  return t("step.story-gained", { why: capital([...clausesOf(trace, number), some].join(t("player.semicolon"))), gained });
}

/** @param {Trace} trace @param {number} number @param {boolean} [isBrief] without the places of copies */
function clausesOf(trace, number, isBrief = false) {
  const step = trace.steps[number - 1];
  return pathSegments(step).map((nodes) => segmentClause(trace, step, nodes, isBrief));
}

const LEAST_NEEDED = 0.005; // a smaller share would be written as 0%

/**
 * Why a step drafted nothing: what a draft costs on this machine, if the method weighs that, and how often it
 * would have to be accepted.
 * @param {Trace} trace
 * @param {number} number
 */
function noGuessSentence(trace, number) {
  const { environment, options, finish } = trace.header;
  const costs = forwardCosts(environment);
  const plain = t("step.guesses-none-why");
  if (!costs || !options || options.tree_size !== "measured") return plain;
  // At the context's last position there is no room for a draft, however probable.
  if (isEnd(trace, number) && finish === "context") return plain;
  const [one, two] = [millisecondsOf(costs, 1), millisecondsOf(costs, 2)];
  // A draft that is accepted with probability p brings 1 + p tokens in the time of two rows.
  const needed = two / one - 1;
  if (needed < LEAST_NEEDED) return plain;
  const times = { one: milliseconds(one / 1000), more: milliseconds((two - one) / 1000), needed };
  return sentences(plain, t(needed < 1 ? "step.guess-must-pay" : "step.guess-never-pays", times));
}

/** @param {string} sentence */
const capital = (sentence) => sentence[0].toUpperCase() + sentence.slice(1);
/** Without the spaces around it, unless it is nothing but space. @param {string} text */
const trimmed = (text) => text.trim() || text;
/** @param {Trace} trace @param {number} id */
const bare = (trace, id) => inQuotes(trimmed(tokensText(trace, [id])));

/** @param {Trace} trace @param {number} number @param {number} drafted */
function noneSentence(trace, number, drafted) {
  const none = t("step.none", { n: drafted });
  const { tokens, choices } = trace.steps[number - 1].row;
  if (isEnd(trace, number)) return t("step.none-end", { none });
  return t("step.none-because", { none, token: bare(trace, tokens[0]), choice: bare(trace, choices[0]) });
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
 * Whether `next` continues what `before` began: the same copy, or the same table.
 * @param {Provenance} before
 * @param {Provenance} next
 */
function sameSource(before, next) {
  if (before.origin !== next.origin || before.origin === "logit") return false;
  if (next.from === null) return before.from === null;
  return copyGoesOn(before, next);
}

/** @param {Trace} trace @param {Step} step @param {number[]} nodes @param {boolean} isBrief */
function segmentClause(trace, step, nodes, isBrief) {
  const { origin, rank, from } = step.origins[nodes[0]];
  const token = bare(trace, step.row.tokens[nodes[0]]);
  if (origin === "logit") return t("step.clause-choice", { token, ordinal: ordinal((rank || 0) + 1) });
  if (from !== null) return copyClause(trace, step, nodes, from, isBrief);
  return t("step.clause-came", { tokens: quotedTokens(trace, step, nodes), origin: ORIGINS[origin].title });
}

/** @param {Trace} trace @param {Step} step @param {number[]} nodes @param {number} from @param {boolean} isBrief */
function copyClause(trace, step, nodes, from, isBrief) {
  const copy = wholeCopy(step, nodes);
  const { match } = step.origins[copy[0]];
  const copied = t("step.copied", { n: copy.length, from });
  if (!match) return copied;
  const key = inQuotes(trimmed(matchExcerpt(trace, matchBefore(from, match))));
  const tokens = quotedTokens(trace, step, copy);
  const after = t(`step.clause-${placeName(trace, from, copy.length)}`, { key, tokens });
  return isBrief ? after : t("step.copied-so", { after, copied });
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
  if (from + length <= trace.promptLength) return "prompt";
  return from >= trace.promptLength ? "output" : "text";
}

/**
 * The tokens of nodes that follow each other, as one quotation.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number[]} nodes
 */
function quotedTokens(trace, step, nodes) {
  const quote = nodes.slice(0, MAX_QUOTE).map((node) => step.row.tokens[node]);
  return inQuotes(trimmed(tokensText(trace, quote)) + (nodes.length > MAX_QUOTE ? "…" : ""));
}

const MAX_CLAUSES = 6;
/** @type {Record<string, string>} */
const WANTS = { "✓": "step.wants-yes", "✗": "step.wants-no", "": "step.wants" };

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
  const rank = row.last.ids.indexOf(row.tokens[0]);
  const runners = origins.filter(({ origin }) => origin === "logit").length;
  const share = rank < 0 ? "" : percent(row.last.probs[rank]);
  const drawn = { ordinal: ordinal(rank + 1), share };
  const how = t(rank === 0 ? "step.certain-first" : rank < 0 ? "step.certain-below" : "step.certain-drawn", drawn);
  const guesses = runners ? t("step.certain-guesses", { n: runners }) : "";
  return [t("step.certain", { token: bare(trace, row.tokens[0]) }), sentences(how, guesses)];
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function draftWords(trace, number, { row, origins, drafted }) {
  if (!drafted) return [t("step.guesses-none"), noGuessSentence(trace, number)];
  /** @type {(name: string, key?: string | null) => number} */
  const count = (name, key) =>
    origins.filter((each) => each.origin === name && (key === undefined || each.key === key)).length;
  const token = bare(trace, row.tokens[0]);
  const others = ORIGIN_NAMES.filter((name) => !["root", "logit", "retrieved"].includes(name));
  /** @type {[number, string, string?][]} */
  const parts = [
    [count("logit"), "step.guesses-favourites"],
    [count("retrieved", "next_next"), "step.guesses-earlier"],
    [count("retrieved", "root"), "step.guesses-root"],
    [count("retrieved", null), "step.guesses-copied"],
    ...others.map((name) => /** @type {[number, string, string]} */ ([
      count(name), "step.guesses-other", ORIGINS[name].title,
    ])),
  ];
  const phrases = parts.filter(([n]) => n > 0).map(([n, key, origin = ""]) => t(key, { n, token, origin }));
  return [t("step.guesses", { n: drafted }), t("player.full-stop", { text: phrases.join(t("player.semicolon")) })];
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function verifyWords(trace, number, { row, drafted }) {
  const { verify, device = 0 } = row.seconds;
  const times = { time: milliseconds(verify), device: milliseconds(device) };
  const time = verify > 0 ? t(device > 0 ? "step.pass-device" : "step.pass-time", times) : "";
  const headline = drafted ? t("step.pass", { n: drafted }) : t("step.pass-plain");
  return [headline, sentences(t("step.pass-how", { n: row.tokens.length }), time)];
}

/** @param {Trace} trace @param {number} number @param {Step} step */
function fateWords(trace, number, step) {
  const ends = isEnd(trace, number) ? t("step.run-ends") : "";
  return [fateHeadline(step), sentences(walkSentence(trace, step), ends)];
}

/** @param {Step} step */
function fateHeadline(step) {
  const { accepted, drafted } = outcome(step);
  if (!drafted) return t("step.pass-plain");
  if (isCutOff(step)) return cutOffHeadline(accepted, drafted);
  if (!accepted) return t("step.survive-none", { n: drafted });
  return drafted === 1 ? t("step.survive-one") : t("step.survive", { n: accepted, drafted });
}

/** @param {number} accepted @param {number} drafted */
function cutOffHeadline(accepted, drafted) {
  if (accepted) return t("step.story-some", { n: accepted, drafted });
  return t("step.none-end", { none: t("step.none", { n: drafted }) });
}

/**
 * The walk along the accepted path: what each node wants next, and whether that was drafted. A long one is cut to
 * its beginning and its end.
 * @param {Trace} trace
 * @param {Step} step
 */
function walkSentence(trace, step) {
  const { path, tokens, choices } = step.row;
  const clauses = path.map((node) => {
    return t(WANTS[verdictOf(step, node)], { token: bare(trace, tokens[node]), choice: bare(trace, choices[node]) });
  });
  const shown = clauses.length > MAX_CLAUSES ? [...clauses.slice(0, MAX_CLAUSES - 1), "…", clauses[clauses.length - 1]] : clauses;
  return t("player.full-stop", { text: shown.join(t("player.comma")) });
}

/** @param {Trace} trace @param {number} number */
function commitWords(trace, number) {
  return [stepSentence(trace, number), storySentence(trace, number)];
}

/**
 * What a beat of a scene shows: as in the whole step, but the last one says what was written.
 * @param {Trace} trace
 * @param {number} number
 * @param {number} beat
 */
export function sceneWords(trace, number, beat) {
  if (beat < LAST_BEAT) return beatWords(trace, number, beat);
  const { path, tokens } = trace.steps[number - 1].row;
  const text = inQuotes(trimmed(tokensText(trace, path.map((node) => tokens[node]))));
  const sentence = path.length > 1 ? t("player.full-stop", { text: capital(clausesOf(trace, number, true).join(t("player.semicolon"))) }) : storySentence(trace, number);
  return { headline: t("step.scene-commit", { n: path.length, text }), sentence };
}
