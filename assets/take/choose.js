/* Reading a choice of steps, such as "4" or "4-7, 9"; also as a Chinese keyboard writes it, with wide letters. */

import { t } from "../page/i18n.js";

/**
 * The numbers of steps, each once, in their order.
 * @param {string} words
 * @param {number} count of the run's steps
 * @returns {number[]}
 * @throws {Error} with one sentence when they are not such a choice, or there is no such step
 */
export function parseSteps(words, count) {
  const chosen = new Set();
  const narrow = words.normalize("NFKC").replace(/\s*[-–—~]\s*/g, "-");
  for (const part of narrow.split(/[,、;\s]+/).filter(Boolean)) {
    const match = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part);
    if (!match) throw new Error(t("export.write-steps", { part }));
    const [from, to = from] = match.slice(1).filter(Boolean).map(Number);
    if (from < 1 || to > count || from > to) throw new Error(t("export.steps-there", { n: count, part }));
    for (let number = from; number <= to; number += 1) chosen.add(number);
  }
  if (!chosen.size) throw new Error(t("export.no-steps"));
  return [...chosen].sort((a, b) => a - b);
}
