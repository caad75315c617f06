/* Presenting and following in the app, whose server supports lectures. */

import { t } from "../page/i18n.js";
import { whenThere } from "../page/when_there.js";
import { el } from "../player/dom.js";
import { followLecture } from "./guest.js";
import { createHall } from "./hall.js";
import { createPresenter } from "./present.js";
import { openView } from "./views.js";

/** Adds the button that begins a presentation, and resumes what was presented or followed before a reload. */
export async function offerPresenting() {
  const presenter = createPresenter(createHall(address));
  followLecture(address, openView);
  const intro = await whenThere(() => document.getElementById("intro"));
  const button = el("button", { type: "button", class: "lp-begin", "data-logitspec-present": "" }, t("present.begin"));
  button.addEventListener("click", () => presenter.start());
  intro.append(button);
}

/**
 * Next to the page's own files, whatever path a proxy puts in front of them.
 * @param {string} path
 */
function address(path) {
  const script = /** @type {HTMLScriptElement} */ (document.getElementById("logitspec-page"));
  return new URL("../../follow" + (path && "/") + path, script.src);
}
