/* The one file that knows Gradio: values to the player, and what is needed to come back after a reload,
   which is also what Gradio does when its connection was cut: the trace, the place, and the server,
   where a run goes on for a while without its page.

   Gradio adds a copy of each rule of its css option with selectors cut at every comma, and leaves
   container rules out; so the style comes as the string PLAYER_CSS, defined before these scripts. */

(() => {
  const STORE = "logitspec.player";
  const SAVE_EVERY = 2000;
  const STEPS_TO_SAVE_OFTEN = 300; // longer traces are written when the page goes, not while it plays
  const ASK_EVERY = 300;
  const FAILURES_AT_MOST = 30;
  const TELL = 100; // ms that a step stays before Python hears of it
  const SILENT = 4000; // after that the page asks by itself: a cut connection says nothing
  const GONE = "The server keeps this run no longer; what had arrived of it is shown.";
  const NO_SUCH_RUN = "The run of this link is kept no longer; ask for its file, or run its prompt again.";
  const root = element.querySelector("[data-logitspec-player]");
  const [ask, stopRun] = ["fetch_steps", "stop_run"].map(
    (name) => (typeof server === "object" && server && server[name]) || null,
  );
  const fetchSteps = ask && (async (wanted) => unpacked(await ask(wanted)));
  const frame = root.closest(".html-container");
  if (frame) frame.style.padding = "0"; // in line with the components around it
  if (typeof PLAYER_CSS === "string") installStyle(root, PLAYER_CSS);
  let saver = null;
  let teller = null;
  let following = null;
  let played = null;
  let heard = performance.now();

  const player = createPlayer(root, {
    repair: fetchSteps ? (run, from) => fetchSteps({ run, from }) : null,
    link: fetchSteps ? linkTo : null,
    onSelect(run, step) {
      savePlace();
      tellSoon(run, step);
    },
    onTrace: saveSoon,
  });

  /* What Python may listen to */

  function tellSoon(run, step) {
    clearTimeout(teller);
    teller = setTimeout(() => trigger("step_select", { run, step }), TELL);
  }

  /* What is kept in the browser */

  function read(name) {
    try {
      return sessionStorage.getItem(STORE + "." + name);
    } catch {
      return null;
    }
  }

  // Storage may be full or forbidden; a trace that does not fit is not kept.
  function save(name, text) {
    try {
      sessionStorage.removeItem(STORE + "." + name);
      sessionStorage.setItem(STORE + "." + name, text);
    } catch {
      return;
    }
  }

  // Not from the element's attributes, which are painted a moment after the steps came.
  const stepsHere = () => player.place().steps;

  function savePlace() {
    save("place", JSON.stringify(player.place()));
  }

  function saveSoon() {
    if (saver === null) saver = setTimeout(() => saveTrace(stepsHere() <= STEPS_TO_SAVE_OFTEN), SAVE_EVERY);
  }

  function saveTrace(whole) {
    clearTimeout(saver);
    saver = null;
    if (!root.isConnected || player.place().run === "") return;
    if (whole) save("trace", player.snapshot());
    savePlace();
  }

  function parsed(text) {
    try {
      return JSON.parse(text) || {};
    } catch {
      return {};
    }
  }

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
    if (!run || !fetchSteps || read("linked") === location.search) return null;
    save("linked", location.search);
    return { run, cursor: step, follow: !(step >= 1) };
  }

  /* Runs that go on without this page */

  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
  const isShown = (run) => root.isConnected && player.place().run === run;

  /** Shows a run that the server has; false when it has it no longer. */
  async function fetchRun({ run, cursor, follow }) {
    const whole = await fetchSteps({ run, from: 0 }).catch(() => null);
    if (!whole) return false;
    if (player.place().run && player.place().run !== run) return true; // another one came meanwhile
    player.receive(whole);
    if (!follow) player.show(cursor);
    if (!parsed(whole).finish) followOn(run, false);
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
      if (from && root.dataset.state !== "done") player.receive({ kind: "error", run, message: GONE });
      return true;
    }
    player.receive(reply);
    return Boolean(parsed(reply).finish);
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
    if (!value.startsWith('{"autoplay":true')) return player.receive(value);
    if (value === played) return;
    played = value;
    player.open(value);
  }

  async function start() {
    const [text, place, first] = ["trace", "place", "first"].map(read);
    const value = await unpacked(props.value);
    const run = parsed(value).run || "";
    save("first", run);
    const link = linked();
    if (link && (await fetchRun(link))) return;
    await restore(text, parsed(place), { value, run, again: run === first });
    if (link) player.receive({ kind: "error", run: "", message: NO_SUCH_RUN });
  }

  // After a reload the value is again what the page began with: what was watched last comes first.
  async function restore(text, last, { value, run, again }) {
    const kept = parsed(text);
    if (last.run && last.run !== kept.run && fetchSteps && (await fetchRun(last))) return;
    if (text) player.receive(text);
    const began = text && again && (run !== kept.run || kept.finish);
    if (!began) show(value);
    if (last.cursor && !last.follow && isShown(last.run)) player.show(last.cursor);
    if (text && !kept.finish && fetchSteps && isShown(kept.run)) followOn(kept.run, true);
  }

  function askIfSilent() {
    if (!root.isConnected) return clearInterval(watchdog);
    const { run } = player.place();
    const live = ["running", "paused"].includes(root.dataset.state);
    if (live && run && !following && fetchSteps && performance.now() - heard > SILENT) followOn(run, true);
  }

  const watchdog = setInterval(askIfSilent, 1000);
  let turn = start().catch(() => null);
  watch("value", () => take(props.value));
  addEventListener("logitspec-waiting", () => {
    endFollowing();
    player.expect();
  });
  addEventListener("logitspec-stop", endFollowing);
  addEventListener("pagehide", () => saveTrace(true));
})();
