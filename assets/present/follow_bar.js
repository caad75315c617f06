/* The bar on a follower's page: says whom it follows, takes votes, and lets go or return. */

import { sourceNamed } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";
import { questionCueAt } from "./present.js";
import { voteList } from "./votes.js";

/** @import { Cue, FollowBar, Guest } from "../player/types.js" */

/**
 * @param {{ back: () => void, leave: () => void, vote: (choice: number) => void }} on
 * @returns {FollowBar}
 */
export function followBar({ back, leave, vote }) {
  const words = el("p", { class: "lp-follow-words", role: "status" });
  const notice = el("p", { class: "lp-said", role: "status" });
  const home = el("button", { type: "button", "data-act": "return", hidden: true }, t("present.do-return"));
  const out = el("button", { type: "button", "data-act": "leave" }, t("present.do-leave"));
  home.addEventListener("click", back);
  out.addEventListener("click", leave);
  const asked = el("div", { class: "lp-ask", hidden: true });
  const about = { class: "lp-follow", "data-logitspec-follow": "", role: "region", "aria-label": t("present.follow") };
  const element = el("div", about, asked, el("div", { class: "lp-follow-line" }, words, notice, home, out));
  return { element, words, notice, home, out, asked, vote, drawn: "" };
}

/** @param {Guest} guest @param {string} text */
export const say = ({ bar }, text) => setText(bar.notice, text);

/** @param {Guest} guest */
export function paint(guest) {
  const { bar, over } = guest;
  const loose = guest.loose && !over;
  setText(bar.words, over || wordsOf(guest));
  bar.home.hidden = !loose;
  setText(bar.out, t(over ? "present.do-close" : "present.do-leave"));
  bar.element.dataset.state = over ? "over" : loose ? "loose" : "following";
  paintQuestion(guest);
}

/** @param {Guest} guest */
function wordsOf({ code, place, loose, lost, shows }) {
  if (lost) return t("present.lost");
  if (!place) return t("present.waiting", { code });
  if (!shows) return t("present.not-shared");
  return t(loose ? "present.loose" : "present.following", { code });
}

/** @param {Guest} guest */
function paintQuestion(guest) {
  const { bar } = guest;
  const { asked } = bar;
  const { key = "", revealed = false } = (guest.place && guest.place.question) || {};
  const cue = cueOf(guest);
  const counts = revealed ? guest.counts : null;
  const chosen = guest.chosen[key] ?? null;
  const drawn = JSON.stringify([cue && [cue.question, cue.choices, cue.values], counts, revealed, chosen]);
  if (drawn === bar.drawn) return;
  bar.drawn = drawn;
  say(guest, "");
  asked.hidden = cue === null || !(cue.choices || cue.values);
  if (!cue || asked.hidden) return asked.replaceChildren();
  const question = el("p", { class: "lp-question" }, cue.question || cue.title);
  const votes = revealed ? voteList(cue, counts, true) : null;
  if (revealed) return asked.replaceChildren(question, ...(votes ? [votes] : []));
  asked.replaceChildren(question, cue.choices ? ballot(bar, cue.choices, chosen) : valueBallot(bar, cue, chosen));
}

/** The cue of the lecturer's question, while the lecture goes on and this page shows it; null otherwise. @param {Guest} guest */
function cueOf({ place, loose, shows, over }) {
  const found = place && sourceNamed(place.view);
  if (!found || !place.question || loose || !shows || over) return null;
  const asked = questionCueAt(found.source, place.cue);
  return asked === null ? null : found.source.describe(asked);
}

/** @param {FollowBar} bar @param {string[]} choices @param {number | null} chosen */
function ballot({ vote }, choices, chosen) {
  const buttons = choices.map((choice, at) => {
    const button = el("button", { type: "button", "data-choice": at, "aria-pressed": String(chosen === at) }, choice);
    button.addEventListener("click", () => vote(at));
    return button;
  });
  return el("div", { class: "lp-ballot", role: "group", "aria-label": t("present.your-vote") }, ...buttons);
}

/**
 * A value is predicted in the view itself; the button counts a prediction that is not counted yet.
 * @param {FollowBar} bar
 * @param {Cue} cue
 * @param {number | null} chosen
 */
function valueBallot({ vote }, { values }, chosen) {
  if (!values) return el("p", {});
  if (chosen !== null) return el("p", {}, t("present.your-value", { what: values.write(chosen) }));
  const { said: own } = values;
  if (own === null) return el("p", {}, t("present.predict-there"));
  const button = el("button", { type: "button", "data-value": own }, t("present.do-count", { what: values.write(own) }));
  button.addEventListener("click", () => vote(own));
  return el("div", { class: "lp-ballot" }, button);
}
