/* The outcome of a live race, for other views of the page, such as the lesson that sent the visitor there. It waits
   for a view that does not exist yet, even while the page reloads. */

import { keep, recall } from "../present/storage.js";

/** @import { RaceOutcome } from "../player/types.js" */

const STORE = "logitspec.outcome";
/** @type {{ race: string, outcome: RaceOutcome, heard: boolean } | null} */
let last = recall(STORE);

/**
 * Announces the outcome of a race, once.
 * @param {string} race its name
 * @param {RaceOutcome} outcome
 */
export function announceOutcome(race, outcome) {
  if (last && last.race === race) return;
  remember({ race, outcome, heard: false });
  document.dispatchEvent(new CustomEvent("race-over"));
}

/**
 * Calls `hear` with every outcome from now on, and with the last one if nobody has heard it.
 * @param {(outcome: RaceOutcome) => void} hear
 */
export function onOutcome(hear) {
  const take = () => {
    if (!last || last.heard) return;
    remember({ ...last, heard: true });
    hear(last.outcome);
  };
  document.addEventListener("race-over", take);
  take();
}

/** @param {NonNullable<typeof last>} about */
function remember(about) {
  last = about;
  keep(STORE, about);
}
