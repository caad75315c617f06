/* A lane's track: one block for each step, as wide as its number of tokens, up to the finish line. */

import { el, svg } from "../player/dom.js";
import { ORIGINS, ORIGIN_NAMES } from "../player/origins.js";
import { originAt } from "../player/trace.js";
import { tokensAfter } from "./race.js";

/** @import { Trace } from "../player/types.js" */

const TRACK_GAP = 0.3; // of a token, after every step

export function createTrack() {
  const paths = new Map(
    ORIGIN_NAMES.map((origin) => [origin, svg("path", { "data-origin": origin, class: "lr-block" })]),
  );
  const options = { class: "lr-blocks", preserveAspectRatio: "none", "aria-hidden": "true" };
  const blocks = svg("svg", options, ...paths.values());
  const runner = el("i", { class: "lr-runner", "aria-hidden": "true" });
  const line = el("i", { class: "lr-line", "aria-hidden": "true" });
  const element = el("div", { class: "lr-track" }, el("div", { class: "lr-way" }, blocks, runner), line);
  const last = { trace: /** @type {Trace | null} */ (null), steps: 0, length: 0 };
  return {
    element,
    /** @param {Trace} trace @param {number} steps @param {number} length */
    paint(trace, steps, length) {
      if (last.trace !== trace || last.steps !== trace.steps.length) drawBlocks(paths, trace);
      if (last.length !== length) blocks.setAttribute("viewBox", `0 0 ${length} 100`);
      Object.assign(last, { trace, steps: trace.steps.length, length });
      const share = ((tokensAfter(trace, steps) / length) * 100).toFixed(3);
      element.style.setProperty("--lr-done", share + "%");
    },
  };
}

/** @param {Map<string, SVGElement>} paths @param {Trace} trace */
function drawBlocks(paths, trace) {
  const ways = Object.fromEntries(ORIGIN_NAMES.map((origin) => [origin, ""]));
  for (let at = trace.promptLength; at < trace.ids.length; at += 1) {
    const origin = originAt(trace, at);
    const last = trace.stepOf[at + 1] !== trace.stepOf[at];
    const width = last ? 1 - TRACK_GAP : 1;
    const height = ORIGINS[origin].track_height;
    ways[origin] += `M${at - trace.promptLength} 100v${-height}h${width}v${height}z`;
  }
  for (const [origin, path] of paths) path.setAttribute("d", ways[origin]);
}
