/* After the stations: a step that the visitor has not seen. How many tokens will it yield? Predictions are kept. */

import { number, t } from "../page/i18n.js";
import { el } from "../player/dom.js";
import { isShownStep, keepPractice, practiceScore, readPractice } from "./progress.js";

/** @import { Lesson, LessonOptions, Practised, Runs, Scene } from "./types.js" */
/** @import { Trace } from "../player/types.js" */

const BEFORE = 2; // the beat that shows all drafts, but none of the target's choices
const AFTER = 4;
const SHOWN = 10; // of the latest predictions
const DECIMAL = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

/**
 * @param {object} about
 * @param {Lesson} about.lesson
 * @param {Runs} about.runs
 * @param {LessonOptions["store"]} about.store
 * @param {() => number} about.random
 * @param {(trace: Trace | null, scene: Scene, sealed: boolean) => void} about.show on the stage
 * @param {(error: unknown) => void} about.fail
 */
export function createPractice({ lesson, runs, store, random, show, fail }) {
  let practised = readPractice(store);
  const questionText = el("p", { class: "learn-question" });
  const input = el("input", { type: "number", min: 1, step: 1, required: true, inputmode: "numeric", autocomplete: "off" });
  const field = el("label", { class: "learn-predict learn-number" }, el("span", {}, t("learn.practice_number")), input);
  const check = el("button", { type: "submit", class: "ls-button ls-primary" }, t("learn.check"));
  const another = el("button", { type: "button", class: "ls-button" }, t("learn.another"));
  const verdictBox = el("div", { class: "learn-outcome", "aria-live": "polite" });
  const form = el("form", { class: "learn-form" }, field, el("div", { class: "learn-actions" }, check, another));
  const tally = el("div", { class: "learn-tally" });
  const title = el("h4", {}, t("learn.practice_title"));
  const element = el("div", { class: "learn-practice" }, title, el("p", {}, t("learn.practice_story")), questionText, form, verdictBox, tally);
  /** @type {{ name: string, trace: Trace, step: number } | null} */
  let now = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!now || input.disabled) return;
    const { trace, step } = now;
    const was = trace.steps[step - 1].row.path.length;
    const said = input.valueAsNumber;
    practised = [...practised, { run: now.trace.run, step, said, was }];
    keepPractice(store, practised);
    input.disabled = check.disabled = true;
    show(trace, sceneOf(step, AFTER), false);
    const verdict = said === was ? t("learn.practice_exact", { n: was }) : t("learn.practice_off", { n: was, said });
    verdictBox.replaceChildren(el("p", { class: "learn-verdict", "data-verdict": said === was ? "right" : "wrong" }, verdict));
    paintTally();
    another.focus();
  });
  another.addEventListener("click", () => begin().catch(fail));

  /** Asks about a step of one of the lesson's runs; preferably one neither shown nor practised before. */
  async function begin() {
    const names = lesson.practice || [];
    if (!names.length) return;
    const name = names[Math.floor(random() * names.length)];
    const trace = await runs.get(name);
    const all = trace.steps.map((_, at) => at + 1);
    const unseen = all.filter((step) => !isShownStep(lesson, name, step) && !wasPractised(trace, step));
    const from = unseen.length ? unseen : all;
    const step = from[Math.floor(random() * from.length)];
    now = { name, trace, step };
    input.value = "";
    input.disabled = check.disabled = false;
    const { drafted, deepest } = trace.steps[step - 1];
    input.max = String(deepest + 1);
    questionText.replaceChildren(t("learn.practice_question", { drafted: number(drafted), n: deepest + 1 }));
    verdictBox.replaceChildren();
    show(trace, sceneOf(step, BEFORE), true);
  }

  /** @param {Trace} trace @param {number} step */
  const wasPractised = (trace, step) => practised.some((each) => each.run === trace.run && each.step === step);

  function paintTally() {
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

  paintTally();
  return {
    element,
    begin: () => begin().catch(fail),
    recall() {
      practised = readPractice(store);
      paintTally();
    },
    forget() {
      practised = [];
      keepPractice(store, practised);
      paintTally();
    },
  };
}

/** @param {number} step @param {number} beat @returns {Scene} */
const sceneOf = (step, beat) => ({ step, beat, panels: ["text", "tree"] });

/** @param {Practised[]} rows */
function tallyTable(rows) {
  /** @type {(name: "th" | "td", ...texts: (string | number)[]) => HTMLElement} */
  const row = (name, ...texts) => el("tr", {}, ...texts.map((text) => el(name, name === "th" ? { scope: "col" } : {}, String(text))));
  const head = el("thead", {}, row("th", t("learn.said"), t("learn.was"), t("learn.off_by")));
  const body = el("tbody", {}, ...rows.map(({ said, was }) => row("td", number(said), number(was), number(Math.abs(said - was)))));
  const caption = el("caption", {}, t("learn.tally_title", { n: rows.length }));
  return el("table", {}, caption, head, body);
}
