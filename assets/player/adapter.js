/* Between a view and Gradio: passes values to the view, and restores it after a reload, which Gradio also triggers once
   a lost connection is back, from the browser (kept.js) or the server (remote.js). A view is a player or a race. */

import { t } from "../page/i18n.js";
import { takeLink } from "../page/links.js";
import { read, save, savePlace, saveSoon, saveTrace } from "./kept.js";
import { prefersStills } from "./playing.js";
import {
  askIfSilent, canFetch, endFollowing, fetchRun, fetchSteps, followOn, goTo, isShown, pause, sayGoodbye,
} from "./remote.js";
import { unpacked } from "./unpack.js";

/** @import { Gradio, Keeping, Step, View, ViewInPage, ViewOptions } from "./types.js" */

const LOW = 0.4; // of the window's height: a view that begins below it shows too little of a run
const BEGINNING = /^\{("run":"\w*","seq":0,)?"kind":"(reset|race)"/;
const PATIENCE = 500; // ms in which the server's own message may come first
const LOOK_EVERY = 1000; // ms

/**
 * Passes Gradio's values to a view, and restores the view after a reload.
 * @param {Gradio} gradio
 * @param {HTMLElement} root the element of the view
 * @param {(options: ViewOptions) => View} create makes the view
 * @param {Keeping} about
 * @returns {View}
 */
export function keepInPage({ props, server = {}, watch }, root, create, about) {
  /** @type {HTMLElement | null} */
  const frame = root.closest(".html-container");
  if (frame) frame.style.padding = "0"; // in line with the components around it
  const page = /** @type {ViewInPage} */ ({
    root, server, about,
    subject: (text) => about.subject(parsed(text)),
    saver: undefined, following: null, opened: "", lastMessageAt: performance.now(),
    asked: false, mine: "", begun: "",
  });
  page.view = create(viewOptions(page));
  page.turn = start(page, props).catch(() => null);
  watch("value", async () => {
    const { opened } = page;
    await take(page, props.value);
    if (opened !== page.opened) bringIntoSight(root);
  });
  listen(page);
  return page.view;
}

/** @param {ViewInPage} page @returns {ViewOptions} */
function viewOptions(page) {
  const { about } = page;
  return {
    repair: canFetch(page) ? (run, from) => fetchSteps(page, run, from) : null,
    link: canFetch(page) && about.links ? (run, step, beat) => linkTo(page, run, step, beat) : null,
    /** @param {string} run @param {Step} step */
    onSelect(run, step) {
      savePlace(page);
      if (about.onSelect) about.onSelect(run, step);
    },
    onTrace: () => saveSoon(page),
    onOpened: about.onOpened,
    why: about.why || null,
    giveUp: () => /** @type {HTMLElement | null} */ (document.querySelector(about.stopButton))?.click(),
  };
}

/** Listens to presses on Run and Stop, to the page's end, and for silence. @param {ViewInPage} page */
function listen(page) {
  const { root, about } = page;
  addEventListener(about.waiting, () => {
    endFollowing(page);
    page.asked = true;
    page.begun = "";
    page.view.expect();
    bringIntoSight(root);
  });
  addEventListener(about.stop, () => endFollowing(page));
  addEventListener(about.waiting + "-refused", async () => {
    await pause(PATIENCE);
    if (page.asked) page.view.receive({ kind: "error", run: "", message: t("player.no-room") });
    page.asked = false;
  });
  addEventListener("pagehide", () => {
    saveTrace(page, true);
    sayGoodbye(page);
  });
  const watchdog = setInterval(() => (root.isConnected ? askIfSilent(page) : clearInterval(watchdog)), LOOK_EVERY);
}

/** Scrolls to a view in which something begins, unless it is in sight; the focus stays on what was pressed. @param {HTMLElement} root */
function bringIntoSight(root) {
  if (root.getBoundingClientRect().top < LOW * innerHeight) return;
  root.scrollIntoView({ block: "start", behavior: prefersStills() ? "auto" : "smooth" });
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return JSON.parse(text || "{}") || {};
  } catch {
    return {};
  }
}

/* Links */

/** @param {ViewInPage} page @param {string} run @param {number} step @param {number} beat */
async function linkTo(page, run, step, beat) {
  if (!run || !(await fetchSteps(page, run, page.view.place().steps))) return null;
  const address = new URL(location.href);
  address.hash = "";
  for (const name of ["embed", "lesson", "cue"]) address.searchParams.delete(name);
  const place = { run, step: String(step), beat: String(beat) };
  for (const [name, value] of Object.entries(place)) address.searchParams.set(name, value);
  return address.href;
}

/** The run, step and beat that the address leads to; null for none. @param {ViewInPage} page */
function linked(page) {
  const query = new URLSearchParams(location.search);
  const [run, step, beat] = [query.get("run"), Number(query.get("step")), Number(query.get("beat"))];
  if (!run || !page.about.links || !canFetch(page) || !takeLink("run")) return null;
  return { run, cursor: step, beat, follow: !(step >= 1) };
}

/* Values */

/**
 * Shows values one after the other, and after the start: unpacking takes a moment, and steps must stay in order.
 * @param {ViewInPage} page
 * @param {string} value
 */
function take(page, value) {
  page.lastMessageAt = performance.now();
  page.turn = page.turn.then(async () => show(page, await unpacked(value))).catch(() => null);
  return page.turn;
}

/** @param {ViewInPage} page @param {string} value */
function show(page, value) {
  if (!value) return;
  page.asked = false;
  if (!value.startsWith('{"autoplay":true')) {
    page.begun = BEGINNING.test(value) ? page.subject(value).run || "" : "";
    if (page.begun) page.mine = page.begun;
    return page.view.receive(value);
  }
  if (value === page.opened) return;
  page.opened = value;
  page.begun = "";
  page.view.open(value);
}

/** @param {ViewInPage} page @param {Gradio["props"]} props */
async function start(page, props) {
  const [text, place, first] = ["trace", "place", "first"].map((name) => read(page, name));
  const value = await unpacked(props.value);
  const run = page.subject(value).run || "";
  save(page, "first", run);
  const link = linked(page);
  if (link && (await fetchRun(page, link, false))) return page.about.onOpened && page.about.onOpened();
  await restore(page, text, parsed(place), { value, run, again: run === first });
  if (link) page.view.receive({ kind: "error", run: "", message: t("player.no-such-run") });
}

/**
 * After a reload Gradio's value is the initial one again, so the viewer's last trace takes precedence.
 * @param {ViewInPage} page
 * @param {string | null} text
 * @param {any} last
 * @param {{ value: string, run: string, again: boolean }} initial what the page began with
 */
async function restore(page, text, last, { value, run, again }) {
  const { run: known = "", finish } = page.subject(text);
  if (last.run && last.run !== known && canFetch(page) && (await fetchRun(page, last, true))) return;
  if (text) page.view.receive(text);
  const began = text && again && (run !== known || finish);
  const tells = last.scene && run === last.run; // the scene that the page begins with is told again
  if (!began || tells) show(page, value);
  if (!tells && isShown(page, last.run)) goTo(page, last);
  if (text && !finish && canFetch(page) && isShown(page, known)) followOn(page, known, true);
}
