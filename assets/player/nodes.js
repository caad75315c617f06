/* One node of the draft tree as an element: the chip with its token, and below it the target's choice. */

import { el } from "./dom.js";
import { HIDDEN, fillToken, plainText, shortened } from "./spelling.js";
import { spellToken, verdictOf } from "./trace.js";
import { nodeSentence } from "./words.js";

/** @import { Segment, Step, Trace } from "./types.js" */

const LETTER = 0.605; // the width of a letter in a monospaced font, in letter heights
const MAX_CHIP = 11;
const MAX_CHOICE = 5.8;
const CHOICE_SIZE = 0.9;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3ffff}]|\p{Extended_Pictographic}/u;
const NO_WIDTH = /\p{M}|\u200c|\u200d/u;

/**
 * About how many letters of a monospaced font the segments of a token take when shown in a chip.
 * @param {Segment[]} segments
 */
export function letterCount(segments) {
  let letters = 0;
  for (const { text, hex } of shortened(segments)) {
    letters += text === undefined ? (hex || "").length + 2.6 : lettersIn(text);
  }
  return letters;
}

/**
 * The same for a text that is shown whole.
 * @param {string} text
 */
export const lettersIn = (text) => [...text].reduce((letters, character) => letters + lettersOf(character), 0);

/** @param {string} character */
function lettersOf(character) {
  if (character === "\n" || character === "\t") return 1.4;
  if (HIDDEN.test(character)) return 6.6;
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/**
 * How wide each node of a step is, in letter heights: its chip, and the slot that it needs with the line
 * under it.
 * @param {Trace} trace
 * @param {Step} step
 * @param {boolean} [plain] without ranks and without the spaces before words, as in a scene
 * @returns {Array<{chip: number, slot: number}>}
 */
export function nodeWidths(trace, step, plain = false) {
  const lettersOfToken = (/** @type {number} */ id) =>
    letterCount(spellToken(trace, id)) - (plain && spaceBefore(trace, id) ? 1 : 0);
  return step.row.tokens.map((token, node) => {
    const chip = chipWidth(step, node, lettersOfToken(token), plain);
    const letters = lettersOfToken(step.row.choices[node]) + (verdictOf(step, node) ? 4 : 2);
    const choice = Math.min(MAX_CHOICE, letters * LETTER * CHOICE_SIZE);
    return { chip, slot: Math.max(chip, choice) };
  });
}

/** @param {Trace} trace @param {number} id */
const spaceBefore = (trace, id) => /^ \S/.test(plainText(spellToken(trace, id)));

/** @param {Step} step @param {number} node @param {number} letters @param {boolean} plain */
function chipWidth(step, node, letters, plain) {
  const { origin, rank } = step.origins[node];
  const badge = origin === "logit" && !plain ? 0.45 + 0.52 * String(rank).length : 0;
  const sides = origin === "root" ? 1.8 : 1.42;
  const text = Math.max(1, letters) * LETTER;
  return Math.min(MAX_CHIP, Math.round((sides + badge + text) * 100) / 100);
}

/**
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 * @param {string} [style] its position
 */
export function nodeElement(trace, step, node, style) {
  const { origin, rank } = step.origins[node];
  const state = step.states[node];
  const badge = origin === "logit" ? el("span", { class: "ls-rank" }, String(rank)) : null;
  const attributes = {
    class: "ls-node",
    role: "treeitem",
    tabindex: node === 0 ? "0" : "-1",
    "aria-label": nodeSentence(trace, step, node),
    "aria-level": step.depths[node] + 1,
    "data-node": node,
    "data-parent": node === 0 ? null : step.row.parents[node],
    "data-origin": origin,
    "data-state": state,
    style,
  };
  return el(
    "div",
    attributes,
    badge,
    tokenElement("ls-node-text", trace, step.row.tokens[node]),
    choiceElement(trace, step, node),
  );
}

/** @param {string} name @param {Trace} trace @param {number} token */
export function tokenElement(name, trace, token) {
  const text = el("span", { class: name });
  fillToken(text, spellToken(trace, token), true);
  return text;
}

/**
 * What the target wants after a node, and whether that was drafted. Its text is in the node's label too.
 * @param {Trace} trace
 * @param {Step} step
 * @param {number} node
 */
function choiceElement(trace, step, node) {
  const text = tokenElement("ls-choice-text", trace, step.row.choices[node]);
  const sign = verdictOf(step, node);
  const verdict = sign ? el("span", { class: "ls-verdict" }, sign) : null;
  return el("span", { class: "ls-choice", "aria-hidden": "true", "data-verdict": sign || null }, "→", text, verdict);
}
