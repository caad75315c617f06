/* Opens the tab that the address leads to, or else, after a reload, the last one: the page follows a race only while
   its tab is open. */

import { linkIn } from "./links.js";
import { whenThere } from "./when_there.js";

const STORE = "logitspec.tab";
const [LESSON_LINKED, RUN_LINKED] = ["logitspec.lesson.linked", "logitspec.player.linked"]; // kept by the views

/** @param {HTMLElement} tab */
const name = (tab) => tab.dataset.tabId || "";

/** The visible tabs: Gradio measures them with a hidden copy. */
function tabs() {
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll("[role=tab]");
  return [...all].filter((tab) => !tab.closest("[aria-hidden=true]"));
}

export async function reopenTab() {
  try {
    const last = sessionStorage.getItem(STORE);
    addEventListener("pagehide", () => {
      const open = tabs().find((tab) => tab.ariaSelected === "true");
      if (open) sessionStorage.setItem(STORE, name(open));
    });
    const wanted = linkedTab() || last;
    if (!wanted) return;
    const tab = await whenThere(() => tabs().find((each) => name(each) === wanted));
    tab.click();
  } catch {
    return; // storage may be forbidden
  }
}

/** The tab that the address leads to, which works only once; null for none. */
function linkedTab() {
  const query = new URLSearchParams(location.search);
  /** @param {string} kind @param {string} store */
  const isFresh = (kind, store) => query.has(kind) && sessionStorage.getItem(store) !== linkIn(location.search);
  if (isFresh("run", RUN_LINKED)) return "watch";
  return isFresh("lesson", LESSON_LINKED) ? "learn" : null;
}
