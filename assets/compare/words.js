/* What the page says about a race, all of it from the traces. */

import { t } from "../page/i18n.js";
import { duration } from "../player/numbers.js";
import { percent, sentences } from "../player/words.js";
import { SAME_TIME, places, spentInAll, stepsAt } from "./clock.js";
import { isPlain, tokensAfter } from "./race.js";

/** @import { Clock, GpuCosts, Race, Trace } from "../player/types.js" */

export const IDLE_RACE = t("compare.idle");
export const STARTING_RACE = t("compare.warming-up");
export const ORDINALS = ["", t("compare.place-1"), t("compare.place-2"), t("compare.place-3"), t("compare.place-4")];
const TIE = 0.01; // difference of probabilities up to which rounding can decide between two tokens

/**
 * A moment on a clock: 1.32 s, 30 passes.
 * @param {number} at
 * @param {Clock} clock
 */
export function momentWords(at, clock) {
  return clock === "time" ? duration(at) : t("compare.passes", { n: Math.floor(at + SAME_TIME) });
}

/** @param {Race} race */
export function verdictWords(race) {
  const { verdict } = race;
  if (!verdict) return "";
  const { tokens, differs_at: place, margin, complete } = verdict;
  if (place !== null) return differenceWords(place, margin);
  const dtype = String(race.lanes[0].trace.header.model?.dtype ?? "");
  if (!complete) return tokens ? t("compare.identical-so-far", { n: tokens }) : t("compare.stopped");
  // In half precision, identical outputs can't be taken for granted.
  return t(dtype.endsWith("float16") ? "compare.identical-half" : "compare.identical", { n: tokens, dtype });
}

/**
 * Why each lane was faster or slower than plain decoding: its passes, the cost of one, and what such a pass costs
 * on a GPU.
 * @param {Race} race
 * @param {GpuCosts | null} gpu
 */
export function raceReasons(race, gpu) {
  const plain = race.lanes.find(({ trace }) => isPlain(trace));
  if (!plain || !isTimed(race)) return [];
  const price = (/** @type {Trace} */ trace) => spentInAll(trace, "time") / trace.steps.length;
  const tokens = (/** @type {Trace} */ trace) => tokensAfter(trace, trace.steps.length);
  return race.lanes
    // Of texts of different lengths, as after a stop, neither passes nor times can be compared.
    .filter(({ trace }) => trace !== plain.trace && tokens(trace) === tokens(plain.trace))
    .map(({ title, trace }) => {
      const rows = trace.steps.reduce((sum, { row }) => sum + row.tokens.length, 0) / trace.steps.length;
      const device = String(trace.header.model?.device ?? "");
      const values = {
        title,
        n: trace.steps.length,
        plain: plain.trace.steps.length,
        price: price(trace) / price(plain.trace),
        times: spentInAll(plain.trace, "time") / spentInAll(trace, "time"),
        rows,
        device: device || t("compare.machine"),
      };
      const words = t("compare.reason", values);
      if (!gpu || rows < 2 || device.includes("cuda")) return words;
      return `${words} ${t("compare.reason-gpu", { name: gpu.name, rows, price: costOf(gpu, rows) / gpu.milliseconds[0] })}`;
    });
}

/**
 * Milliseconds of a pass over `rows` rows, interpolated between the measured sizes.
 * @param {GpuCosts} gpu
 * @param {number} rows
 */
function costOf({ rows: sizes, milliseconds }, rows) {
  const above = sizes.findIndex((size) => size >= rows);
  if (above <= 0) return milliseconds[above < 0 ? sizes.length - 1 : 0];
  const share = (rows - sizes[above - 1]) / (sizes[above] - sizes[above - 1]);
  return milliseconds[above - 1] + share * (milliseconds[above] - milliseconds[above - 1]);
}

/** @param {number} place @param {number | null} margin */
function differenceWords(place, margin) {
  if (margin === null || margin > TIE) return t("compare.differ", { place: place + 1 });
  return t("compare.differ-tie", { place: place + 1, margin: percent(margin) });
}

/**
 * Whether all lanes have times; a file of a race may have none, and then there are no rates.
 * @param {Race} race
 */
export const isTimed = (race) => race.lanes.every(({ trace }) => spentInAll(trace, "time") > 0);

/**
 * How the times were measured, and on which hardware; what the file of a race doesn't name is left out.
 * @param {Race} race
 */
export function timingWords(race) {
  const { model, environment } = race.lanes[0].trace.header;
  const versions = ["torch", "transformers", "python"]
    .filter((name) => environment[name])
    .map((name) => `${name} ${environment[name]}`);
  const forward = t(environment.forward === "fast" ? "compare.forward-fast" : "compare.forward-stock");
  const about = { ...model, model: model.id, forward, versions: versions.join(t("compare.comma")) };
  return sentences(
    isTimed(race) && race.warmUp !== undefined ? t("compare.timing", { n: race.warmUp }) : "",
    [model.id, model.dtype, model.device, about.versions].every(Boolean) ? t("compare.timing-model", about) : "",
  );
}

/**
 * What a lane has done: 78 tokens, 30 passes, 2.60 a pass.
 * @param {Trace} trace
 * @param {number} steps
 */
export function laneWords(trace, steps) {
  const tokens = tokensAfter(trace, steps);
  const words = [t("compare.tokens", { n: tokens }), t("compare.passes", { n: steps })];
  if (steps) words.push(t("compare.a-pass", { mean: tokens / steps }));
  return words.join(t("compare.comma"));
}

/**
 * The order of arrival, for screen readers.
 * @param {Race} race
 * @param {Clock} clock
 */
export function arrivalWords(race, clock) {
  return places(race, clock)
    .flatMap((place, number) => (place === null ? [] : [{ place, ...race.lanes[number] }]))
    .sort((a, b) => a.place - b.place)
    .map(({ place, title, trace }) => {
      return t("compare.arrived", { place: ORDINALS[place], title, moment: momentWords(spentInAll(trace, clock), clock) });
    })
    .join(t("compare.semicolon"));
}

/**
 * Where every lane is, for screen readers.
 * @param {Race} race
 * @param {number} at
 * @param {Clock} clock
 */
export function standWords(race, at, clock) {
  const lanes = race.lanes.map(({ title, trace }) => {
    const tokens = t("compare.tokens", { n: tokensAfter(trace, stepsAt(trace, at, clock)) });
    return t("compare.lane-stands", { title, tokens });
  });
  return t("compare.stand", { moment: momentWords(at, clock), lanes: lanes.join(t("compare.semicolon")) });
}
