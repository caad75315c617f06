/* A station on the screen: story, question, prediction; then the reveal and the sentence to remember. */

import { t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { createPrediction } from "./predict.js";
import { lastCue } from "./places.js";
import { hasAnswer, isOpen, isRevealed, rightOption } from "./progress.js";
import { verdict } from "./verdicts.js";

/** @import { PredictionField, Station, Talk, Text } from "./types.js" */

const OPENS = { compare: t("learn.open_compare"), watch: t("learn.open_watch") };

/**
 * @param {Talk} talk
 * @param {Station} station
 * @param {number} cue counted from 1
 * @returns {{ parts: Node[], field: PredictionField | null }}
 */
export function stationParts(talk, station, cue) {
  const { say, lesson } = talk;
  const place = lesson.stations.indexOf(station) + 1;
  const heading = el("h3", { tabindex: -1 }, t("learn.station", { n: place }), " ", ...say.nodes(station.title));
  const field = fieldOf(talk, station, cue);
  const reveal = el("div", { class: "learn-reveal", "aria-live": "polite" });
  // A live region is read out only if it is in the page before its content changes.
  if (cue > 1) queueMicrotask(() => reveal.append(...revealParts(talk, station, cue)));
  const form = field && formOf(talk, station, cue, field);
  const words = [paragraph(talk, "story", station.story), paragraph(talk, "question", station.question)];
  return { parts: present(heading, ...words, form, reveal, actions(talk, station, cue)), field };
}

/** @param {Talk} talk @param {string} name @param {Text | undefined} text */
const paragraph = ({ say }, name, text) => (text === undefined ? null : el("p", { class: `learn-${name}` }, ...say.nodes(text)));

/** @param {Talk} talk @param {Station} station @param {number} cue */
function fieldOf({ say, progress }, station, cue) {
  const { predict } = station;
  if (!predict) return null;
  const field = createPrediction(predict, say.nodes, (place) => say.picked(station, place));
  const answer = progress.answers[station.station];
  const isTold = cue > 1 && hasAnswer(predict) && isRevealed(station, progress);
  const right = isTold && predict.kind === "choice" ? rightOption(predict, say.answer(predict)) : null;
  if (answer && isOpen(station, progress)) field.show(answer.said);
  else if (answer || cue > 1) field.tell(answer ? answer.said : -1, right);
  return field;
}

/** @param {Talk} talk @param {Station} station @param {number} cue @param {PredictionField} field */
function formOf(talk, station, cue, field) {
  const check = el("button", { type: "submit", class: "ls-button ls-primary" }, t("learn.check"));
  check.hidden = cue > 1 || !isOpen(station, talk.progress);
  check.disabled = true;
  const form = el("form", { class: "learn-form" }, field.element, check);
  // Where a number is out of bounds, the browser says so at the press.
  const enableCheck = () => {
    check.disabled = field.value() === null && !form.querySelector(":invalid");
  };
  for (const event of ["input", "change", "learn-pick"]) form.addEventListener(event, enableCheck);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = field.value();
    if (said !== null && !check.hidden) talk.settle(station, said);
  });
  return form;
}

/** The parts that are shown from the reveal on. @param {Talk} talk @param {Station} station @param {number} cue */
function revealParts(talk, station, cue) {
  const { lesson, progress, say } = talk;
  const own = station.predict ? [isRevealed(station, progress) ? verdict(station, progress, say) : sealedWords(talk, station)] : [];
  const unsealed = lesson.stations
    .filter(({ predict }) => predict && predict.sealed === station.station)
    .map((sealed) => verdict(sealed, progress, say, t("learn.unsealed", { n: lesson.stations.indexOf(sealed) + 1 })));
  const label = el("span", { class: "learn-label" }, t("learn.remember"));
  const sentence = el("div", { class: "learn-remember" }, label, ...present(paragraph(talk, "sentence", station.remember)));
  return present(...own, ...unsealed, paragraph(talk, "answer", station.reveal), cue > 2 ? sentence : null);
}

/** @param {Talk} talk @param {Station} station */
function sealedWords({ lesson }, { predict }) {
  const until = lesson.stations.findIndex(({ station }) => predict && station === predict.sealed) + 1;
  return el("p", { class: "learn-verdict", "data-verdict": "kept" }, t("learn.sealed", { n: until }));
}

/** @param {Talk} talk @param {Station} station @param {number} cue */
function actions(talk, station, cue) {
  const { at, lesson, options, progress, go } = talk;
  const isAsked = Boolean(station.predict) && !Object.hasOwn(progress.answers, station.station);
  const isLast = at + 1 >= lastCue(lesson);
  const words = [isAsked ? t("learn.skip") : t("learn.show"), t("learn.to_remember"), isLast ? t("learn.to_end") : t("learn.next")];
  const on = button(words[cue - 1], () => go(at + 1, true));
  on.classList.toggle("ls-primary", cue > 1 || !isAsked);
  on.toggleAttribute("data-next", true);
  const { open } = options;
  const where = station.open;
  const there = open && where && cue > 1 ? button(OPENS[where], () => open(where)) : null;
  const back = at > 0 ? button(t("learn.back"), () => go(at - 1, true)) : null;
  return el("div", { class: "learn-actions" }, back, on, there);
}

/** @param {string} words @param {() => void} action */
export function button(words, action) {
  const element = el("button", { type: "button", class: "ls-button" }, words);
  element.addEventListener("click", action);
  return element;
}

/**
 * The nodes that are not null.
 * @param {...(Node | null)} things
 * @returns {Node[]}
 */
const present = (...things) => things.filter((thing) => thing !== null);
