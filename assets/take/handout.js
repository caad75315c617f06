/* A handout to print: one page per step, with its picture, which also describes itself in words, and room for notes. */

import { LAST_BEAT } from "../player/beats.js";
import { stillPicture } from "./picture.js";
import { SANS } from "./fonts.js";
import { escapeText } from "./svg.js";
import { language, t } from "../page/i18n.js";

/** @import { Trace } from "../player/types.js" */

const LINES = 4; // to write on

const STYLE = `
  @page { size: A4 landscape; margin: 12mm; }
  :root { color-scheme: light; }
  body { margin: 0 auto; max-width: 273mm; color: #000; background: #fff; font: 12pt/1.4 ${SANS}; }
  header { margin: 12mm 0 0; color: #333; }
  section { break-after: page; break-inside: avoid; margin-bottom: 12mm; }
  section:last-of-type { break-after: auto; }
  figure { margin: 0; border: 1px solid #999; }
  svg { display: block; width: 100%; height: auto; max-height: 118mm; }
  .notes { min-height: 7mm; margin: 3mm 0 0; white-space: pre-wrap; }
  .notes:empty::before { color: #666; content: attr(data-hint); }
  .line { height: 8mm; border-bottom: 1px solid #777; }
  @media print { header { margin-top: 0; } section { margin: 0; } .notes:empty::before { content: ""; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/**
 * The handout as an HTML document without scripts; notes can be typed into it before it is printed.
 * @param {Trace} trace
 * @param {number[]} numbers of the steps
 * @param {object} about
 * @param {string} about.title
 * @param {Record<string, string>} [about.notes] by step
 * @param {number} [about.beat]
 */
export function handout(trace, numbers, { title, notes = {}, beat = LAST_BEAT }) {
  const pages = numbers.map((number) => handoutPage(trace, number, beat, notes[number]));
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  return [
    "<!doctype html>",
    `<html lang="${language}">`,
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<header>${escapeText(title)}</header>`,
    ...pages,
    "</html>",
    "",
  ].join("\n");
}

/** @param {Trace} trace @param {number} number @param {number} beat @param {string} [notes] */
function handoutPage(trace, number, beat, notes = "") {
  const lines = '<div class="line"></div>'.repeat(LINES);
  return (
    `<section data-step="${number}"><figure>${stillPicture(trace, number, beat)}</figure>` +
    `<p class="notes" contenteditable="plaintext-only" data-hint="${escapeText(t("export.notes"))}">${escapeText(notes)}</p>${lines}</section>`
  );
}

/**
 * Opens a handout in a tab of its own, where notes can be typed into it, and the browser's print dialog.
 * @param {string} text
 * @returns {boolean} false where the browser opens no tab
 */
export function printPages(text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  const tab = window.open(address);
  if (!tab) return false;
  tab.addEventListener("load", () => {
    URL.revokeObjectURL(address);
    tab.print();
  });
  return true;
}
