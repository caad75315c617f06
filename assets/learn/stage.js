/* The stage of a lesson: the step player, which shows the scene of a station, and in which visitors pick things. */

import { t } from "../page/i18n.js";
import { el, nearest } from "../player/dom.js";
import { createPlayer } from "../player/player.js";
import { traceText } from "../player/trace.js";

/** @import { Trace } from "../player/types.js" */
/** @import { Highlight, Stage } from "./types.js" */

const PICKS = { node: "[data-node]", rank: "[data-rank]", token: "[data-token]" };
const POINTED = { node: "[data-node]:focus", rank: "[data-rank][data-pointed]", token: "[data-token][data-pointed]" };

/**
 * @param {(place: number) => void} onPick is called with the node, rank or position that is picked
 * @returns {Stage}
 */
export function createStage(onPick) {
  const about = { class: "ls-player learn-player", role: "group", tabindex: -1, "aria-label": t("learn.stage") };
  const element = el("section", about);
  const player = createPlayer(element, { driven: true });
  /** @type {Trace | null} */
  let shown = null;
  /** @type {keyof typeof PICKS | ""} */
  let picks = "";

  element.addEventListener("click", (event) => picks && pick(nearest(event, PICKS[picks])));
  element.addEventListener("keydown", (event) => {
    if (!picks || event.key !== "Enter" || event.ctrlKey || event.altKey || event.metaKey) return;
    /** @type {HTMLElement | null} */
    const found = element.querySelector(POINTED[picks]);
    if (!found) return;
    event.preventDefault();
    pick(found);
  });

  /** @param {HTMLElement | null} found */
  function pick(found) {
    if (!picks || !found) return;
    for (const each of element.querySelectorAll("[data-picked]")) each.removeAttribute("data-picked");
    found.setAttribute("data-picked", "");
    onPick(Number(found.dataset[picks]));
  }

  return {
    element,
    /** @param {boolean} on */
    enlarge: (on) => player.set({ stage: on }),
    show(trace, { step = 1, beat = 1, view = "tree", panels, highlight }, how) {
      picks = how.picks;
      element.hidden = trace === null;
      element.toggleAttribute("data-sealed", how.sealed);
      element.dataset.panels = (panels || ["text", "tree"]).join(" ");
      for (const each of element.querySelectorAll("[data-picked]")) each.removeAttribute("data-picked");
      if (trace && trace !== shown) player.receive(traceText(trace));
      shown = trace;
      if (!trace) return;
      player.still(step, beat);
      player.point(pointerOf(highlight));
      player.set({ treeView: view });
    },
  };
}

/** @param {Highlight | undefined} highlight */
function pointerOf(highlight) {
  if (!highlight) return null;
  const { node, rank, token } = highlight;
  if (node !== undefined) return { node };
  if (rank !== undefined) return { rank };
  return token === undefined ? null : { position: token };
}
