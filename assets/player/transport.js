/* The row of buttons, the numbers. */

const SPEEDS = [1, 2, 5, 10, 20, 60, "as it ran"];
const SPEED_AT_START = 5;

const COUNTS = [
  ["step", "Step", ""],
  ["tokens", "Tokens", ""],
  ["mean", "Mean accepted tokens", "tokens per target forward, root included, prefill excluded"],
  ["rate", "Tokens/s", "decoding wall time only"],
  ["acceptance", "Acceptance rate", "accepted drafts / drafted tokens"],
];

/**
 * @param {Object<string, function>} actions first, previous, toggle, next, last, live, keys, speed
 */
function createTransport(actions) {
  const button = (name, label, key) => {
    const title = `${label} (${key})`;
    const attributes = { type: "button", class: "ls-button", "aria-label": label, title };
    const element = el("button", attributes, icon(name));
    element.addEventListener("click", actions[name === "play" ? "toggle" : name]);
    return element;
  };
  const first = button("first", "First step", "Home");
  const previous = button("previous", "Previous step", "Left");
  const play = button("play", "Play", "Space");
  const next = button("next", "Next step", "Right");
  const last = button("last", "Last step", "End");
  play.classList.add("ls-primary");
  const live = el("button", { type: "button", class: "ls-button ls-live" }, "Live");
  live.addEventListener("click", actions.live);
  const about = { "aria-label": "Keys", title: "Keys (?)" };
  const keys = el("button", { type: "button", class: "ls-button", ...about }, "?");
  keys.addEventListener("click", actions.keys);
  const speed = speedSelect(actions.speed);
  const status = el("span", { class: "ls-status" });
  const row = [first, previous, play, next, last, live, speed.element, keys, status];
  return {
    element: el("div", { class: "ls-transport" }, ...row),
    paint(state) {
      for (const each of [first, previous, play, next, last]) each.disabled = state.steps === 0;
      showPlay(play, state.busy);
      live.hidden = state.state !== "paused";
      setText(status, state.status);
      status.dataset.kind = state.state;
      speed.select.value = String(state.speed);
    },
  };
}

function showPlay(play, busy) {
  const label = busy ? "Pause" : "Play";
  if (play.getAttribute("aria-label") === label) return;
  play.setAttribute("aria-label", label);
  play.setAttribute("title", label + " (Space)");
  play.replaceChildren(icon(busy ? "pause" : "play"));
}

function speedSelect(onSpeed) {
  const name = (speed) => (typeof speed === "number" ? plural(speed, "step") + "/s" : speed);
  const options = SPEEDS.map((speed) => el("option", { value: speed }, name(speed)));
  const select = el("select", { class: "ls-select" }, ...options);
  select.addEventListener("change", () => {
    onSpeed(SPEEDS.find((speed) => String(speed) === select.value));
  });
  return { select, element: el("label", { class: "ls-speed" }, "Speed ", select) };
}

/** The numbers of the run up to the cursor. */
function createCounts() {
  const element = el("dl", { class: "ls-counts" });
  const values = {};
  for (const [name, label, meaning] of COUNTS) {
    values[name] = el("dd", { "data-count": name }, "–");
    const note = meaning ? el("dd", { class: "ls-meaning" }, meaning) : null;
    const group = { "data-counts": name, title: meaning || null };
    element.append(el("div", group, el("dt", {}, label), values[name], note));
  }
  return {
    element,
    paint({ trace, cursor }) {
      element.hidden = trace === null;
      const texts = trace ? countTexts(trace, cursor) : {};
      for (const [name] of COUNTS) setText(values[name], texts[name] || "–");
    },
  };
}
