/* The buttons below a lesson: open another or the page's own, copy a link, save the lesson as a page, start over. */

import { t } from "../page/i18n.js";
import { copyText, download, fileButton, fileOpener, filesOf, fillFiles, say } from "../player/disk.js";
import { beginOwn, open } from "./open.js";
import { cueAt, numberAt } from "./places.js";
import { startOver } from "./visit.js";

/** @import { LessonFiles, Visit } from "./types.js" */

/** @param {Visit} visit @returns {LessonFiles} */
export function createFiles(visit) {
  const { element, options, view } = visit;
  const files = { ...filesOf({ element, open: (text) => void open(visit, text) }), element: view.files };
  const own = fileButton(files, t("learn.builtin"), t("learn.builtin_title"), () => beginOwn(visit));
  const link = fileButton(files, t("learn.copy_link"), t("learn.copy_link_title"), () => copyLink(visit));
  const again = fileButton(files, t("learn.start_over"), t("learn.start_over_title"), () => startOver(visit));
  const save = fileButton(files, t("learn.save"), t("learn.save_title"), () => savePage(visit));
  save.hidden = !options.page;
  save.disabled = true;
  fillFiles(files, fileOpener(files, "lesson"), [own, link, save, again]);
  return Object.assign(files, { own, link, save });
}

/** @param {Visit} visit */
async function copyLink({ talk, options, files }) {
  if (!talk || !options.link) return;
  const address = options.link(numberAt(talk.at), cueAt(talk.at));
  const copied = await copyText(files.element, address);
  say(files, copied ? t("learn.copied") : address);
}

/**
 * Saves the lesson as a page that opens here; gives the focus back to the button, which loses it when disabled.
 * @param {Visit} visit
 */
async function savePage(visit) {
  const { talk, options, files: { save } } = visit;
  if (!talk || !options.page || visit.saving) return;
  const hadFocus = document.activeElement === save;
  visit.saving = save.disabled = true;
  try {
    const page = await options.page(numberAt(talk.at), cueAt(talk.at));
    download("logitspec-lesson.html", page, "text/html");
  } finally {
    visit.saving = save.disabled = false;
    if (hadFocus && document.activeElement === document.body) save.focus({ preventScroll: true });
  }
}
