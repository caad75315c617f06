/* The line that a view shows while its run waits for its turn. */

import { t } from "../page/i18n.js";
import { el } from "./dom.js";

/**
 * @param {(() => void) | null} [giveUp] ends the waiting; without it there is no button
 */
export function createWaiting(giveUp) {
  const outlook = el("span");
  const waiting = el("div", { class: "ls-waiting", role: "status", hidden: true }, outlook);
  if (giveUp) {
    const button = el("button", { type: "button", class: "ls-button" }, t("player.give-up"));
    button.addEventListener("click", giveUp);
    waiting.append(button);
  }
  return { waiting, outlook };
}
