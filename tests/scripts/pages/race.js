/* A page with a race, `window.race`, that asks for missing steps and gets `window.replies`. */

import { createRaceView } from "../../../assets/compare/compare.js";

const start = document.body.cloneNode(true);
for (const script of start.querySelectorAll("script")) script.remove();

/* A visit: a race, and a page around it, that know nothing of an earlier one. */
window.visit = () => {
  document.querySelector("[data-logitspec-race]").remove(); // its cues end with it
  document.body.replaceChildren(...start.cloneNode(true).childNodes);
  for (const name of ["class", "style"]) document.body.removeAttribute(name);
  delete document.documentElement.dataset.theme;
  scrollTo(0, 0);
  const asked = (window.asked = []);
  const opened = (window.opened = []);
  window.replies = [];
  const repair = async (name, from) => {
    asked.push([name, from]);
    return window.replies.shift() || null;
  };
  const onLane = (trace) => opened.push(trace);
  window.race = createRaceView(document.querySelector("[data-logitspec-race]"), { repair, onLane });
};
window.visit();
