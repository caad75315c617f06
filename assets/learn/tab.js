/* The lesson as a component of Gradio, and the addresses that lead into it: ?lesson=7&cue=2. */

import { language, t } from "../page/i18n.js";
import { takeLink } from "../page/links.js";
import { addView } from "../page/page.js";
import { unpacked } from "../player/unpack.js";
import { storage } from "../present/storage.js";
import { addressOf, startIn } from "./address.js";
import lesson from "./lesson.json" with { type: "json" };
import { createLesson } from "./lesson.js";

/** @import { Gradio } from "../player/types.js" */

/**
 * The lesson as a standalone page.
 * @param {number} station
 * @param {number} cue
 * @throws {Error} with one sentence when the app does not answer
 */
async function savedPage(station, cue) {
  // Next to the page's own files, whatever path a proxy puts in front of them.
  const address = new URL("../../lesson", import.meta.url);
  address.search = String(new URLSearchParams({ station: String(station), cue: String(cue), language }));
  const reply = await fetch(address).catch(() => null);
  if (!reply || !reply.ok) throw new Error(t("player.page-unreachable"));
  return reply.text();
}

/** @param {Gradio} gradio @param {HTMLElement} root */
function mountLesson({ server, trigger }, root) {
  const { fetch_steps: ask } = server || {};
  createLesson(root, {
    lesson: /** @type {any} */ (lesson),
    fetchRun: async (run) => (ask ? unpacked((await ask({ run, from: 0 })) || "") : null),
    open: (where) => trigger("open_tab", { tab: where }),
    link: (station, cue) => addressOf(location.href, station, cue),
    page: savedPage,
    start: takeLink("lesson") ? startIn(location.search) : null,
    store: storage("localStorage"),
    tab: storage("sessionStorage"),
  });
}

addView("[data-logitspec-lesson]", mountLesson);
