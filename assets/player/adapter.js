/* Between a view and Gradio: passes values to the view, and restores it after a reload, which Gradio also
   triggers once a lost connection is back. It stores the trace and the place in the browser, and asks the
   server, where a run goes on for a while without its page. A view is a player or a race. */

import { t } from "../page/i18n.js";
import { takeLink } from "../page/links.js";
import { prefersStills } from "./playing.js";
import { unpacked } from "./unpack.js";

/** @import { Gradio, Keeping, Step, Timer, View, ViewOptions } from "./types.js" */

const LOW = 0.4; // of the window's height: a view that begins below it shows too little of a run

/** Scrolls to a view in which something begins, unless it is in sight; the focus stays on what was pressed. @param {HTMLElement} root */
function bringIntoSight(root) {
  if (root.getBoundingClientRect().top < LOW * innerHeight) return;
  root.scrollIntoView({ block: "start", behavior: prefersStills() ? "auto" : "smooth" });
}

/**
 * Passes Gradio's values to a view, and restores the view after a reload.
 * @param {Gradio} gradio
 * @param {HTMLElement} root the element of the view
 * @param {(options: ViewOptions) => View} create makes the view
 * @param {Keeping} about
 * @returns {View}
 */
export function keepInPage({ props, server, watch }, root, create, about) {
  const SAVE_EVERY = 2000;
  const STEPS_TO_SAVE_OFTEN = 300; // longer traces are stored only when the page closes
  const ASK_EVERY = 300;
  const MAX_FAILURES = 30;
  const SILENT = 4000; // ms without a message, after which the page asks: a lost connection is silent
  const GONE = t("player.gone");
  const REFUSED = t("player.no-room");
  const BEGINNING = /^\{("run":"\w*","seq":0,)?"kind":"(reset|race)"/;
  const PATIENCE = 500; // ms in which the server's own message may come first
  const NO_SUCH_RUN = t("player.no-such-run");
  const { fetch_steps: ask, stop_run: stopRun } = server || {};
  const canFetch = Boolean(ask);
  /** @type {(request: { run: string, from: number }) => Promise<string | null>} */
  const fetchSteps = async (request) => (ask ? unpacked(await ask(request)) : null);
  /** @type {HTMLElement | null} */
  const frame = root.closest(".html-container");
  if (frame) frame.style.padding = "0"; // in line with the components around it
  /** @type {Timer | null} */
  let saver = null;
  /** @type {string | null} the run whose steps this page keeps requesting */
  let following = null;
  /** @type {string | null} */
  let openedValue = null;
  let lastMessageAt = performance.now();
  let asked = false; // for a run, of which nothing has arrived yet
  let mine = ""; // the run that this page started
  let begun = ""; // the same, while only its beginning has arrived: a race is shown from its first step on

  const view = create({
    repair: canFetch ? (run, from) => fetchSteps({ run, from }) : null,
    link: canFetch && about.links ? linkTo : null,
    /** @param {string} run @param {Step} step */
    onSelect(run, step) {
      savePlace();
      if (about.onSelect) about.onSelect(run, step);
    },
    onTrace: saveSoon,
    onOpened: about.onOpened,
    why: about.why || null,
    giveUp: () => /** @type {HTMLElement | null} */ (document.querySelector(about.stopButton))?.click(),
  });

  /* Storage in the browser */

  /** @param {string} name */
  function read(name) {
    try {
      return sessionStorage.getItem(about.store + "." + name);
    } catch {
      return null;
    }
  }

  /**
   * Stores a text, unless storage is full or forbidden.
   * @param {string} name
   * @param {string} text
   */
  function save(name, text) {
    try {
      sessionStorage.removeItem(about.store + "." + name);
      sessionStorage.setItem(about.store + "." + name, text);
    } catch {
      return;
    }
  }

  // Not from the element's attributes, which are painted a moment after the steps arrive.
  const stepsHere = () => view.place().steps;

  function savePlace() {
    const place = view.place();
    const isShown = !begun || begun === place.run;
    save("place", JSON.stringify(isShown ? place : { ...place, run: begun, follow: true }));
  }

  function saveSoon() {
    if (saver === null) saver = setTimeout(() => saveTrace(stepsHere() <= STEPS_TO_SAVE_OFTEN), SAVE_EVERY);
  }

  /** @param {boolean} whole */
  function saveTrace(whole) {
    clearTimeout(saver || undefined);
    saver = null;
    const { run, steps } = view.place();
    if (!root.isConnected || !(begun || run || steps)) return; // a run from a file may have no name
    if (whole) save("trace", view.snapshot() || "");
    savePlace();
  }

  /** @param {string | null} text */
  function parsed(text) {
    try {
      return JSON.parse(text || "{}") || {};
    } catch {
      return {};
    }
  }

  /** @param {string | null} text */
  const subject = (text) => about.subject(parsed(text));

  /* Links */

  /** @param {string} run @param {number} step @param {number} beat */
  async function linkTo(run, step, beat) {
    if (!run || !(await fetchSteps({ run, from: stepsHere() }))) return null;
    const address = new URL(location.href);
    address.hash = "";
    for (const name of ["embed", "lesson", "cue"]) address.searchParams.delete(name);
    const place = { run, step: String(step), beat: String(beat) };
    for (const [name, value] of Object.entries(place)) address.searchParams.set(name, value);
    return address.href;
  }

  /** The run, step and beat that the address leads to; null for none. */
  function linked() {
    const query = new URLSearchParams(location.search);
    const [run, step, beat] = [query.get("run"), Number(query.get("step")), Number(query.get("beat"))];
    if (!run || !about.links || !canFetch || !takeLink("run")) return null;
    return { run, cursor: step, beat, follow: !(step >= 1) };
  }

  /* Runs that go on without this page */

  /** @param {number} time */
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
  /** @param {string} run */
  const isShown = (run) => root.isConnected && view.place().run === run;

  /** @param {{ cursor?: any, beat?: number, follow?: boolean }} place */
  function goTo({ cursor, beat, follow }) {
    if (!cursor || follow) return;
    view.show(cursor);
    if (beat && view.beat) view.beat(beat);
  }

  /**
   * Shows a run from the server; false if the server no longer has it.
   * @param {{ run: string, cursor: any, beat?: number, follow: boolean }} about
   * @param {boolean} own
   */
  async function fetchRun({ run, cursor, beat, follow }, own) {
    const whole = await fetchSteps({ run, from: 0 }).catch(() => null);
    if (!whole) return false;
    if (view.place().run && view.place().run !== run) return true; // another one has arrived since
    view.receive(whole);
    goTo({ cursor, beat, follow });
    if (!subject(whole).finish) followOn(run, own);
    return true;
  }

  /**
   * Requests the remaining steps of a run until it ends. `own`: this page started it, and stops it on leaving.
   * @param {string} run
   * @param {boolean} own
   */
  async function followOn(run, own) {
    following = own ? run : null;
    if (own) mine = run;
    for (let failures = 0; isShown(run) && failures < MAX_FAILURES; await pause(ASK_EVERY)) {
      try {
        if (await askOnce(run)) break;
        failures = 0;
      } catch {
        failures += 1;
        await pause(ASK_EVERY * failures);
      }
    }
    if (!isShown(run)) endFollowing();
    following = null;
  }

  /**
   * True when there is nothing more to ask for.
   * @param {string} run
   */
  async function askOnce(run) {
    const from = stepsHere();
    const reply = await fetchSteps({ run, from });
    if (!isShown(run)) return true;
    if (!reply) {
      if (from && root.dataset.state !== "done") view.receive({ kind: "error", run, message: GONE });
      return true;
    }
    view.receive(reply);
    return Boolean(subject(reply).finish);
  }

  function endFollowing() {
    const run = following;
    following = null;
    if (run && stopRun) stopRun({ run });
  }

  /* Values */

  /**
   * Shows values one after the other, and after the start: unpacking takes a moment, and steps must stay in order.
   * @param {string} value
   */
  function take(value) {
    lastMessageAt = performance.now();
    turn = turn.then(async () => show(await unpacked(value))).catch(() => null);
    return turn;
  }

  /** @param {string} value */
  function show(value) {
    if (!value) return;
    asked = false;
    if (!value.startsWith('{"autoplay":true')) {
      begun = BEGINNING.test(value) ? subject(value).run || "" : "";
      if (begun) mine = begun;
      return view.receive(value);
    }
    if (value === openedValue) return;
    openedValue = value;
    begun = "";
    view.open(value);
  }

  async function start() {
    const [text, place, first] = ["trace", "place", "first"].map(read);
    const value = await unpacked(props.value);
    const run = subject(value).run || "";
    save("first", run);
    const link = linked();
    if (link && (await fetchRun(link, false))) return about.onOpened && about.onOpened();
    await restore(text, parsed(place), { value, run, again: run === first });
    if (link) view.receive({ kind: "error", run: "", message: NO_SUCH_RUN });
  }

  /**
   * After a reload Gradio's value is the initial one again, so the viewer's last trace takes precedence.
   * @param {string | null} text
   * @param {any} last
   * @param {{ value: string, run: string, again: boolean }} begun what the page began with
   */
  async function restore(text, last, { value, run, again }) {
    const { run: known = "", finish } = subject(text);
    if (last.run && last.run !== known && canFetch && (await fetchRun(last, true))) return;
    if (text) view.receive(text);
    const began = text && again && (run !== known || finish);
    const tells = last.scene && run === last.run; // the scene that the page begins with is told again
    if (!began || tells) show(value);
    if (!tells && isShown(last.run)) goTo(last);
    if (text && !finish && canFetch && isShown(known)) followOn(known, true);
  }

  const isLive = () => ["running", "paused"].includes(root.dataset.state || "");

  /**
   * Lets the server turn to others immediately; after a reload, the page asks for its run.
   * @param {string} run
   */
  function sayGoodbye(run) {
    const script = document.getElementById("logitspec-page");
    if (script instanceof HTMLScriptElement) navigator.sendBeacon(new URL("../../goodbye", script.src), run);
  }

  function askIfSilent() {
    if (!root.isConnected) return clearInterval(watchdog);
    const { run } = view.place();
    if (isLive() && run && !following && canFetch && performance.now() - lastMessageAt > SILENT) followOn(run, true);
  }

  const watchdog = setInterval(askIfSilent, 1000);
  let turn = start().catch(() => null);
  watch("value", async () => {
    const opened = openedValue;
    await take(props.value);
    if (opened !== openedValue) bringIntoSight(root);
  });
  addEventListener(about.waiting, () => {
    endFollowing();
    asked = true;
    begun = "";
    view.expect();
    bringIntoSight(root);
  });
  addEventListener(about.stop, endFollowing);
  addEventListener(about.waiting + "-refused", async () => {
    await pause(PATIENCE);
    if (asked) view.receive({ kind: "error", run: "", message: REFUSED });
    asked = false;
  });
  addEventListener("pagehide", () => {
    saveTrace(true);
    if (isLive() && mine === view.place().run) sayGoodbye(mine);
  });
  return view;
}
