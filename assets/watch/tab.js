/* The tab "Watch": marks the button that unfolds the settings as folded, adds a link past them, and lets the prompt
   shrink only between clicks. */

import { t } from "../page/i18n.js";
import { whenThere } from "../page/when_there.js";

const button = await whenThere(() => document.getElementById("try"));
button.setAttribute("aria-expanded", "false");

const player = await whenThere(() => document.querySelector("[data-logitspec-player]"));
const skip = document.createElement("a");
skip.href = "#player";
skip.className = "watch-skip";
skip.textContent = t("watch.skip");
skip.addEventListener("click", (event) => {
  event.preventDefault();
  if (player instanceof HTMLElement) player.focus();
});
document.body.prepend(skip);

// When a press elsewhere takes its focus, the prompt would shrink and move the pressed element, which would get no click.
const prompt = await whenThere(() => document.getElementById("prompt"));
addEventListener("mousedown", () => prompt.toggleAttribute("data-held", prompt.contains(document.activeElement)), true);
addEventListener("mouseup", () => prompt.removeAttribute("data-held"), true);
