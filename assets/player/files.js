/* Files: opens a trace; saves the run as a trace or as a page that plays it, and the step as a picture;
   copies a link to the step. */

import { t } from "../page/i18n.js";
import { download, fileButton, fileOpener, filesOf, fillFiles, plainName, say } from "./disk.js";
import { el } from "./dom.js";
import { canExport, exportedPage, pageParts, runTitle } from "./exported.js";
import { stillPicture } from "./picture.js";
import { traceText } from "./trace.js";

/** @import { Frame, Part, Trace, TraceFiles } from "./types.js" */

/** @param {TraceFiles["player"]} player @returns {Part} */
export function createFiles(player) {
  /** @type {TraceFiles} */
  const files = { ...filesOf(player), trace: null, cursor: 0 };
  /** @type {(label: string, title: string, action: (files: TraceFiles, trace: Trace) => any) => HTMLButtonElement} */
  const button = (label, title, action) =>
    fileButton(files, label, title, () => files.trace && action(files, files.trace));
  const needTrace = [
    button(t("player.save-trace"), t("player.save-trace-title"), saveTrace),
    button(t("player.save-page"), t("player.save-page-title"), savePage),
    button(t("player.save-picture"), t("player.save-picture-title"), savePicture),
    button(t("player.copy-link"), t("player.copy-link-title"), copyLink),
  ];
  needTrace[1].hidden = !canExport();
  fillFiles(files, fileOpener(files, "trace"), needTrace);
  return {
    element: files.element,
    /** @param {Frame} frame */
    paint({ trace, cursor, step }) {
      Object.assign(files, { trace, cursor });
      for (const each of needTrace) each.disabled = step === null;
    },
  };
}

/**
 * A name for a file of the run.
 * @param {Pick<Trace, "header">} trace
 * @param {string} ending
 */
export const fileName = (trace, ending) => plainName(runTitle(trace)) + ending;

/** @param {TraceFiles} files @param {Trace} trace */
function saveTrace(files, trace) {
  const name = fileName(trace, ".json");
  download(name, traceText(trace), "application/json");
  say(files, t("player.saved", { name }));
}

/** @param {TraceFiles} files @param {Trace} trace */
async function savePage(files, trace) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const nonce = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const parts = { ...(await pageParts()), trace: traceText(trace), title: runTitle(trace), nonce };
  const name = fileName(trace, ".html");
  download(name, exportedPage(parts), "text/html");
  say(files, t("player.saved", { name }));
}

/** @param {TraceFiles} files @param {Trace} trace */
function savePicture(files, trace) {
  const { cursor } = files;
  const name = fileName(trace, `-step-${cursor}.svg`);
  download(name, stillPicture(trace, cursor), "image/svg+xml");
  say(files, t("player.saved", { name }));
}

/** @param {TraceFiles} files @param {Trace} trace */
async function copyLink(files, trace) {
  const { cursor } = files;
  const { link } = files.player.options;
  const address = link ? await link(trace.run, cursor) : location.href.replace(/#.*/, "") + "#step=" + cursor;
  if (!address) return say(files, t("player.no-address"));
  const copied = await copyText(files, address);
  say(files, copied ? t("player.link-copied", { step: cursor }) : address);
}

/**
 * Only secure pages may use the clipboard; `execCommand` works on any page, after a click.
 * @param {TraceFiles} files
 * @param {string} text
 */
async function copyText(files, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "ls-copying", readonly: true, "aria-hidden": "true" });
    area.value = text;
    files.element.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
