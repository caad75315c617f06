/* Files: opens a trace, copies a link to the step, and holds the "Export" menu. */

import { t } from "../page/i18n.js";
import { createMenu } from "../take/menu.js";
import { copyLink, exportsOf } from "../take/exports.js";
import { fileButton, fileOpener, filesOf, fillFiles } from "./disk.js";

/** @import { Frame, Part, TraceFiles } from "./types.js" */

/** @param {TraceFiles["player"]} player @returns {Part} */
export function createFiles(player) {
  /** @type {TraceFiles} */
  const files = { ...filesOf(player), trace: null, cursor: 0, beat: 0 };
  const link = fileButton(files, t("player.copy-link"), t("player.copy-link-title"), () => copyLink(files));
  const menu = createMenu(files, exportsOf(files));
  fillFiles(files, fileOpener(files, "trace"), [link, menu.opener]);
  files.element.append(menu.panel);
  const needTrace = [link, ...menu.buttons];
  return {
    element: files.element,
    /** @param {Frame} frame */
    paint({ trace, cursor, beat, step }) {
      Object.assign(files, { trace, cursor, beat });
      for (const each of needTrace) each.disabled = step === null;
    },
  };
}
