/* Reopens the last tab after a reload: the page follows a race only while its tab is open. */

import { whenThere } from "./when_there.js";

const STORE = "logitspec.tab";

/** @param {HTMLElement} tab */
const title = (tab) => (tab.textContent || "").trim();

/** Gradio measures the tabs with a hidden copy of them. */
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
      if (open) sessionStorage.setItem(STORE, title(open));
    });
    // A link leads to a run, which is under the first tab.
    if (!last || new URLSearchParams(location.search).has("run")) return;
    const tab = await whenThere(() => tabs().find((each) => title(each) === last));
    tab.click();
  } catch {
    return; // storage may be forbidden
  }
}
