/* What came out of a live race, for other views of the page, such as the lesson that sent the visitor there. */

/** @import { RaceOutcome } from "../player/types.js" */

/** @param {RaceOutcome} outcome */
export function announceOutcome(outcome) {
  document.dispatchEvent(new CustomEvent("race-over", { detail: outcome }));
}

/** @param {(outcome: RaceOutcome) => void} hear */
export function onOutcome(hear) {
  document.addEventListener("race-over", (event) => event instanceof CustomEvent && hear(event.detail));
}
