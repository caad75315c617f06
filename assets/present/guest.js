/* A follower's side: this page goes where the lecturer's goes until its visitor looks around, and returns there at the
   press of a button. It reconnects after a loss, and disconnects while the page is hidden. */

import { currentSource, sourceNamed } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";
import { Refused, ask, readEvents } from "./events.js";
import { placeOf, showPlace } from "./place.js";
import { questionCueAt } from "./present.js";
import { keep, recall } from "./storage.js";
import { voteList } from "./votes.js";

/** @import { Counts, Cue, Place } from "../player/types.js" */

const STORE = "logitspec.follow";
const SILENT = 45_000; // ms without an event, after which the connection counts as lost
const [SOON, LATE] = [500, 10_000]; // ms until it reconnects, at first and at most
const OWN = 2000; // ms after a key or a press in which the visitor is taken to have changed the view
const TRIES = 6; // to go back to a place that the page itself has left, as while it loads
const LOOK = 500; // ms
const MAX_CODE = 16; // letters

/**
 * Follows the lecture that the address names, or that this tab followed before a reload.
 * @param {(path: string) => URL} address of the server's routes for lectures
 * @param {(view: string) => Promise<void>} openView brings a view into sight
 */
export function followLecture(address, openView) {
  const named = new URLSearchParams(location.search).get("follow");
  /** @type {{ code: string, ticket: string, counted?: Record<string, number> } | null} */
  const before = recall(STORE);
  // A full stop or a bracket that followed the link in a message is not part of its code.
  const code = named ? named.toUpperCase().replace(/\W/g, "").slice(0, MAX_CODE) : before ? before.code : "";
  if (!code) return;
  const known = { ticket: "", counted: /** @type {Record<string, number>} */ ({}), ...(before && before.code === code ? before : {}) };
  const state = {
    ticket: known.ticket,
    seen: "", // the view that was last brought into sight
    place: /** @type {Place | null} */ (null),
    counts: /** @type {Counts | null} */ (null),
    loose: false,
    lost: false,
    shows: true,
    over: "",
    chosen: { ...known.counted },
    counted: known.counted, // the choices that the server has
    touched: -OWN,
    tries: 0,
    going: false,
    again: false,
    heard: performance.now(),
  };
  /** @type {AbortController | null} */
  let stream = null;
  const bar = followBar({ back, leave, vote });
  document.body.append(bar.element);
  for (const each of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(each, (event) => {
      if (event.isTrusted && !bar.element.contains(/** @type {Node} */ (event.target))) state.touched = performance.now();
    }, { capture: true, passive: true });
  }
  document.addEventListener("cue", look);
  document.addEventListener("cue-predict", (event) => event instanceof CustomEvent && predicted(event));
  document.addEventListener("visibilitychange", () => (document.hidden ? stream && stream.abort() : connect()));
  const watch = setInterval(look, LOOK);
  connect();
  paint();

  /** Stays connected while the page is visible. */
  async function connect() {
    if (stream || state.over || document.hidden) return;
    stream = new AbortController();
    for (let wait = SOON; stream && !state.over && !document.hidden; wait = Math.min(2 * wait, LATE)) {
      try {
        const from = address(code);
        from.searchParams.set("ticket", state.ticket);
        await readEvents(from, stream.signal, (about) => {
          state.heard = performance.now();
          wait = SOON;
          if (about) take(about);
        });
      } catch (error) {
        if (error instanceof Refused && error.status === 404) end(error.message);
      }
      if (state.over || document.hidden) break;
      state.lost = true;
      paint();
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
      if (stream && stream.signal.aborted) stream = new AbortController();
    }
    stream = null;
    paint();
  }

  /** @param {any} about */
  function take(about) {
    state.lost = false;
    if (about.over) end(t("present.over"));
    if (typeof about.ticket === "string") {
      if (about.ticket !== state.ticket) Object.assign(state, { ticket: about.ticket, chosen: {}, counted: {} });
      remember();
    }
    if ("place" in about) {
      Object.assign(state, { place: about.place, counts: about.counts, tries: 0 });
      if (!state.loose) go();
    }
    paint();
  }

  /** @param {string} words */
  function end(words) {
    state.over = words;
    keep(STORE, null);
  }

  /** Keeps the follower's ticket and the choices that count, for a reload. */
  function remember() {
    if (!state.over) keep(STORE, { code, ticket: state.ticket, counted: state.counted });
  }

  /** Goes to the lecturer's place, and on to a newer one that arrives in the meantime. */
  async function go() {
    if (state.going) {
      state.again = true;
      return;
    }
    state.going = true;
    do {
      state.again = false;
      const { place } = state;
      if (!place) break;
      await openView(place.view);
      state.shows = await showPlace(place).catch(() => false);
      if (state.shows) bringIntoSight(place.view);
    } while (state.again);
    state.going = false;
    paint();
  }

  /** Scrolls to a view once, and again after its visitor has come back. @param {string} view */
  function bringIntoSight(view) {
    const found = sourceNamed(view);
    if (!found || state.seen === view || document.querySelector("[data-presenting]")) return;
    state.seen = view;
    found.root.scrollIntoView({ block: "start" });
  }

  const isThere = () => {
    const { place } = state;
    const found = place && sourceNamed(place.view);
    if (!place || !found) return false;
    const [root] = currentSource() || [null];
    const own = placeOf(found.source);
    return root === found.root && own.cue === place.cue && JSON.stringify(own.at) === JSON.stringify(place.at);
  };

  /** Checks whether the visitor or the page itself has left the lecturer's place, and goes back if it was the page. */
  function look() {
    if (stream && performance.now() - state.heard > SILENT) {
      state.heard = performance.now();
      stream.abort();
    }
    if (!state.place || state.loose || state.going || state.over || !state.shows || isThere()) return;
    if (performance.now() - state.touched < OWN) {
      state.loose = true;
      paint();
    } else if (state.tries < TRIES) {
      state.tries += 1;
      go();
    }
  }

  function back() {
    Object.assign(state, { loose: false, tries: 0, touched: -OWN, seen: "" });
    go();
    paint();
  }

  function leave() {
    end(t("present.left"));
    if (stream) stream.abort();
    clearInterval(watch);
    const page = new URL(location.href);
    page.searchParams.delete("follow");
    history.replaceState(history.state, "", page);
    bar.element.remove();
  }

  /** Counts a prediction made in the view, if that is at the lecturer's question. @param {CustomEvent} event */
  function predicted(event) {
    const { place, over, lost } = state;
    const found = place && sourceNamed(place.view);
    const own = found && placeOf(found.source).question;
    if (!place || !place.question || !own || over || lost) return;
    if (own.key !== place.question.key || place.question.revealed) return;
    event.preventDefault();
    vote(event.detail.choice);
  }

  /** @param {number} choice its place, or the predicted number */
  async function vote(choice) {
    const question = state.place && state.place.question;
    if (!question || question.revealed) return;
    const { chosen, counted } = state;
    chosen[question.key] = choice;
    paint();
    try {
      await ask(address(`${code}/vote`), { ticket: state.ticket, question: question.key, choice });
      counted[question.key] = choice;
      remember();
      bar.say(t("choices" in question ? "present.counted" : "present.value-counted"));
    } catch (error) {
      if (chosen[question.key] !== choice) return; // another choice has followed
      if (question.key in counted) chosen[question.key] = counted[question.key];
      else delete chosen[question.key];
      paint();
      bar.say((error instanceof Refused && error.message) || t("present.unreachable"));
    }
  }

  function paint() {
    const { place, loose, lost, over, shows, counts, chosen } = state;
    const found = place && sourceNamed(place.view);
    const question = place && place.question;
    const asked = question && found && !loose && shows ? questionCueAt(found.source, place.cue) : null;
    const cue = asked === null || !found ? null : found.source.describe(asked);
    bar.paint({
      words: over || (lost ? t("present.lost") : !place ? t("present.waiting", { code }) : !shows ? t("present.not-shared") : t(loose ? "present.loose" : "present.following", { code })),
      loose: loose && !over,
      over: over !== "",
      cue,
      counts: question && question.revealed ? counts : null,
      revealed: Boolean(question && question.revealed),
      chosen: question ? (chosen[question.key] ?? null) : null,
    });
  }
}

/** @param {{ back: () => void, leave: () => void, vote: (choice: number) => void }} on */
function followBar({ back, leave, vote }) {
  const words = el("p", { class: "lp-follow-words", role: "status" });
  const notice = el("p", { class: "lp-said", role: "status" });
  const home = el("button", { type: "button", "data-act": "return", hidden: true }, t("present.do-return"));
  const out = el("button", { type: "button", "data-act": "leave" }, t("present.do-leave"));
  home.addEventListener("click", back);
  out.addEventListener("click", leave);
  const asked = el("div", { class: "lp-ask", hidden: true });
  const about = { class: "lp-follow", "data-logitspec-follow": "", role: "region", "aria-label": t("present.follow") };
  const element = el("div", about, asked, el("div", { class: "lp-follow-line" }, words, notice, home, out));
  let drawn = "";
  return {
    element,
    /** @param {string} text */
    say: (text) => setText(notice, text),
    /** @param {{ words: string, loose: boolean, over: boolean, cue: Cue | null, counts: Counts | null, revealed: boolean, chosen: number | null }} state */
    paint({ words: text, loose, over, cue, counts, revealed, chosen }) {
      setText(words, text);
      home.hidden = !loose;
      setText(out, t(over ? "present.do-close" : "present.do-leave"));
      element.dataset.state = over ? "over" : loose ? "loose" : "following";
      const key = JSON.stringify([cue && [cue.question, cue.choices, cue.values], counts, revealed, chosen]);
      if (key === drawn) return;
      drawn = key;
      setText(notice, "");
      asked.hidden = cue === null || !(cue.choices || cue.values) || over;
      if (!cue || asked.hidden) return asked.replaceChildren();
      const question = el("p", { class: "lp-question" }, cue.question || cue.title);
      const votes = revealed ? voteList(cue, counts, true) : null;
      if (revealed) return asked.replaceChildren(question, ...(votes ? [votes] : []));
      asked.replaceChildren(question, cue.choices ? ballot(cue.choices, chosen) : valueBallot(cue, chosen));
    },
  };

  /** @param {string[]} choices @param {number | null} chosen */
  function ballot(choices, chosen) {
    const buttons = choices.map((choice, at) => {
      const button = el("button", { type: "button", "data-choice": at, "aria-pressed": String(chosen === at) }, choice);
      button.addEventListener("click", () => vote(at));
      return button;
    });
    return el("div", { class: "lp-ballot", role: "group", "aria-label": t("present.your-vote") }, ...buttons);
  }

  /**
   * A value is predicted in the view itself; the button counts a prediction that is not counted yet.
   * @param {Cue} cue
   * @param {number | null} chosen
   */
  function valueBallot({ values }, chosen) {
    if (!values) return el("p", {});
    if (chosen !== null) return el("p", {}, t("present.your-value", { what: values.write(chosen) }));
    const { said: own } = values;
    if (own === null) return el("p", {}, t("present.predict-there"));
    const button = el("button", { type: "button", "data-value": own }, t("present.do-count", { what: values.write(own) }));
    button.addEventListener("click", () => vote(own));
    return el("div", { class: "lp-ballot" }, button);
  }
}
