/* Brings a view into sight: opens the tab that it is in. */

import { sourceNamed } from "../page/cues.js";
import { whenThere } from "../page/when_there.js";

// Which tab (logitspec/ui/tabs) a source of cues is in.
/** @type {Record<string, string>} */
const TABS = { player: "watch", race: "compare", why: "why", lesson: "learn" };
const PATIENCE = 10_000; // ms for a tab to build its content

/** @param {string} view */
export async function openView(view) {
  const found = sourceNamed(view);
  if (found && found.root.getClientRects().length > 0) return;
  const tab = await Promise.race([whenThere(() => tabOf(view)), pause(PATIENCE)]);
  if (!tab) return;
  if (tab.ariaSelected !== "true") tab.click();
  await Promise.race([whenSeen(view), pause(PATIENCE)]);
}

/**
 * @param {string} view
 * @returns {HTMLElement | null}
 */
function tabOf(view) {
  /** @type {HTMLElement[]} */
  const all = [...document.querySelectorAll("[role=tab]")].map((each) => /** @type {HTMLElement} */ (each));
  return all.find((each) => each.dataset.tabId === TABS[view] && !each.closest("[aria-hidden=true]")) || null;
}

/** @param {string} view @returns {Promise<null>} */
function whenSeen(view) {
  return new Promise((resolve) => {
    const look = () => {
      const found = sourceNamed(view);
      if (!found || found.root.getClientRects().length === 0 || found.source.length() === 0) return;
      clearInterval(timer);
      resolve(null);
    };
    const timer = setInterval(look, 50);
    setTimeout(() => clearInterval(timer), PATIENCE);
    look();
  });
}

/** @param {number} time @returns {Promise<null>} */
const pause = (time) => new Promise((resolve) => setTimeout(() => resolve(null), time));
