/* After the race: whether all texts agree, the gain of each lane, and how it was measured. */

import { el, setText } from "../player/dom.js";
import { ORIGINS, ORIGIN_NAMES } from "../player/origins.js";
import { originAt } from "../player/trace.js";
import { percent } from "../player/words.js";
import { createBars } from "./bars.js";
import { raceOver, tokensAfter } from "./race.js";
import { timingWords, verdictWords } from "./words.js";

/** @import { Race, Trace } from "../player/types.js" */

export function createResults() {
  const verdict = el("p", { class: "lr-verdict" });
  const charts = el("div", { class: "lr-charts" });
  const timing = el("p", { class: "lr-timing" });
  const label = { class: "lr-results", role: "group", "aria-label": "Results", hidden: true };
  const element = el("div", label, verdict, charts, timing);
  /** @type {Race | null} */
  let paintedRace = null;
  return {
    element,
    /** @param {Race} race */
    paint(race) {
      const isOver = race && raceOver(race) && race.lanes.every(({ trace }) => trace.steps.length > 0);
      element.hidden = !isOver;
      if (!isOver || paintedRace === race) return;
      paintedRace = race;
      setText(verdict, verdictWords(race));
      verdict.dataset.same = String(race.verdict !== null && race.verdict.differs_at === null);
      charts.replaceChildren(rateBars(race), meanBars(race), draftBars(race), originBars(race));
      setText(timing, timingWords(race));
    },
  };
}

/** @param {Trace} trace */
const lastTotals = (trace) => trace.totals[trace.totals.length - 1];
/** @param {Trace} trace */
const laneRate = (trace) => tokensAfter(trace, trace.steps.length) / lastTotals(trace).seconds;

/** @param {Race} race */
function rateBars(race) {
  const highest = Math.max(...race.lanes.map(({ trace }) => laneRate(trace)));
  const plain = race.lanes.find(({ trace }) => trace.header.method === "autoregressive");
  const rows = race.lanes.map(({ title, trace }) => {
    const rate = laneRate(trace);
    const over = plain && plain.trace !== trace ? `, ${(rate / laneRate(plain.trace)).toFixed(2)} ×` : "";
    return { title, number: rate.toFixed(rate < 100 ? 1 : 0) + "/s" + over, parts: [{ share: rate / highest }] };
  });
  const note = "of decoding, prompt excluded" + (plain ? `; × is over ${plain.title.toLowerCase()}` : "");
  return createBars("rate", "Tokens per second", note, rows);
}

/** @param {Race} race */
function meanBars(race) {
  const means = race.lanes.map(({ trace }) => tokensAfter(trace, trace.steps.length) / trace.steps.length);
  const rows = race.lanes.map(({ title }, lane) => {
    return { title, number: means[lane].toFixed(2), parts: [{ share: means[lane] / Math.max(...means) }] };
  });
  return createBars("mean", "Mean accepted tokens", "per target forward, root included, prompt excluded", rows);
}

/** @param {Race} race */
function draftBars(race) {
  const highest = Math.max(1, ...race.lanes.map(({ trace }) => lastTotals(trace).drafted));
  const rows = race.lanes.map(({ title, trace }) => {
    const { drafted, accepted } = lastTotals(trace);
    const number = drafted ? `${accepted} of ${drafted} (${percent(accepted / drafted)})` : "none drafted";
    const parts = [
      { share: accepted / highest, kind: "accepted" },
      { share: (drafted - accepted) / highest, kind: "wasted" },
    ];
    return { title, number, parts };
  });
  return createBars("drafts", "Drafts spent", "accepted of all drafted tokens", rows);
}

/** @param {Race} race */
function originBars(race) {
  const origins = ORIGIN_NAMES.filter((origin) => race.origins.has(origin));
  const rows = race.lanes.map(({ title, trace }) => {
    const counts = countOrigins(trace);
    const tokens = tokensAfter(trace, trace.steps.length);
    const used = origins.filter((origin) => counts[origin]);
    const number = used.map((origin) => `${counts[origin]} ${ORIGINS[origin].name}`).join(", ");
    return { title, number, parts: used.map((origin) => ({ share: counts[origin] / tokens, origin })) };
  });
  return createBars("origins", "Where the accepted tokens came from", "the signs are those of the lanes", rows);
}

/** @param {Trace} trace */
function countOrigins(trace) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (let at = trace.promptLength; at < trace.ids.length; at += 1) {
    const origin = originAt(trace, at);
    counts[origin] = (counts[origin] || 0) + 1;
  }
  return counts;
}
