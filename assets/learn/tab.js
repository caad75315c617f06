/* The lesson as a component of Gradio, and the addresses that lead into it: ?lesson=7&cue=2. */

import { addView } from "../page/page.js";
import { unpacked } from "../player/unpack.js";
import { addressOf, startIn } from "./address.js";
import lesson from "./lesson.json" with { type: "json" };
import { createLesson } from "./lesson.js";

/** @import { Gradio } from "../player/types.js" */

const LINKED = "logitspec.lesson.linked";

/** The cue that the address asks for. Used once: after that, a reload returns to the visitor's own place. */
function linked() {
  const start = startIn(location.search);
  try {
    if (!start || sessionStorage.getItem(LINKED) === location.search) return null;
    sessionStorage.setItem(LINKED, location.search);
  } catch {
    return start; // storage may be forbidden
  }
  return start;
}

function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @param {Gradio} gradio @param {HTMLElement} root */
function mountLesson({ server, trigger }, root) {
  const { fetch_steps: ask } = server || {};
  createLesson(root, {
    lesson: /** @type {any} */ (lesson),
    fetchRun: async (run) => (ask ? unpacked((await ask({ run, from: 0 })) || "") : null),
    open: (where) => trigger("open_tab", { tab: where }),
    link: (station, cue) => addressOf(location.href, station, cue),
    start: linked(),
    store: storage(),
  });
}

addView("[data-logitspec-lesson]", mountLesson);
