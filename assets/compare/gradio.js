/* The race as a component of Gradio. */

import { keepInPage } from "../player/adapter.js";
import { createRaceView } from "./compare.js";

/** @import { Gradio, TraceMessage } from "../player/types.js" */

/** @param {TraceMessage} lane */
const hasEnd = ({ finish }) => finish;

/**
 * @param {Gradio} gradio
 * @param {HTMLElement} root where the race goes
 */
export function mountRace(gradio, root) {
  const onLane = (/** @type {string} */ trace) => {
    dispatchEvent(new CustomEvent("logitspec-open", { detail: trace }));
    gradio.trigger("open_lane", {});
  };
  const gpuCosts = JSON.parse(root.dataset.gpu || "null");
  keepInPage(gradio, root, (options) => createRaceView(root, { ...options, onLane, gpuCosts }), {
    store: "logitspec.race",
    subject: ({ race, lanes = [] }) => ({ run: race, finish: lanes.length > 0 && lanes.every(hasEnd) }),
    waiting: "logitspec-race",
    stop: "logitspec-stop-race",
    stopButton: "#stop-race",
  });
}
