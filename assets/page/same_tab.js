/* Opens the tab that the address leads to, or else, after a reload, the last one: the page follows a race only while
   its tab is open. */

import { keep, recall } from "../present/storage.js";
import { isFresh } from "./links.js";
import { whenThere } from "./when_there.js";

const STORE = "logitspec.tab";

/** @param {HTMLElement} tab */
const name = (tab) => tab.dataset.tabId || "";

/** The visible tabs: Gradio measures them with a hidden copy. */
function tabs() {
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll("[role=tab]");
  return [...all].filter((tab) => !tab.closest("[aria-hidden=true]"));
}

export async function reopenTab() {
  const wanted = linkedTab() || recall(STORE);
  addEventListener("pagehide", () => {
    const open = tabs().find((tab) => tab.ariaSelected === "true");
    if (open) keep(STORE, name(open));
  });
  if (!wanted) return;
  const tab = await whenThere(() => tabs().find((each) => name(each) === wanted));
  tab.click();
}

/** The tab that the address leads to; null for none. */
function linkedTab() {
  if (isFresh("run")) return "watch";
  return isFresh("lesson") ? "learn" : null;
}
