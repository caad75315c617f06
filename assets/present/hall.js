/* The lecturer's side of a lecture that others follow: opens it, reports where this page is, and shows who follows. */

import { currentSource, sourceNamed } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { copyText, download } from "../player/disk.js";
import { el, setText } from "../player/dom.js";
import { Refused, ask } from "./events.js";
import { keyOf, placeOf } from "./place.js";
import { keep, recall } from "./storage.js";
import { saidValues, votesIn, votesText } from "./votes.js";

/** @import { Ballot, Counts, Hall, Place } from "../player/types.js" */

const STORE = "logitspec.lecture";
const BEAT = 2000; // ms between two reports
const REST = 200; // ms between two places
const OVER = [403, 404];

/**
 * @param {(path: string) => URL} address of the server's routes for lectures
 * @returns {Hall}
 */
export function createHall(address) {
  /** @type {{ code: string, secret: string, asked: Record<string, Omit<Ballot, "counts">> } | null} */
  let lecture = recall(STORE);
  let [followers, counts] = [0, /** @type {Counts | null} */ (null)];
  let [notice, fault] = ["", ""]; // sentences for the lecturer: about what was pressed, and while reports fail
  let sent = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {() => void} */
  let changed = () => {};
  const panel = hallPanel({ end, copy, votes, close });
  document.body.append(panel.element);
  document.addEventListener("cue", () => sendSoon());
  setInterval(() => lecture && send(), BEAT);
  if (lecture) sendSoon();

  return {
    isLeading: () => lecture !== null,
    toggle() {
      if (panel.element.hidden) open();
      else close();
    },
    close,
    counts: () => counts,
    words() {
      if (!lecture) return "";
      const sum = counts ? votesIn(counts) : 0;
      const here = [lecture.code, t("present.here", { n: followers })];
      return [...here, ...(counts ? [t("present.votes", { n: sum })] : [])].join(" · ");
    },
    onChange(callback) {
      changed = callback;
    },
  };

  function link() {
    const page = new URL(location.href);
    page.search = page.hash = "";
    return { page: page.href, link: lecture ? `${page.href}?follow=${lecture.code}` : "" };
  }

  async function open() {
    panel.show();
    if (!lecture) {
      try {
        lecture = { ...(await ask(address(""), {})), asked: {} };
        keep(STORE, lecture);
        notice = fault = sent = "";
        sendSoon();
      } catch (error) {
        [notice, fault] = [sentenceOf(error), ""];
      }
    }
    paint();
  }

  function close() {
    if (panel.element.hidden) return false;
    panel.hide();
    return true;
  }

  function paint() {
    const { page } = link();
    const qr = lecture ? address(`${lecture.code}/qr`) : null;
    if (qr) qr.searchParams.set("page", page);
    panel.paint({ ...link(), qr: qr && qr.href, code: lecture ? lecture.code : "", followers, notice: [fault, notice].filter(Boolean).join(" ") });
    changed();
  }

  /** Reports where the page is, once for many changes. */
  function sendSoon() {
    if (!lecture || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      send();
    }, REST);
  }

  async function send() {
    if (!lecture) return;
    const { code, secret } = lecture;
    const place = placeHere();
    const text = JSON.stringify(place);
    try {
      const report = await ask(address(`${code}/lead`), { secret, place: text === sent ? null : place });
      sent = text;
      [followers, counts, fault] = [report.followers, report.counts, ""];
    } catch (error) {
      sent = ""; // a server that was unreachable may not know it
      fault = sentenceOf(error);
      if (isOver(error)) forget();
    }
    paint();
  }

  function placeHere() {
    const presented = document.querySelector("[data-stage]");
    const [root, source] = currentSource() || [null, null];
    const presentedSource = presented && root !== presented ? null : source;
    if (!presentedSource || !lecture) return null;
    const place = placeOf(presentedSource);
    if (place.question) remember(place.question.key, place);
    return place;
  }

  /**
   * Stores a question in words for the table of votes, since the server has numbers only.
   * @param {string} key
   * @param {Place} place
   */
  function remember(key, place) {
    const found = sourceNamed(place.view);
    if (!lecture || key in lecture.asked || !found) return;
    const cue = Number(key.split(":").pop());
    const { title, question = title, choices = [], right = -1 } = found.source.describe(cue);
    lecture.asked[key] = { key, question, choices, right };
    keep(STORE, lecture);
  }

  /** The cue of a question, if its view still shows it, or else an empty one. @param {string} key */
  function cueOf(key) {
    const [view] = key.split(":");
    const found = sourceNamed(view);
    const cue = Number(key.split(":").pop());
    const unknown = { title: "", kind: /** @type {const} */ ("question"), notes: "", answer: "", seconds: 0 };
    return found && keyOf(found.source, cue) === key ? found.source.describe(cue) : unknown;
  }

  function forget() {
    lecture = null;
    followers = 0;
    counts = null;
    keep(STORE, null);
  }

  async function end() {
    if (!lecture) return;
    try {
      await ask(address(`${lecture.code}/end`), { secret: lecture.secret });
    } catch (error) {
      if (!isOver(error)) {
        notice = t("present.not-ended");
        return paint();
      }
    }
    forget();
    [notice, fault] = [t("present.ended"), ""];
    paint();
  }

  async function copy() {
    const done = await copyText(panel.element, link().link);
    notice = done ? t("present.copied") : link().link;
    paint();
  }

  async function votes() {
    if (!lecture) return;
    const { code, secret, asked } = lecture;
    try {
      /** @type {{ question: string, counts: any[] }[]} */
      const ballots = await ask(address(`${code}/votes`), { secret });
      notice = "";
      const empty = { key: "", question: "", choices: [], right: -1 };
      const rows = ballots.map(({ question: key, counts: counted }) => ({
        ...(asked[key] || empty),
        ...(typeof counted[0] === "object" ? saidValues(cueOf(key), counted) : { counts: counted }),
        key,
      }));
      download("votes.csv", votesText(rows), "text/csv");
    } catch (error) {
      fault = sentenceOf(error); // until a report arrives
      paint();
    }
  }
}

/** Whether the server knows no such lecture of this page. @param {unknown} error */
const isOver = (error) => error instanceof Refused && OVER.includes(error.status);

/** @param {unknown} error */
const sentenceOf = (error) => (error instanceof Refused && error.message) || t("present.unreachable");

/** @param {Record<string, () => void>} on */
function hallPanel(on) {
  const code = el("p", { class: "lp-code" });
  const address = el("p", { class: "lp-link" });
  const qr = el("img", { class: "lp-qr", alt: t("present.qr"), hidden: true });
  const noQr = el("p", { class: "lp-no-qr", hidden: true }, t("present.no-qr"));
  qr.addEventListener("load", () => ([qr.hidden, noQr.hidden] = [false, true]));
  qr.addEventListener("error", () => ([qr.hidden, noQr.hidden] = [true, false]));
  const here = el("p", { class: "lp-followers" });
  const notice = el("p", { class: "lp-said", role: "status" });
  const buttons = ["copy", "votes", "end", "close"].map((act) => {
    const button = el("button", { type: "button", "data-act": act }, t("present.do-" + act));
    button.addEventListener("click", () => on[act]());
    return button;
  });
  const words = el("div", { class: "lp-hall-words" }, el("h2", {}, t("present.hall-title")), code, address, here, el("p", {}, t("present.shared")), noQr, notice);
  const attributes = { class: "lp-hall", "data-logitspec-follow": "", role: "dialog", "aria-label": t("present.hall-title"), hidden: true };
  const element = el("div", attributes, el("div", { class: "lp-hall-body" }, qr, words), el("div", { class: "lp-tools" }, ...buttons));
  /** @type {Element | null} */
  let before = null;
  return {
    element,
    show() {
      before = document.activeElement;
      element.hidden = false;
      buttons[buttons.length - 1].focus();
    },
    /** Gives the focus back immediately: later, it would be taken from where the lecturer has moved on to. */
    hide() {
      const held = element.contains(document.activeElement);
      element.hidden = true;
      if (held && before instanceof HTMLElement) before.focus({ preventScroll: true });
      before = null;
    },
    /** @param {{ link: string, qr: string | null, code: string, followers: number, notice: string }} about */
    paint(about) {
      setText(code, about.code);
      setText(address, about.link);
      setText(here, about.code ? t("present.here", { n: about.followers }) : "");
      setText(notice, about.notice);
      if (about.qr && qr.getAttribute("src") !== about.qr) qr.src = about.qr;
      if (!about.qr) qr.hidden = true;
      for (const each of buttons.slice(0, -1)) each.hidden = !about.code;
    },
  };
}
