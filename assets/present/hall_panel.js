/* The link for followers, with its code, as a lecturer shows it to a hall. */

import { t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";

/** @import { HallPanel } from "../player/types.js" */

/**
 * @param {(act: string) => void} on is called with the actions of buttons pressed there
 * @returns {HallPanel}
 */
export function hallPanel(on) {
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
    button.addEventListener("click", () => on(act));
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
