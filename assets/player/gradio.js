/* The one file that knows Gradio: values to the player, and the last trace kept for a reload.

   Gradio adds a copy of each rule of its css option with selectors cut at every comma, and leaves
   container rules out; so the style comes as the string PLAYER_CSS, defined before these scripts. */

(() => {
  const STORE = "logitspec.player";
  const SAVE_EVERY = 2000;
  const root = element.querySelector("[data-logitspec-player]");
  const fetchSteps = typeof server === "object" && server && server.fetch_steps;
  const saved = readSaved();
  const frame = root.closest(".html-container");
  if (frame) frame.style.padding = "0"; // in line with the components around it
  if (typeof PLAYER_CSS === "string") installStyle(root, PLAYER_CSS);
  let saver = null;

  const player = createPlayer(root, {
    repair: fetchSteps ? (run, from) => fetchSteps({ run, from }) : null,
    onSelect: savePlace,
    onTrace: saveSoon,
  });

  function readSaved() {
    try {
      return ["trace", "place", "first"].map((name) => sessionStorage.getItem(STORE + "." + name));
    } catch {
      return [null, null, null];
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

  function savePlace() {
    save("place", JSON.stringify(player.place()));
  }

  function saveSoon() {
    if (saver === null) saver = setTimeout(saveTrace, SAVE_EVERY);
  }

  function saveTrace() {
    clearTimeout(saver);
    saver = null;
    const text = player.snapshot();
    if (text === null || !root.isConnected) return;
    save("trace", text);
    savePlace();
  }

  function parsed(text) {
    try {
      return JSON.parse(text) || {};
    } catch {
      return {};
    }
  }

  // A trace too long for the storage is asked for again; the server keeps the latest runs.
  async function fetchRun(last) {
    const whole = await fetchSteps({ run: last.run, from: 0 });
    if (!whole || player.place().run) return;
    player.receive(whole);
    if (!last.follow) player.show(last.cursor);
  }

  // After a reload the value is again what the page began with: what was watched last comes first.
  function restore([text, place, first]) {
    const run = parsed(props.value).run || "";
    if (text) player.receive(text);
    const began = text && run === first && run !== player.place().run;
    if (props.value && !began) player.receive(props.value);
    save("first", run);
    const last = parsed(place);
    if (!text && !props.value && last.run && fetchSteps) return fetchRun(last);
    if (last.cursor && !last.follow && last.run === player.place().run) player.show(last.cursor);
  }

  restore(saved);
  watch("value", () => {
    if (props.value) player.receive(props.value);
  });
  addEventListener("logitspec-waiting", () => player.expect());
  addEventListener("pagehide", saveTrace);
})();
