/* What lies between a view and Gradio: values to it, and what is needed to come back after a reload,
   which is also what Gradio does when its connection was cut: the trace, the place, and the server,
   where a run goes on for a while without its page. A view is a player or a race. */

import { unpacked } from "./unpack.js";

/**
 * @param {{props: object, server: object, watch: function}} gradio what a script of gr.HTML is given
 * @param {HTMLElement} root the element of the view
 * @param {function(object): object} create makes the view from the options `repair`, `link`, `onSelect`
 *   and `onTrace`; see createPlayer
 * @param {object} about
 * @param {string} about.store a name for what is kept in the browser
 * @param {function(object): {run: string, finish: *}} about.told what a message is of, and whether it
 *   brings the end
 * @param {string} about.waiting the window's event that says that a run was asked for
 * @param {string} about.stop the event that says that Stop was pressed
 * @param {function(string, *)} [about.onSelect] hears where the viewer is
 * @param {boolean} [about.links] whether addresses lead to what is shown
 * @returns {object} the view
 */
export function keepInPage({ props, server, watch }, root, create, about) {
  const SAVE_EVERY = 2000;
  const STEPS_TO_SAVE_OFTEN = 300; // longer traces are written when the page goes, not while it plays
  const ASK_EVERY = 300;
  const FAILURES_AT_MOST = 30;
  const SILENT = 4000; // after that the page asks by itself: a cut connection says nothing
  const GONE = "The server keeps this run no longer; what had arrived of it is shown.";
  const NO_SUCH_RUN = "The run of this link is kept no longer; ask for its file, or run its prompt again.";
  const [ask, stopRun] = ["fetch_steps", "stop_run"].map(
    (name) => (typeof server === "object" && server && server[name]) || null,
  );
  const fetchSteps = ask && (async (wanted) => unpacked(await ask(wanted)));
  const frame = root.closest(".html-container");
  if (frame) frame.style.padding = "0"; // in line with the components around it
  let saver = null;
  let following = null;
  let played = null;
  let heard = performance.now();

  const view = create({
    repair: fetchSteps ? (run, from) => fetchSteps({ run, from }) : null,
    link: fetchSteps && about.links ? linkTo : null,
    onSelect(run, step) {
      savePlace();
      if (about.onSelect) about.onSelect(run, step);
    },
    onTrace: saveSoon,
  });

  /* What is kept in the browser */

  function read(name) {
    try {
      return sessionStorage.getItem(about.store + "." + name);
    } catch {
      return null;
    }
  }

  // Storage may be full or forbidden; a trace that does not fit is not kept.
  function save(name, text) {
    try {
      sessionStorage.removeItem(about.store + "." + name);
      sessionStorage.setItem(about.store + "." + name, text);
    } catch {
      return;
    }
  }

  // Not from the element's attributes, which are painted a moment after the steps came.
  const stepsHere = () => view.place().steps;

  function savePlace() {
    save("place", JSON.stringify(view.place()));
  }

  function saveSoon() {
    if (saver === null) saver = setTimeout(() => saveTrace(stepsHere() <= STEPS_TO_SAVE_OFTEN), SAVE_EVERY);
  }

  function saveTrace(whole) {
    clearTimeout(saver);
    saver = null;
    if (!root.isConnected || view.place().run === "") return;
    if (whole) save("trace", view.snapshot());
    savePlace();
  }

  function parsed(text) {
    try {
      return JSON.parse(text) || {};
    } catch {
      return {};
    }
  }

  const told = (text) => about.told(parsed(text));

  /* Links */

  async function linkTo(run, step) {
    if (!run || !(await fetchSteps({ run, from: stepsHere() }))) return null;
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.set("run", run);
    address.searchParams.set("step", step);
    return address.href;
  }

  /** The run and step of the address, once: after that, a reload comes back to what was watched. */
  function linked() {
    const query = new URLSearchParams(location.search);
    const [run, step] = [query.get("run"), Number(query.get("step"))];
    if (!run || !about.links || !fetchSteps || read("linked") === location.search) return null;
    save("linked", location.search);
    return { run, cursor: step, follow: !(step >= 1) };
  }

  /* Runs that go on without this page */

  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
  const isShown = (run) => root.isConnected && view.place().run === run;

  /** Shows a run that the server has; false when it has it no longer. */
  async function fetchRun({ run, cursor, follow }, own) {
    const whole = await fetchSteps({ run, from: 0 }).catch(() => null);
    if (!whole) return false;
    if (view.place().run && view.place().run !== run) return true; // another one came meanwhile
    view.receive(whole);
    if (!follow) view.show(cursor);
    if (!told(whole).finish) followOn(run, own);
    return true;
  }

  /** Asks for the further steps of a run until it ends; `own`: it was begun here, and ends from here. */
  async function followOn(run, own) {
    following = own ? run : null;
    for (let failures = 0; isShown(run) && failures < FAILURES_AT_MOST; await pause(ASK_EVERY)) {
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

  /** True when there is nothing more to ask for. */
  async function askOnce(run) {
    const from = stepsHere();
    const reply = await fetchSteps({ run, from });
    if (!isShown(run)) return true;
    if (!reply) {
      if (from && root.dataset.state !== "done") view.receive({ kind: "error", run, message: GONE });
      return true;
    }
    view.receive(reply);
    return Boolean(told(reply).finish);
  }

  function endFollowing() {
    const run = following;
    following = null;
    if (run && stopRun) stopRun({ run });
  }

  /* Values */

  // One after the other, and after the start: unpacking takes a moment, and the steps come in order.
  function take(value) {
    heard = performance.now();
    turn = turn.then(async () => show(await unpacked(value))).catch(() => null);
    return turn;
  }

  function show(value) {
    if (!value) return;
    if (!value.startsWith('{"autoplay":true')) return view.receive(value);
    if (value === played) return;
    played = value;
    view.open(value);
  }

  async function start() {
    const [text, place, first] = ["trace", "place", "first"].map(read);
    const value = await unpacked(props.value);
    const run = told(value).run || "";
    save("first", run);
    const link = linked();
    if (link && (await fetchRun(link, false))) return;
    await restore(text, parsed(place), { value, run, again: run === first });
    if (link) view.receive({ kind: "error", run: "", message: NO_SUCH_RUN });
  }

  // After a reload the value is again what the page began with: what was watched last comes first.
  async function restore(text, last, { value, run, again }) {
    const kept = told(text);
    if (last.run && last.run !== kept.run && fetchSteps && (await fetchRun(last, true))) return;
    if (text) view.receive(text);
    const began = text && again && (run !== kept.run || kept.finish);
    if (!began) show(value);
    if (last.cursor && !last.follow && isShown(last.run)) view.show(last.cursor);
    if (text && !kept.finish && fetchSteps && isShown(kept.run)) followOn(kept.run, true);
  }

  function askIfSilent() {
    if (!root.isConnected) return clearInterval(watchdog);
    const { run } = view.place();
    const live = ["running", "paused"].includes(root.dataset.state);
    if (live && run && !following && fetchSteps && performance.now() - heard > SILENT) followOn(run, true);
  }

  const watchdog = setInterval(askIfSilent, 1000);
  let turn = start().catch(() => null);
  watch("value", () => take(props.value));
  addEventListener(about.waiting, () => {
    endFollowing();
    view.expect();
  });
  addEventListener(about.stop, endFollowing);
  addEventListener("pagehide", () => saveTrace(true));
  return view;
}
