/* The row of buttons: through the run, through the beats of a step, from rejection to rejection. */

import { t } from "../page/i18n.js";
import { AS_IT_RAN, BY_BEAT, BY_BEAT_SLOWLY, SPEEDS } from "./beats.js";
import { el, icon, setText } from "./dom.js";

/** @import { Actions, Settings, Speed, Transport } from "./types.js" */

/** @type {Record<string, string>} keys of the catalogue */
const SPEED_NAMES = { [BY_BEAT_SLOWLY]: "step.speed-slow", [BY_BEAT]: "step.speed-beat", [AS_IT_RAN]: "step.speed-ran" };
const BUTTONS = [
  ["first", t("step.first"), t("player.keyname-home")],
  ["previousRejection", t("step.previousRejection"), "k"],
  ["previous", t("step.previous"), t("player.keyname-left")],
  ["previousBeat", t("step.previousBeat"), ","],
  ["toggle", t("step.play"), t("player.keyname-space")],
  ["nextBeat", t("step.nextBeat"), "."],
  ["next", t("step.next"), t("player.keyname-right")],
  ["nextRejection", t("step.nextRejection"), "j"],
  ["last", t("step.last"), t("player.keyname-end")],
];

/**
 * @param {Actions} actions those of BUTTONS, and live, keys, speed, set
 * @returns {Transport}
 */
export function createTransport(actions) {
  const buttons = BUTTONS.map(([name, label, key]) => iconButton(name, label, key, actions[name]));
  const play = buttons[BUTTONS.findIndex(([name]) => name === "toggle")];
  play.classList.add("ls-primary");
  const live = el("button", { type: "button", class: "ls-button ls-live" }, t("step.live"));
  live.addEventListener("click", actions.live);
  const speed = speedSelect(actions.speed);
  const whitespace = switchButton("whitespace", t("step.whitespace"), "w", actions.set);
  const lecture = switchButton("lecture", t("step.lecture"), "l", actions.set);
  const about = { "aria-label": t("step.keys"), title: `${t("step.keys")} (?)` };
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
    group(t("step.steps"), ...buttons, live),
    speed.element,
    group(t("step.view"), whitespace, lecture, keys),
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
  const label = t(busy ? "step.pause" : "step.play");
  if (play.getAttribute("aria-label") === label) return;
  play.setAttribute("aria-label", label);
  play.setAttribute("title", `${label} (${t("player.keyname-space")})`);
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
  const name = (speed) => (typeof speed === "number" ? t("step.speed-steps", { n: speed }) : t(SPEED_NAMES[speed]));
  const options = SPEEDS.map((speed) => el("option", { value: speed }, name(speed)));
  const select = el("select", { class: "ls-select" }, ...options);
  select.addEventListener("change", () => {
    const speed = SPEEDS.find((each) => String(each) === select.value);
    if (speed !== undefined) onSpeed(speed);
  });
  return { select, element: el("label", { class: "ls-speed" }, el("span", {}, t("step.speed")), " ", select) };
}
