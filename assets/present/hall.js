/* The lecturer's side of a lecture that others follow: opens it, reports where this page is, and shows who follows. */

import { currentSource } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { copyText, download } from "../player/disk.js";
import { Refused, ask } from "./events.js";
import { hallPanel } from "./hall_panel.js";
import { placeOf } from "./place.js";
import { inWords, noteQuestion } from "./questions.js";
import { keep, recall } from "./storage.js";
import { votesIn, votesText } from "./votes.js";

/** @import { Hall, Lecture, Lecturer } from "../player/types.js" */

const STORE = "logitspec.lecture";
const BEAT = 2000; // ms between two reports
const REST = 200; // ms between two places
const PATIENCE = 10_000; // ms for an answer
const OVER = [403, 404];
/** @type {Record<string, (lecturer: Lecturer) => void>} */
const ACTS = { copy, votes, end, close };

/**
 * @param {(path: string) => URL} address of the server's routes for lectures
 * @returns {Hall}
 */
export function createHall(address) {
  const lecturer = /** @type {Lecturer} */ ({
    address, lecture: recall(STORE), followers: 0, counts: null, notice: "", fault: "", sent: "", timer: undefined,
    reporting: false, missed: false, changed: () => {},
  });
  lecturer.panel = hallPanel((act) => ACTS[act](lecturer));
  document.body.append(lecturer.panel.element);
  document.addEventListener("cue", () => sendSoon(lecturer));
  setInterval(() => send(lecturer), BEAT);
  sendSoon(lecturer);

  return {
    toggle() {
      if (lecturer.panel.element.hidden) open(lecturer);
      else close(lecturer);
    },
    close: () => close(lecturer),
    counts: () => lecturer.counts,
    words: () => wordsOf(lecturer),
    onChange(callback) {
      lecturer.changed = callback;
    },
  };
}

/** @param {Lecturer} lecturer */
function wordsOf({ lecture, followers, counts }) {
  if (!lecture) return "";
  const here = [lecture.code, t("present.here", { n: followers })];
  return [...here, ...(counts ? [t("present.votes", { n: votesIn(counts) })] : [])].join(" · ");
}

/** @param {Lecturer} lecturer */
async function open(lecturer) {
  lecturer.panel.show();
  if (!lecturer.lecture) {
    try {
      const lecture = { ...(await ask(lecturer.address(""), {})), asked: {} };
      keep(STORE, lecture);
      Object.assign(lecturer, { lecture, notice: "", fault: "", sent: "" });
      sendSoon(lecturer);
    } catch (error) {
      Object.assign(lecturer, { notice: sentenceOf(error), fault: "" });
    }
  }
  paint(lecturer);
}

/** @param {Lecturer} lecturer */
function close({ panel }) {
  if (panel.element.hidden) return false;
  panel.hide();
  return true;
}

/** @param {Lecture | null} lecture */
function links(lecture) {
  const address = new URL(location.href);
  address.search = address.hash = "";
  const page = address.href;
  return { page, link: lecture ? `${page}?follow=${lecture.code}` : "" };
}

/** @param {Lecturer} lecturer */
function paint({ address, lecture, followers, notice, fault, panel, changed }) {
  const { page, link } = links(lecture);
  const qr = lecture ? address(`${lecture.code}/qr`) : null;
  if (qr) qr.searchParams.set("page", page);
  const code = lecture ? lecture.code : "";
  panel.paint({ link, qr: qr && qr.href, code, followers, notice: [fault, notice].filter(Boolean).join(" ") });
  changed();
}

/* Reports */

/** Reports where the page is, once for many changes. @param {Lecturer} lecturer */
function sendSoon(lecturer) {
  if (!lecturer.lecture || lecturer.timer !== undefined) return;
  lecturer.timer = setTimeout(() => {
    lecturer.timer = undefined;
    send(lecturer);
  }, REST);
}

/**
 * Sends one report at a time: of several, a network that falters may deliver the oldest last.
 * @param {Lecturer} lecturer
 */
async function send(lecturer) {
  const { lecture, reporting } = lecturer;
  if (!lecture) return;
  lecturer.missed = reporting;
  if (reporting) return;
  lecturer.reporting = true;
  await report(lecturer, lecture);
  lecturer.reporting = false;
  if (lecturer.missed) sendSoon(lecturer);
}

/** @param {Lecturer} lecturer @param {Lecture} lecture */
async function report(lecturer, lecture) {
  const { address } = lecturer;
  const { code, secret } = lecture;
  const place = placeHere(lecture);
  const text = JSON.stringify(place);
  try {
    const about = { secret, place: text === lecturer.sent ? null : place };
    const { followers, counts } = await ask(address(`${code}/lead`), about, AbortSignal.timeout(PATIENCE));
    if (lecturer.lecture !== lecture) return; // it has ended meanwhile
    Object.assign(lecturer, { sent: text, followers, counts, fault: "" });
  } catch (error) {
    if (lecturer.lecture !== lecture) return;
    lecturer.sent = ""; // a server that was unreachable may not know it
    lecturer.fault = sentenceOf(error);
    if (isOver(error)) forget(lecturer);
  }
  paint(lecturer);
}

/** @param {Lecture} lecture */
function placeHere(lecture) {
  const presented = document.querySelector("[data-stage]");
  const [root, source] = currentSource() || [null, null];
  const presentedSource = presented && root !== presented ? null : source;
  if (!presentedSource) return null;
  const place = placeOf(presentedSource);
  if (noteQuestion(lecture, place)) keep(STORE, lecture);
  return place;
}

/** @param {Lecturer} lecturer */
function forget(lecturer) {
  Object.assign(lecturer, { lecture: null, followers: 0, counts: null });
  keep(STORE, null);
}

/** Whether the server knows no such lecture of this page. @param {unknown} error */
const isOver = (error) => error instanceof Refused && OVER.includes(error.status);

/** @param {unknown} error */
const sentenceOf = (error) => (error instanceof Refused && error.message) || t("present.unreachable");

/* Buttons */

/** @param {Lecturer} lecturer */
async function end(lecturer) {
  const { address, lecture } = lecturer;
  if (!lecture) return;
  try {
    await ask(address(`${lecture.code}/end`), { secret: lecture.secret });
  } catch (error) {
    if (!isOver(error)) {
      lecturer.notice = t("present.not-ended");
      return paint(lecturer);
    }
  }
  forget(lecturer);
  Object.assign(lecturer, { notice: t("present.ended"), fault: "" });
  paint(lecturer);
}

/** @param {Lecturer} lecturer */
async function copy(lecturer) {
  const { link } = links(lecturer.lecture);
  const done = await copyText(lecturer.panel.element, link);
  lecturer.notice = done ? t("present.copied") : link;
  paint(lecturer);
}

/** @param {Lecturer} lecturer */
async function votes(lecturer) {
  const { address, lecture } = lecturer;
  if (!lecture) return;
  try {
    const counted = await ask(address(`${lecture.code}/votes`), { secret: lecture.secret });
    lecturer.notice = "";
    download("votes.csv", votesText(inWords(lecture, counted)), "text/csv");
  } catch (error) {
    lecturer.fault = sentenceOf(error); // until a report arrives
    paint(lecturer);
  }
}
