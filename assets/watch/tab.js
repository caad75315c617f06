/* The tab "Watch": says of the button that unfolds the settings that they are folded, leads past them, and lets the
   prompt shrink only between clicks. */

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

// Left by a press, the prompt would shrink and move what is pressed from under the pointer, which then gets no click.
const prompt = await whenThere(() => document.getElementById("prompt"));
addEventListener("mousedown", () => prompt.toggleAttribute("data-held", prompt.contains(document.activeElement)), true);
addEventListener("mouseup", () => prompt.removeAttribute("data-held"), true);
