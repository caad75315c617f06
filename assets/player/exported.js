/* The exported page: one file that plays one run and fetches nothing. `logitspec/publish/export.py` writes the
   same from the same outline, `document.json`. */

import { language, t } from "../page/i18n.js";
import { escapeText } from "../take/svg.js";
import { LAST_BEAT } from "./beats.js";
import page from "./document.json" with { type: "json" };

/** @import { StepPlace, Trace } from "./types.js" */

const TITLE_LETTERS = 60;
const MAX_READ = 4096; // letters of a prompt, for a title

/** Whether this page has the parts of an exported page: it is one, or the app gives them to it. */
export function canExport() {
  return document.getElementById("logitspec-scripts") !== null || isServed();
}

/** Whether this page is the app's, with its routes next to this script. */
export const isServed = () => document.getElementById("logitspec-page") !== null;

/**
 * Script and style of an exported page: such a page passes on its own, the app's page fetches them from the app.
 * @returns {Promise<{scripts: string, style: string}>}
 * @throws {Error} with one sentence when the app does not answer
 */
export async function pageParts() {
  const scripts = document.getElementById("logitspec-scripts");
  const look = document.getElementById("logitspec-style");
  if (scripts && look) return { scripts: scripts.textContent, style: look.textContent };
  const [all, style] = await Promise.all([`scripts-${language}.js`, "style.css"].map(exportFile));
  return { scripts: all, style };
}

/** @param {string} name */
async function exportFile(name) {
  const reply = await fetch(new URL("../export/" + name, import.meta.url)).catch(() => null);
  if (!reply || !reply.ok) throw new Error(t("player.page-unreachable"));
  return reply.text();
}

/**
 * A whole document that plays a run.
 * @param {object} parts
 * @param {string} parts.trace the run as JSON
 * @param {string} parts.title
 * @param {string} parts.scripts see `pageParts`
 * @param {string} parts.style
 * @param {string} parts.nonce unpredictable letters and digits: only what carries them runs
 * @param {StepPlace} parts.place where it opens
 * @returns {string}
 */
export function exportedPage({ trace, title, scripts, style, nonce, place }) {
  const { player } = page;
  /** @type {Record<string, string>} */
  const texts = {
    player, title: escapeText(title), scripts, style, nonce, trace: trace.replace(/</g, "\\u003c"),
    step: String(place.step), beat: String(place.beat),
  };
  return page.lines.join("\n").replace(/\{(\w+)\}/g, (_, name) => texts[name]);
}

/**
 * What to call a run: its recorded title, or the beginning of its prompt, on one line.
 * @param {Pick<Trace, "header">} trace
 */
export function runTitle({ header }) {
  const words = (header.recorded || header.prompt || t("player.a-run")).slice(0, MAX_READ).replace(/[\s\p{C}]+/gu, " ").trim();
  const letters = [...words];
  const isLong = letters.length > TITLE_LETTERS;
  return "LogitSpec: " + (isLong ? letters.slice(0, TITLE_LETTERS - 1).join("") + "…" : words);
}

/**
 * The place that an address like `run.html#step=12&beat=3` asks for; step 0 for none.
 * @param {string} address
 * @returns {StepPlace}
 */
export function placeInAddress(address) {
  const step = /#(?:.*&)?step=(\d{1,7})(?:&|$)/.exec(address);
  const beat = /#(?:.*&)?beat=([1-5])(?:&|$)/.exec(address);
  return { step: step ? Number(step[1]) : 0, beat: beat ? Number(beat[1]) : LAST_BEAT };
}
