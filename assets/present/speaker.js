/* The speaker's window: a second window, drawn by this page, so that it needs no server and works from a file. It
   survives a reload of the page, which finds it again by its name; a page opened from disk opens another. */

import { language, t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";
import { minutes } from "./clock.js";
import { keep, recall } from "./storage.js";
import { voteList } from "./votes.js";

/** @import { Cue, Speaking } from "../player/types.js" */

const NAME = "logitspec-speaker";
const STORE = "logitspec.speaker";
const LOOKS = "popup,width=960,height=680";

/**
 * @param {(event: KeyboardEvent) => void} onKey is called with keys pressed there
 * @param {(act: string) => void} on is called with the actions of buttons pressed there
 */
export function createSpeaker(onKey, on) {
  /** @type {Window | null} */
  let other = null;
  const parts = speakerParts(on);
  return {
    isOpen: () => other !== null && !other.closed,
    /** Opens the window, or finds it again; false where the browser refuses. */
    open() {
      other = window.open("", recall(STORE) || NAME, LOOKS);
      if (other && !draw()) {
        // After a reload, a page opened from disk can't reach the window that it opened before.
        other.close();
        keep(STORE, NAME + Date.now());
        other = window.open("", recall(STORE) || NAME, LOOKS);
      }
      return other !== null && draw();
    },
    close() {
      if (other) other.close();
      other = null;
    },
    /** @param {Speaking} about */
    paint(about) {
      if (other && !other.closed) paint(parts, about);
    },
  };

  /** Fills the window; false where it can't be reached. */
  function draw() {
    try {
      const page = /** @type {Window} */ (other).document;
      page.documentElement.lang = language;
      const title = el("title", {}, t("present.speaker-title"));
      page.head.replaceChildren(title, el("meta", { name: "viewport", content: "width=device-width" }), ...styles());
      page.body.className = "lp-speaker";
      page.body.replaceChildren(parts.element);
      page.addEventListener("keydown", onKey);
      return true;
    } catch {
      return false;
    }
  }
}

/** The page's own style sheets, for another document. */
function styles() {
  /** @type {NodeListOf<HTMLElement>} */
  const own = document.querySelectorAll('link[rel="stylesheet"][href*="logitspec/"], #logitspec-style');
  return [...own].map((each) => {
    const copy = /** @type {HTMLElement} */ (each.cloneNode(true));
    if (each instanceof HTMLLinkElement) copy.setAttribute("href", each.href);
    return copy;
  });
}

/** @param {(act: string) => void} on */
function speakerParts(on) {
  const make = (/** @type {string} */ name) => el("div", { class: "lp-" + name });
  const place = el("h1", { class: "lp-place" });
  const [now, notes, answer, votes, next, hall] = ["now", "notes", "answer", "tally", "next", "crowd"].map(make);
  const [talk, station, time] = ["talk", "budget", "time"].map((name) => el("span", { class: "lp-" + name, "data-clock": name }));
  const bar = el("span", { class: "lp-spent" });
  const buttons = ["back", "next", "black", "pause", "restart"].map((act) => {
    const button = el("button", { type: "button", "data-act": act }, t("present.do-" + act));
    button.addEventListener("click", () => on(act));
    return button;
  });
  const clocks = el("div", { class: "lp-clocks" }, talk, station, time, el("div", { class: "lp-spent-track" }, bar));
  const part = (/** @type {string} */ name, /** @type {HTMLElement} */ body) =>
    el("section", { class: "lp-part lp-part-" + name }, el("h2", {}, t("present.part-" + name)), body);
  const element = el(
    "main",
    { class: "lp-desk" },
    clocks,
    place,
    part("now", now),
    part("next", next),
    part("notes", notes),
    part("answer", answer),
    votes,
    hall,
    el("div", { class: "lp-tools" }, ...buttons),
  );
  return { element, place, now, notes, answer, votes, next, hall, talk, station, time, bar, buttons };
}

/** @param {ReturnType<typeof speakerParts>} parts @param {Speaking} about */
function paint(parts, { place, cue, next, answer, spent, budget, paused, hall, counts, question, black }) {
  setText(parts.place, place + (black ? " · " + t("present.black") : ""));
  setText(parts.now, cueWords(cue));
  setText(parts.next, next ? cueWords(next) : t("present.end"));
  setText(parts.notes, cue.notes);
  setText(parts.answer, answer || "–");
  setText(parts.hall, hall);
  const tally = question && voteList(question, counts, true);
  parts.votes.replaceChildren(...(tally ? [tally] : []));
  setText(parts.talk, t("present.talk", { time: minutes(spent.talk) }));
  setText(parts.station, t("present.station-time", { time: minutes(spent.station), budget: minutes(budget) }));
  setText(parts.time, new Date().toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }));
  const over = budget > 0 && spent.station > budget;
  parts.station.toggleAttribute("data-over", over);
  parts.bar.style.width = Math.min(100, budget > 0 ? (100 * spent.station) / budget : 0).toFixed(1) + "%";
  parts.bar.toggleAttribute("data-over", over);
  const pause = parts.buttons.find((each) => each.dataset.act === "pause");
  if (pause) setText(pause, t(paused ? "present.do-go-on" : "present.do-pause"));
}

/** @param {Cue} cue */
const cueWords = ({ kind, title, question }) => t("present.cue", { kind: t("present.kind-" + kind), words: question || title });
