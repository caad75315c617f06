/* Sentences and numbers: what the player says about a step, all of it from the trace. */

import { language, t } from "../page/i18n.js";
import { translated } from "../page/translated.js";
import { ORIGINS } from "./origins.js";
import { plainText, shortened } from "./spelling.js";
import { outcome, sourceOf, spellSequence, spellToken, spellTokens } from "./trace.js";

/** @import { Step, Trace, TraceHeader } from "./types.js" */

/** @type {Record<string, string>} */
export const STATE_TITLES = {
  accepted: t("step.accepted"),
  rejected: t("step.rejected"),
  uncompared: t("step.uncompared"),
};

/** @type {Record<string, string>} */
export const FINISH_TITLES = {
  eos: t("step.done-eos"),
  length: t("step.done-length"),
  context: t("step.done-context"),
  cancelled: t("step.stopped"),
  error: t("step.error"),
};

export const MAX_QUOTE = 8; // tokens
const MIN_SHARE = 1e-4; // a smaller one says less than the rank

/**
 * What a waiting visitor may expect.
 * @param {{ ahead: number, seconds: number | null }} outlook
 */
export function waitingWords({ ahead, seconds }) {
  const runs = t("step.waiting-runs", { n: ahead });
  if (seconds === null) return t("step.waiting-for", { runs });
  return t("step.waiting-about", { runs, time: t("step.waiting-seconds", { n: Math.max(1, Math.round(seconds)) }) });
}

/**
 * Sentences that follow each other; empty ones are left out.
 * @param {...string} all
 */
export const sentences = (...all) => all.filter(Boolean).reduce((before, after) => (before ? t("player.sentences", { before, after }) : after), "");

const ordinals = new Intl.PluralRules(language, { type: "ordinal" });

/** @param {number} n */
export const ordinal = (n) => t(`step.ordinal-${ordinals.select(n)}`, { n });

/** @param {number} share */
export function percent(share) {
  const hundredths = share * 100;
  if (hundredths >= 1 || hundredths === 0) return t("player.percent-1", { n: hundredths });
  return t(hundredths >= 0.01 ? "player.percent-2" : "player.percent-less", { n: hundredths });
}

/** @param {number} seconds */
export function milliseconds(seconds) {
  const value = seconds * 1000;
  return t(value < 100 ? "player.milliseconds-1" : "player.milliseconds-0", { n: value });
}

/** @param {string} text */
const onOneLine = (text) => text.replace(/\n/g, "\\n").replace(/\t/g, "\\t");

// Letters that are written from right to left: Hebrew, Arabic and their neighbours.
const FROM_THE_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A text in quotes; one from right to left is isolated, so that signs, numbers and quotations next to it keep their places.
 * @param {string} text
 */
export const inQuotes = (text) => t("player.quote", { text: FROM_THE_RIGHT.test(text) ? `\u2068${text}\u2069` : text });

/**
 * A token in quotes, on one line.
 * @param {Trace} trace
 * @param {number} id
 */
export function quoted(trace, id) {
  return inQuotes(onOneLine(plainText(shortened(spellToken(trace, id)))));
}

/**
 * Tokens that follow each other, on one line, without quotes.
 * @param {Trace} trace
 * @param {number[]} ids
 */
export function tokensText(trace, ids) {
  return onOneLine(plainText(spellTokens(trace, ids).flatMap(shortened)));
}

/**
 * Text of the sequence from `start` up to `end` on one line, without quotes.
 * @param {Trace} trace
 * @param {number} start
 * @param {number} end
 */
export function excerpt(trace, start, end) {
  if (end <= start) return "";
  return onOneLine(plainText(spellSequence(trace, start, end).flatMap(shortened)));
}

/**
 * Where the quotation of a match [start, end] begins: only the end of a long one is quoted.
 * @param {[start: number, end: number]} match
 */
export const quotedFrom = ([start, end]) => Math.max(start, end - MAX_QUOTE);

/**
 * The n-gram that matched, on one line, without quotes.
 * @param {Trace} trace
 * @param {[number, number]} match
 */
export function matchExcerpt(trace, match) {
  const start = quotedFrom(match);
  return (start > match[0] ? "…" : "") + excerpt(trace, start, match[1]);
}

/**
 * Drafted = accepted + rejected + not compared.
 * @param {Step} step
 */
export function outcomeSentence(step) {
  const { drafted, accepted, rejected, uncompared } = outcome(step);
  return t("step.outcome", { drafted, accepted, rejected, uncompared });
}

/**
 * Where a node came from, without its token.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 */
export function originWords(trace, step, node) {
  const { origin, rank, probability, match } = step.origins[node];
  if (origin === "root") return rootWords(step);
  if (origin === "logit") {
    const place = ordinal((rank || 0) + 1);
    if (probability === null || probability < MIN_SHARE) return t("step.origin-choice", { ordinal: place });
    return t("step.origin-choice-share", { ordinal: place, share: percent(probability) });
  }
  const source = sourceOf(step, node);
  if (!source) return rankAfterParent(trace, step, node, ORIGINS[origin].title);
  const values = { from: source.from, match: match || 0, ngram: matchExcerpt(trace, source.match) };
  return t(match ? "step.origin-copied-match" : "step.origin-copied", values);
}

/**
 * A node's rank among the tokens that followed its parent's token earlier.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 * @param {string} origin its title
 */
function rankAfterParent(trace, step, node, origin) {
  const { rank, probability } = step.origins[node];
  if (rank === null) return origin;
  const token = quoted(trace, step.row.tokens[step.row.parents[node]]);
  if (probability === null) return t("step.origin-rank", { origin, rank, token });
  return t("step.origin-rank-share", { origin, rank, token, share: percent(probability) });
}

/** @param {Step} step */
function rootWords(step) {
  const rank = step.row.last.ids.indexOf(step.row.tokens[0]);
  if (rank < 0) return t("step.origin-root");
  return t("step.origin-root-rank", { rank, share: percent(step.row.last.probs[rank]) });
}

/** @param {number[]} path @param {number} node */
const isLast = (path, node) => path[path.length - 1] === node;

/**
 * A node's state, and the target's choice in its place.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 */
export function stateWords(trace, step, node) {
  const { parents, choices, tokens, path } = step.row;
  const state = step.states[node];
  if (state === "rejected") {
    const parent = parents[node];
    const choice = quoted(trace, choices[parent]);
    return t("step.state-rejected", { token: quoted(trace, tokens[parent]), choice });
  }
  if (state === "uncompared") {
    if (isLast(path, parents[node]) && tokens[node] === choices[parents[node]]) {
      return t("step.state-end");
    }
    const twin = path.some((each) => parents[each] === parents[node] && tokens[each] === tokens[node]);
    return t(twin ? "step.state-twin" : "step.state-above");
  }
  return t(node === 0 ? "step.state-root" : "step.state-accepted", { choice: quoted(trace, choices[node]) });
}

/**
 * The detail line of a node.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 */
export function nodeSentence(trace, step, node) {
  const token = quoted(trace, step.row.tokens[node]);
  return t("step.node", { token, origin: originWords(trace, step, node), state: stateWords(trace, step, node) });
}

/**
 * A node as it is read out at a beat: with the target's choice from the third beat, with the node's fate from the fourth.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 * @param {number} beat
 */
export function sentenceAt(trace, step, node, beat) {
  if (beat > 3) return nodeSentence(trace, step, node);
  const about = { token: quoted(trace, step.row.tokens[node]), origin: originWords(trace, step, node) };
  if (beat < 3) return t("player.node-drafted", about);
  return t("step.node", { ...about, state: t("player.chosen-after-it", { token: quoted(trace, step.row.choices[node]) }) });
}

/**
 * The detail line while the viewer points at nothing.
 * @param {Trace} trace
 * @param {number} number
 */
export function restSentence(trace, number) {
  const { path, choices } = trace.steps[number - 1].row;
  const next = quoted(trace, choices[path[path.length - 1]]);
  if (trace.header.finish && number === trace.steps.length) return endSentence(trace, next);
  return t("step.rest", { next });
}

/**
 * How the run ended, at its last step.
 * @param {Trace} trace
 * @param {string} next
 */
function endSentence(trace, next) {
  const { finish, max_new_tokens } = trace.header;
  if (finish === "eos") {
    return t("step.ends-with", { token: quoted(trace, trace.ids[trace.ids.length - 1]) });
  }
  const reason = ["length", "context", "cancelled"].find((each) => each === finish) || "other";
  return t(`step.end-${reason}`, { n: max_new_tokens, next });
}

/**
 * What is shown: its method, its model, and whether it is recorded.
 * @param {TraceHeader} header
 */
export function badgeWords({ method, model, recorded }) {
  const key = `step.method-${method}`;
  const title = t(key) === key ? method : t(key);
  return t(recorded ? "step.badge-recorded" : "step.badge-live", { method: title, model: modelName(model) });
}

/** @param {{ id?: string }} [model] */
function modelName({ id = "" } = {}) {
  return id === "builtin" ? t("step.builtin") : id.split("/").pop() || t("step.no-model");
}

/**
 * A recorded run or race by its title and its model.
 * @param {string} title
 * @param {{ id?: string }} [model]
 */
export function recordedTitle(title, { id = "" } = {}) {
  const name = id === "builtin" ? t("step.the-builtin") : id.split("/").pop();
  return t(name ? "step.recorded-of" : "step.recorded", { title: translated(title), name: name || "" });
}
