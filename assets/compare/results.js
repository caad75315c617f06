/* After the race: whether all texts agree, the gain of each lane, and how it was measured. */

import { decimal, language, t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";
import { ORIGINS, ORIGIN_NAMES } from "../player/origins.js";
import { originAt } from "../player/trace.js";
import { percent } from "../player/words.js";
import { createBars } from "./bars.js";
import { raceOver, tokensAfter } from "./race.js";
import { isTimed, raceReasons, timingWords, verdictWords } from "./words.js";

/** @import { GpuCosts, Race, Trace } from "../player/types.js" */

/** @param {GpuCosts | null} gpuCosts */
export function createResults(gpuCosts) {
  const verdict = el("p", { class: "lr-verdict" });
  const reasons = el("div", { class: "lr-reasons" });
  const charts = el("div", { class: "lr-charts" });
  const timing = el("p", { class: "lr-timing" });
  const label = { class: "lr-results", role: "group", "aria-label": t("compare.results"), hidden: true };
  const element = el("div", label, verdict, reasons, charts, timing);
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
      verdict.hidden = race.verdict === null; // a file may have none
      setText(verdict, verdictWords(race));
      verdict.dataset.same = String(race.verdict !== null && race.verdict.differs_at === null);
      reasons.replaceChildren(...raceReasons(race, gpuCosts).map((words) => el("p", {}, words)));
      charts.replaceChildren(meanBars(race), ...(isTimed(race) ? [rateBars(race)] : []), draftBars(race), originBars(race));
      setText(timing, timingWords(race));
    },
  };
}

/** @param {string} title within a sentence; German capitalises nouns */
const midSentence = (title) => (language === "de" ? title : title.toLowerCase());

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
    const words = decimal(rate, rate < 100 ? 1 : 0);
    const over = plain && plain.trace !== trace ? rate / laneRate(plain.trace) : null;
    const number = t(over === null ? "compare.rate" : "compare.rate-over", { rate: words, times: over });
    return { title, number, parts: [{ share: rate / highest }] };
  });
  const note = plain ? t("compare.rate-note-over", { plain: midSentence(plain.title) }) : t("compare.rate-note");
  return createBars("rate", t("compare.rate-title"), note, rows);
}

/** @param {Race} race */
function meanBars(race) {
  const means = race.lanes.map(({ trace }) => tokensAfter(trace, trace.steps.length) / trace.steps.length);
  const rows = race.lanes.map(({ title }, lane) => {
    return { title, number: decimal(means[lane], 2), parts: [{ share: means[lane] / Math.max(...means) }] };
  });
  return createBars("mean", t("compare.mean-title"), t("compare.mean-note"), rows);
}

/** @param {Race} race */
function draftBars(race) {
  const highest = Math.max(1, ...race.lanes.map(({ trace }) => lastTotals(trace).drafted));
  const rows = race.lanes.map(({ title, trace }) => {
    const { drafted, accepted } = lastTotals(trace);
    const counts = { accepted, drafted, share: percent(accepted / drafted) };
    const number = drafted ? t("compare.accepted-of", counts) : t("compare.none-drafted");
    const parts = [
      { share: accepted / highest, kind: "accepted" },
      { share: (drafted - accepted) / highest, kind: "wasted" },
    ];
    return { title, number, parts };
  });
  return createBars("drafts", t("compare.drafts-title"), t("compare.drafts-note"), rows);
}

/** @param {Race} race */
function originBars(race) {
  const origins = ORIGIN_NAMES.filter((origin) => race.origins.has(origin));
  const rows = race.lanes.map(({ title, trace }) => {
    const counts = countOrigins(trace);
    const tokens = tokensAfter(trace, trace.steps.length);
    const used = origins.filter((origin) => counts[origin]);
    const number = used
      .map((origin) => t("compare.origin-count", { count: counts[origin], origin: ORIGINS[origin].name }))
      .join(t("compare.comma"));
    return { title, number, parts: used.map((origin) => ({ share: counts[origin] / tokens, origin })) };
  });
  return createBars("origins", t("compare.origins-title"), t("compare.origins-note"), rows);
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
