/* A page with a player, `window.player`, that asks for missing steps and gets `window.replies`. */

import { createPlayer } from "../../../assets/player/player.js";

const start = document.body.cloneNode(true);
for (const script of start.querySelectorAll("script")) script.remove();

/* A visit: a player, and a page around it, that know nothing of an earlier one. */
window.visit = () => {
  document.querySelector("[data-logitspec-player]").remove(); // its cues end with it
  document.body.replaceChildren(...start.cloneNode(true).childNodes);
  for (const name of ["class", "style"]) document.body.removeAttribute(name);
  document.documentElement.dataset.theme = "light";
  scrollTo(0, 0);
  const asked = (window.asked = []);
  const replies = (window.replies = []);
  const repair = async (run, from) => {
    asked.push([run, from]);
    return replies.shift() || null;
  };
  window.player = createPlayer(document.querySelector("[data-logitspec-player]"), { repair });
};
window.visit();
