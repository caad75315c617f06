/* The race as a component of Gradio. The styles come as strings, as the player's. */

(() => {
  const root = element.querySelector("[data-logitspec-race]");
  installStyle(root, PLAYER_CSS);
  installStyle(root, RACE_CSS, "data-logitspec-race-style");
  const onLane = (trace) => {
    dispatchEvent(new CustomEvent("logitspec-open", { detail: trace }));
    trigger("open_lane", {});
  };
  keepInPage({ props, server, watch }, root, (options) => createRaceView(root, { ...options, onLane }), {
    store: "logitspec.race",
    told: ({ race, lanes = [] }) => ({ run: race, finish: lanes.length > 0 && lanes.every(({ finish }) => finish) }),
    waiting: "logitspec-race",
    stop: "logitspec-stop-race",
  });
})();
