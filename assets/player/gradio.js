/* The player as a component of Gradio.

   Gradio adds a copy of each rule of its css option with selectors cut at every comma, and leaves
   container rules out; so the style comes as the string PLAYER_CSS, defined before these scripts. */

(() => {
  const TELL = 100; // ms that a step stays before Python hears of it
  const root = element.querySelector("[data-logitspec-player]");
  if (typeof PLAYER_CSS === "string") installStyle(root, PLAYER_CSS);
  let teller = null;

  const player = keepInPage({ props, server, watch }, root, (options) => createPlayer(root, options), {
    store: "logitspec.player",
    told: ({ run, finish }) => ({ run, finish }),
    waiting: "logitspec-waiting",
    stop: "logitspec-stop",
    links: true,
    onSelect(run, step) {
      clearTimeout(teller);
      teller = setTimeout(() => trigger("step_select", { run, step }), TELL);
    },
  });
  addEventListener("logitspec-open", ({ detail }) => player.open(detail));
})();
