/* Opens the tab that the address leads to, or else, after a reload, the last one: the page follows a race only while
   its tab is open. */

import { whenThere } from "./when_there.js";

const STORE = "logitspec.tab";
const LESSON_LINKED = "logitspec.lesson.linked"; // kept by learn/tab.js

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

/** The tab that the address leads to; null for none. A link to a run opens "watch"; one to a cue works only once. */
function linkedTab() {
  const query = new URLSearchParams(location.search);
  if (query.has("run")) return "watch";
  const isFresh = sessionStorage.getItem(LESSON_LINKED) !== location.search;
  return query.has("lesson") && isFresh ? "learn" : null;
}
