/* A page with a player, `window.player`, that asks for missing steps and gets `window.replies`. */

import { createPlayer } from "../../../assets/player/player.js";

window.asked = [];
window.replies = [];
const repair = async (run, from) => {
  window.asked.push([run, from]);
  return window.replies.shift() || null;
};
window.player = createPlayer(document.querySelector("[data-logitspec-player]"), { repair });
