/* What colours and heights mean; origins that no lane uses are left out. */

import { el } from "../player/dom.js";
import { LEGEND_ORIGINS } from "../player/legend.js";
import { ORIGIN_NAMES } from "../player/trace.js";
import { TRACK_HEIGHTS } from "./track.js";

export function createRaceLegend() {
  const items = ORIGIN_NAMES.map((origin) => {
    const swatch = el("span", { class: "lr-swatch", "aria-hidden": "true" });
    swatch.style.setProperty("--lr-height", TRACK_HEIGHTS[origin] + "%");
    const [name, meaning] = LEGEND_ORIGINS[origin];
    const [words] = meaning.split(","); // ranks stand at nodes of trees only
    const word = el("span", { class: "ls-token", "data-legend-origin": origin }, name);
    return el("li", { class: "lr-item", "data-origin": origin }, swatch, word, el("span", {}, words));
  });
  const element = el("ul", { class: "lr-legend", "aria-label": "Where a token comes from" }, ...items);
  return {
    element,
    paint(race) {
      for (const item of items) item.hidden = !race.origins.has(item.dataset.origin);
    },
  };
}
