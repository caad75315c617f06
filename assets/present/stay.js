/* Keeps a follower's page at the lecturer's place, until its visitor looks around. */

import { currentSource, sourceNamed } from "../page/cues.js";
import { paint } from "./follow_bar.js";
import { placeOf, showPlace } from "./place.js";

/** @import { Guest } from "../player/types.js" */

const OWN = 2000; // ms after a key or a press in which the visitor is taken to have changed the view
const TRIES = 6; // to go back to a place that the page itself has left, as while it loads

/** Goes to the lecturer's place, and on to a newer one that arrives in the meantime. @param {Guest} guest */
export async function go(guest) {
  if (guest.going) {
    guest.again = true;
    return;
  }
  guest.going = true;
  do {
    guest.again = false;
    const { place } = guest;
    if (!place) break;
    await guest.openView(place.view);
    guest.shows = await showPlace(place).catch(() => false);
    if (guest.shows) bringIntoSight(guest, place.view);
  } while (guest.again);
  guest.going = false;
  paint(guest);
}

/** Scrolls to a view once, and again after its visitor has come back. @param {Guest} guest @param {string} view */
function bringIntoSight(guest, view) {
  const found = sourceNamed(view);
  if (!found || guest.seen === view || document.querySelector("[data-presenting]")) return;
  guest.seen = view;
  found.root.scrollIntoView({ block: "start" });
}

/** @param {Guest} guest */
function isThere({ place }) {
  const found = place && sourceNamed(place.view);
  if (!found) return false;
  const [root] = currentSource() || [null];
  const own = placeOf(found.source);
  return root === found.root && own.cue === place.cue && JSON.stringify(own.at) === JSON.stringify(place.at);
}

/** Checks whether the visitor or the page itself has left the place, and goes back if it was the page. @param {Guest} guest */
export function stay(guest) {
  if (!guest.place || guest.loose || guest.going || guest.over || !guest.shows || isThere(guest)) return;
  if (performance.now() - guest.touched < OWN) {
    guest.loose = true;
    paint(guest);
  } else if (guest.tries < TRIES) {
    guest.tries += 1;
    go(guest);
  }
}

/** Goes back to the lecturer's place, which the visitor has left. @param {Guest} guest */
export function goBack(guest) {
  Object.assign(guest, { loose: false, tries: 0, touched: -Infinity, seen: "" });
  go(guest);
  paint(guest);
}
