/* The cues of "Why it works": its visible headings, from top to bottom. */

import { announceCue, register } from "../page/cues.js";

/** @import { Cue } from "../player/types.js" */

const SECONDS = 60;

/** @type {HTMLElement | null} */
let registered = null;

/** Registers the tab's content once it is there, and again when Gradio has rebuilt it. */
export function registerWhy() {
  const some = document.querySelector(".why");
  /** @type {HTMLElement | null} */
  const root = some && some.closest("[role=tabpanel]");
  if (!root || root === registered) return;
  registered = root;
  let at = 0;
  const headings = () => {
    /** @type {NodeListOf<HTMLElement>} */
    const all = root.querySelectorAll(".why :is(h2, h3)");
    return [...all].filter((each) => each.getClientRects().length > 0);
  };
  register(root, {
    name: "why",
    length: () => headings().length,
    at: () => Math.min(at, headings().length - 1),
    go(index) {
      at = index;
      headings()[index]?.scrollIntoView({ block: "start" });
      announceCue(root);
    },
    describe: (index) => describe(headings()[index]),
  });
}

/** @param {HTMLElement | undefined} heading @returns {Cue} */
function describe(heading) {
  const title = heading?.textContent?.trim() || "";
  const notes = heading?.nextElementSibling?.matches("p") ? heading.nextElementSibling.textContent || "" : "";
  return { title, kind: "sentence", notes, answer: "", seconds: SECONDS };
}
