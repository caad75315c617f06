/* A page with a race, `window.race`, that asks for missing steps and gets `window.replies`. */

import { createRaceView } from "../../../assets/compare/compare.js";

window.asked = [];
window.replies = [];
window.opened = [];
const repair = async (name, from) => {
  window.asked.push([name, from]);
  return window.replies.shift() || null;
};
const onLane = (trace) => window.opened.push(trace);
window.race = createRaceView(document.querySelector("[data-logitspec-race]"), { repair, onLane });
