/* The row of buttons: through the run, through the beats of a step, from rejection to rejection. */

import { SPEEDS } from "./beats.js";
import { el, icon, setText } from "./dom.js";
import { plural } from "./words.js";

/** @import { Actions, Settings, Speed, Transport } from "./types.js" */

const BUTTONS = [
  ["first", "First step", "Home"],
  ["previousRejection", "Previous rejection", "k"],
  ["previous", "Previous step", "Left"],
  ["previousBeat", "Previous beat", ","],
  ["toggle", "Play", "Space"],
  ["nextBeat", "Next beat", "."],
  ["next", "Next step", "Right"],
  ["nextRejection", "Next rejection", "j"],
  ["last", "Last step", "End"],
];

/**
 * @param {Actions} actions those of BUTTONS, and live, keys, speed, set
 * @returns {Transport}
 */
export function createTransport(actions) {
  const buttons = BUTTONS.map(([name, label, key]) => iconButton(name, label, key, actions[name]));
  const play = buttons[BUTTONS.findIndex(([name]) => name === "toggle")];
  play.classList.add("ls-primary");
  const live = el("button", { type: "button", class: "ls-button ls-live" }, "Live");
  live.addEventListener("click", actions.live);
  const speed = speedSelect(actions.speed);
  const whitespace = switchButton("whitespace", "Show spaces and newlines", "w", actions.set);
  const lecture = switchButton("lecture", "Lecture size", "l", actions.set);
  const about = { "aria-label": "Keys", title: "Keys (?)" };
  const keys = el("button", { type: "button", class: "ls-button", ...about }, "?");
  keys.addEventListener("click", actions.keys);
  const badge = el("span", { class: "ls-badge" });
  const status = el("span", { class: "ls-status" });
  /** @param {string} label @param {...HTMLElement} parts */
  const group = (label, ...parts) =>
    el("div", { class: "ls-group", role: "group", "aria-label": label }, ...parts);
  const element = el(
    "div",
    { class: "ls-transport" },
    group("Steps", ...buttons, live),
    speed.element,
    group("View", whitespace, lecture, keys),
    el("span", { class: "ls-about" }, badge, status),
  );
  return {
    element,
    paint(state) {
      for (const each of buttons) each.disabled = state.steps === 0;
      showPlay(play, state.busy);
      live.hidden = state.state !== "paused";
      setText(badge, state.badge);
      setText(status, state.status);
      status.dataset.kind = state.state;
      speed.select.value = String(state.speed);
      showSwitch(whitespace, state.settings.whitespace);
      showSwitch(lecture, state.settings.lecture);
    },
  };
}

/** @param {string} name @param {string} label @param {string} key @param {(...values: any[]) => any} action */
export function iconButton(name, label, key, action) {
  const about = { type: "button", class: "ls-button", "aria-label": label, title: `${label} (${key})` };
  const element = el("button", { ...about, "data-action": name }, icon(name === "toggle" ? "play" : name));
  element.addEventListener("click", () => action());
  return element;
}

/** @param {HTMLElement} play @param {boolean} busy */
export function showPlay(play, busy) {
  const label = busy ? "Pause" : "Play";
  if (play.getAttribute("aria-label") === label) return;
  play.setAttribute("aria-label", label);
  play.setAttribute("title", label + " (Space)");
  play.replaceChildren(icon(busy ? "pause" : "play"));
}

/** @param {keyof Settings} setting @param {string} label @param {string} key @param {(settings: any) => void} set */
function switchButton(setting, label, key, set) {
  const about = { "aria-label": label, title: `${label} (${key})`, "aria-pressed": "false" };
  const element = el("button", { type: "button", class: "ls-button ls-switch", ...about }, icon(setting));
  element.addEventListener("click", () => set({ [setting]: element.getAttribute("aria-pressed") !== "true" }));
  return element;
}

/** @param {HTMLElement} element @param {boolean} on */
function showSwitch(element, on) {
  element.setAttribute("aria-pressed", String(on));
}

/** @param {(speed: Speed) => void} onSpeed */
function speedSelect(onSpeed) {
  /** @param {Speed} speed */
  const name = (speed) => (typeof speed === "number" ? plural(speed, "step") + "/s" : speed);
  const options = SPEEDS.map((speed) => el("option", { value: speed }, name(speed)));
  const select = el("select", { class: "ls-select" }, ...options);
  select.addEventListener("change", () => {
    const speed = SPEEDS.find((each) => String(each) === select.value);
    if (speed !== undefined) onSpeed(speed);
  });
  return { select, element: el("label", { class: "ls-speed" }, "Speed ", select) };
}
