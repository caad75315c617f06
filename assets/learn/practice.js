/* After the stations: a step that the visitor has not seen. How many tokens will it yield? Predictions are kept. */

import { number, t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { isShownStep, keepPractice, practiceScore, readPractice } from "./progress.js";

/** @import { Trace } from "../player/types.js" */
/** @import { Practice, PracticeHost, PracticeView, Practised, Scene } from "./types.js" */

const BEFORE = 2; // the beat that shows all drafts, but none of the target's choices
const AFTER = 4;
const SHOWN = 10; // of the latest predictions
const DECIMAL = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

/** @param {PracticeHost} host */
export function createPractice(host) {
  const view = createView();
  /** @type {Practice} */
  const practice = { ...host, view, practised: readPractice(host.store), now: null };
  view.form.addEventListener("submit", (event) => {
    event.preventDefault();
    checkPrediction(practice);
  });
  view.another.addEventListener("click", () => askAnother(practice));
  paintTally(practice);
  return practice;
}

/** @returns {PracticeView} */
function createView() {
  const question = el("p", { class: "learn-question" });
  const input = el("input", { type: "number", min: 1, step: 1, required: true, inputmode: "numeric", autocomplete: "off" });
  const field = el("label", { class: "learn-predict learn-number" }, el("span", {}, t("learn.practice_number")), input);
  const check = el("button", { type: "submit", class: "ls-button ls-primary" }, t("learn.check"));
  const another = el("button", { type: "button", class: "ls-button" }, t("learn.another"));
  const verdict = el("div", { class: "learn-outcome", "aria-live": "polite" });
  const form = el("form", { class: "learn-form" }, field, el("div", { class: "learn-actions" }, check, another));
  const tally = el("div", { class: "learn-tally" });
  const title = el("h4", {}, t("learn.practice_title"));
  const element = el("div", { class: "learn-practice" }, title, el("p", {}, t("learn.practice_story")), question, form, verdict, tally);
  return { element, question, form, input, check, another, verdict, tally };
}

/** Asks about a step of one of the lesson's runs; preferably one neither shown nor practised before. @param {Practice} practice */
export async function askAnother(practice) {
  const { lesson, runs, random } = practice;
  const names = lesson.practice || [];
  if (!names.length) return;
  try {
    const name = names[Math.floor(random() * names.length)];
    const trace = await runs.get(name);
    const all = trace.steps.map((_, at) => at + 1);
    const unseen = all.filter((step) => !isShownStep(lesson, name, step) && !wasPractised(practice, trace, step));
    const from = unseen.length ? unseen : all;
    ask(practice, trace, from[Math.floor(random() * from.length)]);
  } catch (fault) {
    practice.fail(fault);
  }
}

/** @param {Practice} practice @param {Trace} trace @param {number} step */
const wasPractised = ({ practised }, trace, step) => practised.some((each) => each.run === trace.run && each.step === step);

/** @param {Practice} practice @param {Trace} trace @param {number} step */
function ask(practice, trace, step) {
  const { input, check, question, verdict } = practice.view;
  practice.now = { trace, step };
  input.value = "";
  input.disabled = check.disabled = false;
  const { drafted, deepest } = trace.steps[step - 1];
  input.max = String(deepest + 1);
  question.replaceChildren(t("learn.practice_question", { drafted: number(drafted), n: deepest + 1 }));
  verdict.replaceChildren();
  practice.show(trace, sceneOf(step, BEFORE), true);
}

/** @param {Practice} practice */
function checkPrediction(practice) {
  const { now, view: { input, check, another, verdict } } = practice;
  if (!now || input.disabled) return;
  const { trace, step } = now;
  const was = trace.steps[step - 1].row.path.length;
  const said = input.valueAsNumber;
  practice.practised = [...practice.practised, { run: trace.run, step, said, was }];
  keepPractice(practice.store, practice.practised);
  input.disabled = check.disabled = true;
  practice.show(trace, sceneOf(step, AFTER), false);
  const words = said === was ? t("learn.practice_exact", { n: was }) : t("learn.practice_off", { n: was, said });
  verdict.replaceChildren(el("p", { class: "learn-verdict", "data-verdict": said === was ? "right" : "wrong" }, words));
  paintTally(practice);
  another.focus();
}

/** @param {number} step @param {number} beat @returns {Scene} */
const sceneOf = (step, beat) => ({ step, beat, panels: ["text", "tree"] });

/** @param {Practice} practice */
export function recall(practice) {
  practice.practised = readPractice(practice.store);
  paintTally(practice);
}

/** @param {Practice} practice */
export function forget(practice) {
  practice.practised = [];
  keepPractice(practice.store, practice.practised);
  paintTally(practice);
}

/** @param {Practice} practice */
function paintTally({ practised, view: { tally } }) {
  const score = practiceScore(practised);
  tally.hidden = !score;
  if (!score) return;
  const { all, recent, first } = score;
  const lines = [t("learn.tally", { n: all.steps, exact: all.exact, error: number(all.error, DECIMAL) })];
  if (all.steps > SHOWN) {
    lines.push(t("learn.tally_recent", { first: number(first.error, DECIMAL), recent: number(recent.error, DECIMAL) }));
  }
  tally.replaceChildren(...lines.map((line) => el("p", {}, line)), tallyTable(practised.slice(-SHOWN)));
}

/** @param {Practised[]} rows */
function tallyTable(rows) {
  /** @type {(name: "th" | "td", ...texts: (string | number)[]) => HTMLElement} */
  const row = (name, ...texts) => el("tr", {}, ...texts.map((text) => el(name, name === "th" ? { scope: "col" } : {}, String(text))));
  const head = el("thead", {}, row("th", t("learn.said"), t("learn.was"), t("learn.off_by")));
  const body = el("tbody", {}, ...rows.map(({ said, was }) => row("td", number(said), number(was), number(Math.abs(said - was)))));
  const caption = el("caption", {}, t("learn.tally_title", { n: rows.length }));
  return el("table", {}, caption, head, body);
}
