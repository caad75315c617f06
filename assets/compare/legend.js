/* The meaning of colours and heights, for the origins that some lane uses. */

import { t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { ORIGINS, ORIGIN_NAMES } from "../player/origins.js";

/** @import { Race } from "../player/types.js" */

export function createRaceLegend() {
  const items = ORIGIN_NAMES.map((origin) => {
    const swatch = el("span", { class: "lr-swatch", "aria-hidden": "true" });
    const { name, meaning, track_height: height } = ORIGINS[origin];
    swatch.style.setProperty("--lr-height", height + "%");
    const [words] = meaning.split(","); // only nodes of trees show ranks
    const word = el("span", { class: "ls-token", "data-legend-origin": origin }, name);
    return el("li", { class: "lr-item", "data-origin": origin }, swatch, word, el("span", {}, words));
  });
  const element = el("ul", { class: "lr-legend", "aria-label": t("compare.origins") }, ...items);
  return {
    element,
    /** @param {Race} race */
    paint(race) {
      ORIGIN_NAMES.forEach((origin, at) => (items[at].hidden = !race.origins.has(origin)));
    },
  };
}
