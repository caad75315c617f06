/* The race as a component of Gradio. */

import { keepInPage } from "../player/adapter.js";
import { createRaceView } from "./compare.js";

/**
 * @param {object} gradio what a script of gr.HTML is given
 * @param {HTMLElement} root where the race goes
 */
export function mountRace(gradio, root) {
  const onLane = (trace) => {
    dispatchEvent(new CustomEvent("logitspec-open", { detail: trace }));
    gradio.trigger("open_lane", {});
  };
  keepInPage(gradio, root, (options) => createRaceView(root, { ...options, onLane }), {
    store: "logitspec.race",
    told: ({ race, lanes = [] }) => ({ run: race, finish: lanes.length > 0 && lanes.every(({ finish }) => finish) }),
    waiting: "logitspec-race",
    stop: "logitspec-stop-race",
  });
}
