/* A visitor's predictions and progress, and the lesson that they opened from a file, stored in the browser. */

/** @import { Answer, Lesson, Practised, Prediction, Progress, Station, Store, TabStore } from "./types.js" */

const MAX_PRACTISED = 500;
const RECENT = 10;

/** @returns {Progress} */
export const newProgress = () => ({ answers: {}, seen: {}, at: 0 });

/** @param {Store | null | undefined} store @param {string} name @param {(value: any) => boolean} fits */
function read(store, name, fits) {
  try {
    const value = JSON.parse((store && store.getItem(name)) || "null");
    return fits(value) ? value : null;
  } catch {
    return null; // storage may be forbidden, and its content may come from anybody
  }
}

/** @param {Store | null | undefined} store @param {string} name @param {object} value */
function write(store, name, value) {
  try {
    if (store) store.setItem(name, JSON.stringify(value));
  } catch {
    return; // full or forbidden, so the value lasts only as long as the page
  }
}

const FILE = "logitspec.lesson-file";

/** The text of the lesson that is open from a file; null for none. @param {TabStore | null} tab */
export function readFile(tab) {
  try {
    return tab && tab.getItem(FILE);
  } catch {
    return null;
  }
}

/**
 * Keeps the text of a lesson until the browser's tab is closed, and no older one where there is no room for it.
 * @param {TabStore | null} tab
 * @param {string | null} text null for none
 * @returns {boolean} whether a reload finds it
 */
export function keepFile(tab, text) {
  try {
    if (!tab) return false;
    tab.removeItem(FILE);
    if (text !== null) tab.setItem(FILE, text);
    return true;
  } catch {
    return false;
  }
}

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {any} measured */
const isMeasured = (measured) =>
  isObject(measured) &&
  ["title", "fewest", "more", "first", "second"].every((name) => typeof measured[name] === "string") &&
  ["mean", "fewer", "behind"].every((name) => Number.isFinite(measured[name]));

/** @param {any} answer */
const isAnswer = (answer) =>
  isObject(answer) &&
  Number.isFinite(answer.said) &&
  [true, false, null].includes(answer.right) &&
  (answer.measured === undefined || isMeasured(answer.measured));

/** @param {any} value */
const isProgress = (value) =>
  isObject(value) &&
  isObject(value.answers) &&
  isObject(value.seen) &&
  Number.isInteger(value.at) &&
  Object.values(value.answers).every(isAnswer) &&
  Object.values(value.seen).every(Number.isInteger);

/** @param {string} lesson */
const place = (lesson) => `logitspec.lesson.${lesson}`;
const PRACTICE = "logitspec.practice";

/** @param {Store | null | undefined} store @param {string} lesson @returns {Progress} */
export const readProgress = (store, lesson) => read(store, place(lesson), isProgress) || newProgress();

/** @param {Store | null | undefined} store @param {string} lesson @param {Progress} progress */
export const keepProgress = (store, lesson, progress) => write(store, place(lesson), progress);

/**
 * Calls `take` whenever another tab of this browser has stored what the visitor predicted there.
 * @param {() => void} take
 */
export function onOtherTab(take) {
  addEventListener("storage", ({ key }) => (key === PRACTICE || key?.startsWith(place(""))) && take());
}

/** @param {any} each */
const isPractised = (each) => isObject(each) && typeof each.run === "string" && [each.step, each.said, each.was].every(Number.isInteger);

/** @param {Store | null | undefined} store @returns {Practised[]} */
export const readPractice = (store) =>
  read(store, PRACTICE, (value) => Array.isArray(value) && value.every(isPractised)) || [];

/** @param {Store | null | undefined} store @param {Practised[]} practised */
export const keepPractice = (store, practised) => write(store, PRACTICE, practised.slice(-MAX_PRACTISED));

/**
 * Whether a prediction is right; among options, the one nearest to the value is.
 * @param {Prediction} predict
 * @param {number} said a number, or the place of an option
 * @param {number} value of the answer
 */
export function isRight(predict, said, value) {
  if (predict.kind === "choice") return said === rightOption(predict, value);
  return Math.abs(said - value) <= (predict.within || 0) * Math.abs(value);
}

/** @param {Prediction} predict @param {number} value */
export function rightOption({ right, options = [] }, value) {
  if (right !== undefined) return right;
  const distances = options.map(({ is = 0 }) => Math.abs(is - value));
  return distances.indexOf(Math.min(...distances));
}

/**
 * Whether the answer of a station may be shown: a sealed one is revealed at another station.
 * @param {Station} station
 * @param {Pick<Progress, "seen">} progress
 */
export const isRevealed = ({ predict }, { seen }) => !predict || !predict.sealed || (seen[predict.sealed] || 0) > 1;

/**
 * Whether a visitor has done at a station what its "done" asks for.
 * @param {Station} station
 * @param {Progress} progress
 */
export function isDone({ station, done = "revealed" }, { answers, seen }) {
  if (done === "predicted") return Object.hasOwn(answers, station);
  return (seen[station] || 0) >= (done === "revealed" ? 2 : 3);
}

/**
 * Whether a visitor may predict: once, or, where a lecture counts it, again and again until they see the answer.
 * @param {Station} station
 * @param {Pick<Progress, "answers" | "seen">} progress
 */
export function isOpen({ station }, { answers, seen }) {
  return !Object.hasOwn(answers, station) || (Boolean(answers[station].counted) && (seen[station] || 0) < 2);
}

/** Whether a prediction can be right or wrong. @param {Prediction} predict */
export const hasAnswer = ({ answer, right }) => answer !== undefined || right !== undefined;

/**
 * The numbers of right predictions, of predictions whose answers are revealed, and of all that can be made.
 * @param {Lesson} lesson
 * @param {Progress} progress
 */
export function scoreOf({ stations }, { answers, seen }) {
  const asked = stations.filter(({ station, predict }) => predict && (hasAnswer(predict) || Boolean(answers[station]?.measured)));
  const revealed = asked.filter((each) => Object.hasOwn(answers, each.station) && isRevealed(each, { seen }));
  return {
    right: revealed.filter(({ station }) => answers[station].right).length,
    revealed: revealed.length,
    all: asked.length,
  };
}

/**
 * How well accepted lengths were predicted: overall, recently and at first; null before the first prediction.
 * @param {Practised[]} practised
 */
export function practiceScore(practised) {
  if (!practised.length) return null;
  /** @param {Practised[]} some */
  const of = (some) => ({
    steps: some.length,
    exact: some.filter(({ said, was }) => said === was).length,
    error: some.reduce((sum, { said, was }) => sum + Math.abs(said - was), 0) / some.length,
  });
  return { all: of(practised), recent: of(practised.slice(-RECENT)), first: of(practised.slice(0, RECENT)) };
}

/** @param {Answer | undefined} answer */
export const verdictOf = (answer) => (!answer ? "open" : answer.right === null ? "kept" : answer.right ? "right" : "wrong");

/**
 * Whether a station shows a step of a run.
 * @param {Lesson} lesson
 * @param {string} run
 * @param {number} step
 */
export const isShownStep = ({ stations }, run, step) =>
  stations.some(({ scene = {}, reveal_scene: after = {} }) =>
    [scene, { ...scene, ...after }].some((each) => each.run === run && each.step === step),
  );
