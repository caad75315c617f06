/* Runs at the server, where they go on for a while without their page: their steps are fetched until they end. */

import { t } from "../page/i18n.js";
import { unpacked } from "./unpack.js";

/** @import { ViewInPage, ViewPlace } from "./types.js" */

const ASK_EVERY = 300; // ms
const MAX_FAILURES = 30;
const SILENT = 4000; // ms without a message, after which the page asks: a lost connection is silent

/** @param {number} time ms */
export const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** @param {ViewInPage} page */
export const canFetch = ({ server }) => Boolean(server.fetch_steps);

/**
 * A message with the steps of a run from a number on; null from a server that no longer has the run.
 * @param {ViewInPage} page
 * @param {string} run
 * @param {number} from
 * @returns {Promise<string | null>}
 */
export async function fetchSteps({ server: { fetch_steps: ask } }, run, from) {
  return ask ? unpacked(await ask({ run, from })) : null;
}

/** @param {ViewInPage} page @param {string} run */
export const isShown = ({ root, view }, run) => root.isConnected && view.place().run === run;

/** @param {ViewInPage} page */
export const isLive = ({ root }) => ["running", "paused"].includes(root.dataset.state || "");

/** @param {ViewInPage} page @param {ViewPlace} place */
export function goTo({ view }, { cursor, beat, follow }) {
  if (!cursor || follow) return;
  view.show(cursor);
  if (beat && view.beat) view.beat(beat);
}

/**
 * Shows a run from the server; false if the server no longer has it.
 * @param {ViewInPage} page
 * @param {ViewPlace} place
 * @param {boolean} own
 */
export async function fetchRun(page, place, own) {
  const { run } = place;
  const whole = await fetchSteps(page, run, 0).catch(() => null);
  if (!whole) return false;
  const shown = page.view.place().run;
  if (shown && shown !== run) return true; // another one has arrived since
  page.view.receive(whole);
  goTo(page, place);
  if (!page.subject(whole).finish) followOn(page, run, own);
  return true;
}

/**
 * Requests the remaining steps of a run until it ends. `own`: this page started it, and stops it on leaving.
 * @param {ViewInPage} page
 * @param {string} run
 * @param {boolean} own
 */
export async function followOn(page, run, own) {
  page.following = own ? run : null;
  if (own) page.mine = run;
  for (let failures = 0; isShown(page, run) && failures < MAX_FAILURES; await pause(ASK_EVERY)) {
    try {
      if (await askOnce(page, run)) break;
      failures = 0;
    } catch {
      failures += 1;
      await pause(ASK_EVERY * failures);
    }
  }
  if (!isShown(page, run)) endFollowing(page);
  page.following = null;
}

/**
 * True when there is nothing more to ask for.
 * @param {ViewInPage} page
 * @param {string} run
 */
async function askOnce(page, run) {
  const from = page.view.place().steps;
  const reply = await fetchSteps(page, run, from);
  if (!isShown(page, run)) return true;
  if (!reply) {
    if (from && page.root.dataset.state !== "done") {
      page.view.receive({ kind: "error", run, message: t("player.gone") });
    }
    return true;
  }
  page.view.receive(reply);
  return Boolean(page.subject(reply).finish);
}

/** @param {ViewInPage} page */
export function endFollowing(page) {
  const { following: run, server } = page;
  page.following = null;
  if (run && server.stop_run) server.stop_run({ run });
}

/** Asks for the steps of a live run of which nothing has been heard for a while. @param {ViewInPage} page */
export function askIfSilent(page) {
  const { run } = page.view.place();
  const isSilent = performance.now() - page.lastMessageAt > SILENT;
  if (isSilent && isLive(page) && run && !page.following && canFetch(page)) followOn(page, run, true);
}

/**
 * Lets the server turn to others immediately; after a reload, the page asks for its run.
 * @param {ViewInPage} page
 */
export function sayGoodbye(page) {
  if (!isLive(page) || page.mine !== page.view.place().run) return;
  const script = document.getElementById("logitspec-page");
  if (script instanceof HTMLScriptElement) navigator.sendBeacon(new URL("../../goodbye", script.src), page.mine);
}
