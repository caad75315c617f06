/* One transport for all lanes: buttons, the clock and its switch, the slider and the speed. */

import { t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";
import { iconButton, showPlay } from "../player/transport.js";
import { CLOCKS, CLOCK_NAMES, raceEnd } from "./clock.js";
import { momentWords } from "./words.js";

/** @import { Actions, Clock, Race, RaceFrame } from "../player/types.js" */

const RACE_BUTTONS = [
  ["first", t("compare.start"), t("compare.key-home")],
  ["previous", t("compare.previous"), t("compare.key-left")],
  ["toggle", t("compare.play"), t("compare.key-space")],
  ["next", t("compare.next"), t("compare.key-right")],
  ["last", t("compare.end"), t("compare.key-end")],
];

// A factor for the clock of measured time; passes per second for the clock of forward passes.
export const RACE_SPEEDS = {
  time: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
  forwards: [1, 2, 5, 10, 20, 50, 100],
};
const SLIDER_PARTS = 1000;
const REPLAY_SECONDS = 12;

/**
 * The fastest speed at which the race still lasts long enough to watch.
 * @param {Race} race
 * @param {Clock} clock
 */
export function fittingSpeed(race, clock) {
  const speeds = RACE_SPEEDS[clock];
  const end = raceEnd(race, clock);
  if (end === 0) return 1; // nothing is known of it yet
  const slow = speeds.filter((speed) => end / speed >= REPLAY_SECONDS);
  const fitting = slow.length ? slow[slow.length - 1] : speeds[0];
  return clock === "time" ? Math.min(1, fitting) : fitting;
}

/** @param {number} speed @param {Clock} clock */
function speedWords(speed, clock) {
  if (clock === "forwards") return t("compare.passes-a-second", { n: speed });
  if (speed === 1) return t("compare.as-measured");
  return speed < 1 ? t("compare.slower", { n: Math.round(1 / speed) }) : t("compare.faster", { n: speed });
}

/** @param {Actions} actions those of RACE_BUTTONS, and live, clock, speed, seek */
export function createControls(actions) {
  const buttons = RACE_BUTTONS.map(([name, label, key]) => iconButton(name, label, key, actions[name]));
  const play = buttons[RACE_BUTTONS.findIndex(([name]) => name === "toggle")];
  play.classList.add("ls-primary");
  const live = el("button", { type: "button", class: "ls-button ls-live" }, t("compare.live"));
  live.addEventListener("click", actions.live);
  const clocks = CLOCK_NAMES.map((name) => clockButton(name, CLOCKS[name], actions.clock));
  const speed = createSpeed(actions.speed);
  const slider = createSlider(actions.seek);
  const status = el("span", { class: "ls-status" });
  const row = el(
    "div",
    { class: "ls-transport" },
    el("div", { class: "ls-group", role: "group", "aria-label": t("compare.steps") }, ...buttons, live),
    el("div", { class: "ls-group lr-clocks", role: "group", "aria-label": t("compare.clock") }, ...clocks),
    speed.element,
    status,
  );
  return {
    element: el("div", { class: "lr-controls" }, row, slider.element),
    /** @param {RaceFrame} frame */
    paint(frame) {
      for (const each of buttons) each.disabled = frame.race === null;
      showPlay(play, frame.busy);
      live.hidden = frame.name !== "paused";
      for (const each of clocks) each.setAttribute("aria-pressed", String(each.dataset.sets === frame.clock));
      speed.paint(frame);
      slider.paint(frame);
      setText(status, frame.status);
      status.dataset.kind = frame.name;
    },
  };
}

/** @param {Clock} name @param {string} title @param {(clock: Clock) => void} set */
function clockButton(name, title, set) {
  const about = { type: "button", class: "ls-button ls-switch", "data-sets": name, "aria-pressed": "false" };
  const element = el("button", about, title);
  element.addEventListener("click", () => set(name));
  return element;
}

/** @param {(speed: number) => void} onSpeed */
function createSpeed(onSpeed) {
  const select = el("select", { class: "ls-select" });
  select.addEventListener("change", () => onSpeed(Number(select.value)));
  /** @type {Clock | null} */
  let listed = null;
  return {
    element: el("label", { class: "ls-speed" }, t("compare.speed"), " ", select),
    /** @param {RaceFrame} frame */
    paint({ clock, speed }) {
      if (listed !== clock) {
        /** @param {number} each */
        const option = (each) => el("option", { value: each }, speedWords(each, clock));
        select.replaceChildren(...RACE_SPEEDS[clock].map(option));
      }
      listed = clock;
      select.value = String(speed);
    },
  };
}

/** @param {(share: number) => void} onSeek */
function createSlider(onSeek) {
  const reading = el("output", { class: "lr-reading" });
  const range = el("input", { type: "range", class: "lr-slider", min: 0, max: SLIDER_PARTS, "aria-label": t("compare.clock") });
  range.addEventListener("input", () => onSeek(Number(range.value) / SLIDER_PARTS));
  const whole = el("span", { class: "lr-whole" });
  return {
    element: el("div", { class: "lr-clock" }, reading, range, whole),
    /** @param {RaceFrame} frame */
    paint({ race, at, clock }) {
      const end = race ? raceEnd(race, clock) : 0;
      range.disabled = end === 0;
      range.value = String(end ? Math.round((at / end) * SLIDER_PARTS) : 0);
      range.setAttribute("aria-valuetext", t("compare.reading", { at: momentWords(at, clock), end: momentWords(end, clock) }));
      setText(reading, momentWords(at, clock));
      setText(whole, race ? t("compare.of-whole", { end: momentWords(end, clock) }) : "");
    },
  };
}
