/* The one file here that knows Gradio: values to the race. The styles come as strings, as the player's. */

(() => {
  const root = element.querySelector("[data-logitspec-race]");
  const frame = root.closest(".html-container");
  if (frame) frame.style.padding = "0"; // in line with the components around it
  installStyle(root, PLAYER_CSS);
  installStyle(root, RACE_CSS, "data-logitspec-race-style");
  const race = createRaceView(root);
  let turn = Promise.resolve();

  // One after the other: unpacking takes a moment, and the steps come in order.
  function take(value) {
    const show = async () => value && race.receive(await unpacked(value));
    turn = turn.then(show).catch(() => null);
  }

  take(props.value);
  watch("value", () => take(props.value));
  addEventListener("logitspec-race", () => race.expect());
})();
