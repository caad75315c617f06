/* The numbers of the run up to the visible step, each with its meaning. */

import { oneStop, term } from "../page/gloss.js";
import { decimal, number, pieces, t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { forwardCosts } from "./costs.js";
import { el, setText } from "./dom.js";
import { loopIn } from "./loops.js";
import { milliseconds, percent } from "./words.js";

/** @import { Baseline, Frame, Still, Trace } from "./types.js" */

const COUNTS = [
  ["mean", t("player.count-mean"), "player.count-mean-meaning", "mat"],
  ["tokens", t("player.count-tokens"), "", "token"],
  ["forwards", t("player.count-forwards"), "player.count-forwards-meaning", "forward-pass"],
  ["acceptance", t("player.count-acceptance"), "player.count-acceptance-meaning", "acceptance-rate"],
];

// These are for the machine of the run, and say nothing about another one.
const SECONDS = [
  ["rate", t("player.count-rate"), "player.count-rate-meaning"],
  ["wall", t("player.count-wall"), "player.count-wall-meaning", "wall-time"],
  ["device", t("player.count-device"), "player.count-device-meaning", "device-time"],
  ["speedup", t("player.count-speedup"), "", "speed-up"],
];

export function createCounts() {
  const counts = countList(COUNTS);
  const seconds = countList(SECONDS);
  const loop = el("p", { class: "ls-loop", hidden: true });
  const reason = el("p", { class: "ls-meaning" });
  const summary = el("summary", {}, t("step.seconds"));
  const fold = el("details", { class: "ls-seconds" }, summary, reason, seconds.element);
  const element = el("div", { class: "ls-numbers" }, loop, counts.element, fold);
  const items = [...counts.items, ...seconds.items];
  return {
    element,
    /** @param {Frame} frame */
    paint(frame) {
      const { trace } = frame;
      element.hidden = trace === null;
      /** @type {Record<string, string>} */
      const texts = trace ? countTexts(trace, stepsDone(frame)) : {};
      for (const { name, value } of items) setText(value, texts[name] || "–");
      const words = trace && !frame.hurried ? loopWords(trace, stepsDone(frame)) : "";
      loop.hidden = !words;
      setText(loop, words);
      setText(reason, trace ? secondsReason(trace) : "");
      const speedup = items[items.length - 1];
      const baseline = trace && trace.header.baseline;
      speedup.group.hidden = !baseline;
      if (baseline) setText(speedup.note, baselineWords(baseline));
    },
  };
}

/** @param {string[][]} rows of name, label, the key of its meaning and the term of the label */
function countList(rows) {
  const element = el("dl", { class: "ls-counts" });
  const items = rows.map(([name, label, meaning, gloss]) => {
    const value = el("dd", { "data-count": name }, "–");
    const note = el("dd", { class: "ls-meaning" }, ...(meaning ? pieces(meaning, { prefill: term("prefill") }) : []));
    const group = el("div", { "data-counts": name }, el("dt", {}, gloss ? term(gloss, label) : label), value, note);
    element.append(group);
    return { name, value, note, group };
  });
  oneStop(element);
  return { element, items };
}

/**
 * Says that the output repeats itself, if it does; empty otherwise.
 * @param {Trace} trace
 * @param {number} done steps
 */
function loopWords(trace, done) {
  const loop = loopIn(trace.ids.slice(trace.promptLength, trace.totals[done].end));
  if (!loop) return "";
  const tokens = loop.to - loop.from;
  return t("step.loop", { from: loop.from + 1, to: loop.to, n: loop.block, times: Math.floor(tokens / loop.block) });
}

/**
 * Where the seconds come from: the device, and what more rows cost there.
 * @param {Trace} trace
 */
export function secondsReason({ header }) {
  const { model, environment } = header;
  const device = model && model.device;
  const where = device ? t("step.seconds-where", { device }) : t("step.seconds-elsewhere");
  const costs = forwardCosts(environment);
  if (!costs) return where;
  const [one, many] = [costs.milliseconds[0], costs.milliseconds[costs.rows.indexOf(64)]];
  return many ? `${where} ${t("step.seconds-costs", { times: many / one })}` : where;
}

/**
 * The number of finished steps: the current one counts from its last beat on.
 * @param {Still} still
 */
export function stepsDone({ cursor, beat }) {
  return beat === LAST_BEAT ? cursor : Math.max(0, cursor - 1);
}

/**
 * The baseline of a speed-up.
 * @param {Baseline} baseline
 */
export function baselineWords({ seconds_per_token, method }) {
  return t("player.baseline", { time: milliseconds(seconds_per_token), method });
}

/**
 * Numbers of the run up to the end of step `done`, as text; unknown ones are left out.
 * @param {Trace} trace
 * @param {number} done
 */
export function countTexts(trace, done) {
  const { end, seconds, device, drafted, accepted } = trace.totals[done];
  const tokens = end - trace.promptLength;
  const baseline = trace.header.baseline;
  /** @type {Record<string, string>} */
  const texts = { tokens: number(tokens), forwards: number(done) };
  if (done) texts.mean = decimal(tokens / done, 2);
  if (drafted) texts.acceptance = percent(accepted / drafted);
  if (seconds > 0) {
    texts.rate = decimal(tokens / seconds, tokens / seconds < 100 ? 1 : 0);
    texts.wall = duration(seconds);
    if (baseline) texts.speedup = t("player.times", { n: (baseline.seconds_per_token * tokens) / seconds });
  }
  if (device > 0) texts.device = duration(device);
  return texts;
}

/**
 * A time in words: 840 ms, 3.84 s, 2 min 5 s.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 0.9995) return milliseconds(seconds);
  if (seconds < 59.995) return t("player.seconds", { n: seconds });
  const whole = Math.round(seconds);
  return t("player.minutes", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
}
