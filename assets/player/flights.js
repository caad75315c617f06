/* Flights: at the commit, accepted tokens fly from their nodes to their places in the text; in a scene, copied
   tokens fly from their sources in the text to their nodes. */

import { el } from "./dom.js";
import { fillToken } from "./spelling.js";
import { spellToken } from "./trace.js";
import { shifted } from "./ways.js";

/** @import { Box, Panels, Step, StepFrame, Trace } from "./types.js" */

/** @type {KeyframeAnimationOptions} */
const FLIGHT = { duration: 380, fill: "backwards" };
/** @type {KeyframeAnimationOptions} they land when scene.css shows their nodes */
const COPY_FLIGHT = { delay: 1900, duration: 900 };
const FLIGHT_EASE = "cubic-bezier(0.3, 0, 0.2, 1)";

/**
 * Animates copies of the accepted nodes; the text itself is already there.
 * @param {HTMLElement} place the element for the copies; its content is replaced
 * @param {StepFrame} frame of a step that is committed
 * @param {Panels} panels
 */
export function startFlights(place, frame, { text, tree }) {
  const { trace, step, previous } = frame;
  const origin = place.getBoundingClientRect();
  place.replaceChildren();
  step.row.path.forEach((node, order) => {
    const from = tree.boxOf(node);
    const to = text.boxOf(previous + order);
    if (!from || !to) return;
    const chip = flyingChip(trace, step, node, shifted(from, origin));
    place.append(chip);
    const way = `translate(${to.left - from.left}px, ${to.top - from.top}px)`;
    const motion = chip.animate(
      [
        { transform: "none", opacity: 1, easing: FLIGHT_EASE },
        { transform: way, opacity: 1, offset: 0.85 },
        { transform: way, opacity: 0 },
      ],
      FLIGHT,
    );
    motion.finished.then(() => chip.remove(), () => null);
  });
}

/**
 * Animates copies of the nodes that were copied from the text in sight; the nodes themselves appear as they land.
 * @param {HTMLElement} place
 * @param {StepFrame} frame of a scene that speculates
 * @param {Panels} panels
 */
export function startCopies(place, frame, { text, tree }) {
  const { trace, step } = frame;
  const origin = place.getBoundingClientRect();
  place.replaceChildren();
  step.origins.forEach(({ from }, node) => {
    const start = from === null ? null : text.boxOf(from);
    const end = tree.boxOf(node);
    if (!start || !end) return;
    const chip = flyingChip(trace, step, node, shifted(start, origin));
    place.append(chip);
    const way = `translate(${end.left - start.left}px, ${end.top - start.top}px)`;
    const motion = chip.animate(
      [{ transform: "none", opacity: 1, easing: FLIGHT_EASE }, { transform: way, opacity: 1 }],
      COPY_FLIGHT,
    );
    motion.finished.then(() => chip.remove(), () => null);
  });
}

/** @param {Trace} trace @param {Step} step @param {number} node @param {Box} box */
function flyingChip(trace, step, node, { left, top }) {
  const attributes = {
    class: "ls-chip ls-flight",
    "data-legend-origin": step.origins[node].origin,
    "data-legend-state": "accepted",
    style: `left: ${left}px; top: ${top}px`,
  };
  const text = el("span", { class: "ls-node-text" });
  fillToken(text, spellToken(trace, step.row.tokens[node]), true);
  return el("span", attributes, text);
}
