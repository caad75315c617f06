/* The stage: the view in sight fills the window below a headline; everything else in the page is out of reach. */

import { t } from "../page/i18n.js";
import { el, setAttributes, setText } from "../player/dom.js";
import { lettersIn } from "../player/nodes.js";
import { voteList } from "./votes.js";

/** @import { Counts, Cue, Stage } from "../player/types.js" */

const LONG = 110; // Latin letters that a headline is as wide as
const TOOLS = [
  ["back", "PageUp ←"],
  ["next", "PageDown → Space"],
  ["black", "b ."],
  ["dim", "d"],
  ["full", "f"],
  ["speaker", "s"],
  ["hall", "q"],
  ["help", "?"],
  ["escape", "Esc"],
];

/**
 * @param {(act: string) => void} on is called with the action of a tool that is pressed
 * @param {string[]} without tools that this page doesn't have
 * @returns {Stage}
 */
export function createStage(on, without) {
  const station = el("p", { class: "lp-station" });
  const title = el("h2", { class: "lp-title" });
  const asked = el("div", { class: "lp-asked" });
  const head = el("div", { class: "lp-head" }, station, title, asked);
  const known = TOOLS.filter(([act]) => !without.includes(act));
  const typed = el("span", { class: "lp-typed", role: "status" });
  const here = el("span", { class: "lp-here" });
  const foot = el("div", { class: "lp-foot" }, toolbar(known, on), typed, here);
  const black = el("div", { class: "lp-black", hidden: true, role: "status" }, el("span", { class: "ls-spoken" }, t("present.black")));
  const light = el("div", { class: "lp-light", hidden: true, "aria-hidden": "true" });
  const help = helpSheet(known);
  const attributes = { class: "lp-stage", "data-logitspec-stage": "", hidden: true, role: "region", "aria-label": t("present.stage") };
  const element = el("div", attributes, head, foot, light, help, black);
  /** @type {{ root: HTMLElement, hidden: Element[] } | null} */
  let held = null;
  const measure = () => {
    document.documentElement.style.setProperty("--lp-head", head.offsetHeight + "px");
    document.documentElement.style.setProperty("--lp-foot", foot.offsetHeight + "px");
  };
  new ResizeObserver(measure).observe(head);
  return {
    element,
    black,
    light,
    help,
    hold(root) {
      if (held && held.root === root) return;
      release();
      held = { root, hidden: withdraw(root, element) };
      root.setAttribute("data-stage", "true");
      document.documentElement.setAttribute("data-presenting", "");
      element.hidden = false;
      measure();
    },
    release,
    /** @param {Cue} cue @param {{ station: string, typed: string, here: string, counts: Counts | null, question: Cue | null, spoken: boolean }} about */
    paint(cue, about) {
      setAttributes(title, { "aria-live": about.spoken ? "polite" : "off" });
      setText(station, about.station);
      setText(title, cue.question || cue.title);
      title.toggleAttribute("data-long", lettersIn(title.textContent || "") > LONG);
      const question = about.question;
      const votes = question && voteList(question, about.counts, cue.kind === "reveal");
      asked.hidden = votes === null;
      asked.replaceChildren(...(votes ? [votes] : []));
      setText(typed, about.typed && t("present.typed", { digits: about.typed }));
      setText(here, about.here);
    },
  };

  function release() {
    if (!held) return;
    held.root.removeAttribute("data-stage");
    for (const each of held.hidden) each.removeAttribute("inert");
    document.documentElement.removeAttribute("data-presenting");
    element.hidden = true;
    held = null;
  }
}

/** @param {string[][]} known @param {(act: string) => void} on */
function toolbar(known, on) {
  const buttons = known.map(([act, keys]) => {
    const label = t("present.do-" + act);
    const button = el("button", { type: "button", "data-act": act, title: `${label} (${keys})` }, label);
    button.addEventListener("click", () => on(act));
    return button;
  });
  return el("div", { class: "lp-tools", role: "toolbar", "aria-label": t("present.tools") }, ...buttons);
}

/** @param {string[][]} known */
function helpSheet(known) {
  const rows = [...known, ["jump", "1 2 3 … Enter"]].flatMap(([act, keys]) => [
    el("dt", {}, keys),
    el("dd", {}, t("present.do-" + act)),
  ]);
  return el("div", { class: "lp-help", role: "dialog", "aria-label": t("present.keys"), hidden: true }, el("dl", {}, ...rows));
}

/**
 * Puts all but an element and the stage out of reach of keyboards and screen readers.
 * @param {HTMLElement} root
 * @param {HTMLElement} stage
 */
function withdraw(root, stage) {
  /** @type {Element[]} */
  const hidden = [];
  for (let at = /** @type {Element} */ (root); at.parentElement && at !== document.body; at = at.parentElement) {
    for (const each of at.parentElement.children) {
      if (each === at || each === stage || each.hasAttribute("inert") || /^(SCRIPT|STYLE|LINK)$/.test(each.tagName)) continue;
      if (each.hasAttribute("data-logitspec-follow")) continue;
      each.setAttribute("inert", "");
      hidden.push(each);
    }
  }
  return hidden;
}
