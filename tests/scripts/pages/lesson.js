/* A page with nothing but the lesson; its runs are in the page, and what it stores is in `window.kept`. */

import lesson from "../../../assets/learn/lesson.json" with { type: "json" };
import { createLesson } from "../../../assets/learn/lesson.js";
import { announceOutcome } from "../../../assets/page/outcome.js";

const runs = JSON.parse(document.getElementById("runs").textContent);
const empty = document.querySelector("[data-logitspec-lesson]").cloneNode(true);
window.kept ||= {};
const store = {
  getItem: (name) => window.kept[name] ?? null,
  setItem: (name, text) => {
    if (window.full) throw new DOMException("full", "QuotaExceededError");
    window.kept[name] = text;
  },
  removeItem: (name) => void delete window.kept[name],
};

/* A visit: a new element, which knows only what an earlier one has stored. */
window.visit = () => {
  const element = empty.cloneNode(true);
  document.querySelector("[data-logitspec-lesson]").replaceWith(element);
  window.opened = [];
  window.lesson = createLesson(element, {
    lesson,
    fetchRun: async (name) => {
      await window.pause;
      return runs[name] || null;
    },
    link: (station, cue) => `#lesson=${station}&cue=${cue}`,
    open: (where) => window.opened.push(where),
    random: () => window.chance || 0,
    store,
    tab: store,
  });
};
window.visit();

/* A race that ends in another tab of the page, with two and a half tokens a pass. */
window.raceOver = () => {
  const lane = { title: "Drafts", plain: false, tokens: 50, passes: 20, seconds: 1 };
  announceOutcome("race", { lanes: [{ ...lane, title: "Plain", plain: true, passes: 50 }, lane] });
};
