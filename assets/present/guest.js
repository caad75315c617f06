/* A follower's side: this page goes where the lecturer's goes until its visitor looks around, and returns there at the
   press of a button. It reconnects after a loss, and disconnects while the page is hidden. */

import { t } from "../page/i18n.js";
import { Refused, readEvents } from "./events.js";
import { followBar, paint } from "./follow_bar.js";
import { go, goBack, stay } from "./stay.js";
import { predicted, recallVoter, remember, takeTicket, vote } from "./voter.js";

/** @import { Guest } from "../player/types.js" */

const SILENT = 45_000; // ms without an event, after which the connection counts as lost
const [SOON, LATE] = [500, 10_000]; // ms until it reconnects, at first and at most
const LOOK = 500; // ms
const MAX_CODE = 16; // letters

/**
 * Follows the lecture that the address names, or that this tab followed before a reload.
 * @param {(path: string) => URL} address of the server's routes for lectures
 * @param {(view: string) => Promise<void>} openView brings a view into sight
 */
export function followLecture(address, openView) {
  const named = new URLSearchParams(location.search).get("follow");
  const before = recallVoter();
  // A full stop or a bracket that followed the link in a message is not part of its code.
  const code = named ? named.toUpperCase().replace(/\W/g, "").slice(0, MAX_CODE) : before ? before.code : "";
  if (!code) return;
  const { ticket = "", counted = {} } = before && before.code === code ? before : {};
  const guest = /** @type {Guest} */ ({
    address, openView, code, ticket, counted, chosen: { ...counted },
    place: null, counts: null, loose: false, lost: false, shows: true, over: "",
    seen: "", touched: -Infinity, tries: 0, going: false, again: false,
    stream: null, heard: performance.now(), voting: Promise.resolve(),
  });
  guest.bar = followBar({ back: () => goBack(guest), leave: () => leave(guest), vote: (choice) => vote(guest, choice) });
  document.body.append(guest.bar.element);
  listen(guest);
  guest.watch = setInterval(() => look(guest), LOOK);
  connect(guest);
  paint(guest);
}

/** @param {Guest} guest */
function listen(guest) {
  for (const each of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(each, (event) => {
      if (event.isTrusted && !guest.bar.element.contains(/** @type {Node} */ (event.target))) guest.touched = performance.now();
    }, { capture: true, passive: true });
  }
  document.addEventListener("cue", () => look(guest));
  document.addEventListener("cue-predict", (event) => event instanceof CustomEvent && predicted(guest, event));
  document.addEventListener("visibilitychange", () => (document.hidden ? guest.stream?.abort() : connect(guest)));
}

/** @param {Guest} guest */
const listens = ({ over }) => !over && !document.hidden;

/** Stays connected while the page is visible. @param {Guest} guest */
async function connect(guest) {
  if (guest.stream || !listens(guest)) return;
  guest.stream = new AbortController();
  for (let wait = SOON; listens(guest); wait = Math.min(2 * wait, LATE)) {
    try {
      const from = guest.address(guest.code);
      from.searchParams.set("ticket", guest.ticket);
      await readEvents(from, guest.stream.signal, (about) => {
        guest.heard = performance.now();
        wait = SOON;
        if (about) take(guest, about);
      });
    } catch (error) {
      if (error instanceof Refused && error.status === 404) end(guest, error.message);
    }
    if (!listens(guest)) break;
    guest.lost = true;
    paint(guest);
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    if (guest.stream.signal.aborted) guest.stream = new AbortController();
  }
  guest.stream = null;
  paint(guest);
}

/** @param {Guest} guest @param {any} about */
function take(guest, about) {
  guest.lost = false;
  if (about.over) end(guest, t("present.over"));
  if (typeof about.ticket === "string") takeTicket(guest, about.ticket);
  if ("place" in about) {
    Object.assign(guest, { place: about.place, counts: about.counts, tries: 0 });
    if (!guest.loose) go(guest);
  }
  paint(guest);
}

/** Ends a silent connection, and stays at the lecturer's place. @param {Guest} guest */
function look(guest) {
  if (guest.stream && performance.now() - guest.heard > SILENT) {
    guest.heard = performance.now();
    guest.stream.abort();
  }
  stay(guest);
}

/** @param {Guest} guest @param {string} words */
function end(guest, words) {
  guest.over = words;
  remember(guest);
}

/** @param {Guest} guest */
function leave(guest) {
  end(guest, t("present.left"));
  guest.stream?.abort();
  clearInterval(guest.watch);
  const page = new URL(location.href);
  page.searchParams.delete("follow");
  history.replaceState(history.state, "", page);
  guest.bar.element.remove();
}
