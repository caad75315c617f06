/* From token bytes to text on the page: whole characters as they are, incomplete ones as hex. */

import { el } from "./dom.js";

/** @import { Segment, Spelling } from "./types.js" */

const MAX_LETTERS = 48; // of a token, or bytes of it

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TO_UTF8 = new TextEncoder();

// Control characters except tab and newline, marks that change the direction of text, and characters without a
// shape; joiners stay, because emoji contain them.
export const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]/;
// Also those that do not break, and those as wide as a letter of Chinese.
const SPACE = /[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/;
const SPLIT = new RegExp("(" + HIDDEN.source + "|\\n)");
const SPLIT_CHIP = new RegExp("(" + HIDDEN.source + "|\\n|\\t|" + SPACE.source + ")");

/**
 * The bytes of a vocabulary entry: a string, or {hex} where the token alone is not UTF-8.
 * @param {Spelling} entry
 */
export function bytesOf(entry) {
  if (typeof entry === "string") return TO_UTF8.encode(entry);
  const pairs = entry.hex.match(/../g) || [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
function strictText(bytes) {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The length in bytes of a character that begins with `lead`; 0 when none does.
 * @param {number} lead
 */
function characterLength(lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/** @param {number} byte */
const isContinuation = (byte) => byte >= 0x80 && byte <= 0xbf;

/**
 * The bytes at the end that begin a character; an empty array for none.
 * @param {Uint8Array} bytes
 */
export function tornTail(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back];
    if (isContinuation(byte)) continue;
    return characterLength(byte) > back ? bytes.slice(bytes.length - back) : new Uint8Array();
  }
  return new Uint8Array();
}

/**
 * Whether a token with these bytes continues the character that `tail` begins.
 * @param {Uint8Array} tail
 * @param {Uint8Array} bytes
 */
export function continues(tail, bytes) {
  return tail.length > 0 && bytes.length > 0 && isContinuation(bytes[0]);
}

/** @param {Uint8Array} left @param {Uint8Array} right */
export function joined(left, right) {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/**
 * What to show for each token of a group: a character belongs to the token that it begins in, and
 * bytes that make no character (yet) stay with their token as hex.
 * @param {Uint8Array[]} group bytes of consecutive tokens
 * @returns {Segment[][]} segments per token
 */
export function spell(group) {
  if (group.length === 1) {
    const whole = strictText(group[0]);
    if (whole !== null) return [whole ? [{ text: whole }] : []];
  }
  const bytes = group.reduce(joined, new Uint8Array());
  const owner = group.flatMap((part, token) => Array.from(part, () => token));
  const spelt = group.map(() => /** @type {Segment[]} */ ([]));
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes[at]);
    const text = length ? strictText(bytes.slice(at, at + length)) : null;
    if (text === null) addSegment(spelt[owner[at]], "hex", bytes[at].toString(16).padStart(2, "0"));
    else addSegment(spelt[owner[at]], "text", text);
    at += text === null ? 1 : length;
  }
  return spelt;
}

/** @param {Segment[]} segments @param {"text" | "hex"} kind @param {string} piece */
function addSegment(segments, kind, piece) {
  const last = segments[segments.length - 1];
  if (last && last[kind] !== undefined) last[kind] += (kind === "hex" ? " " : "") + piece;
  else segments.push({ [kind]: piece });
}

/**
 * The part of a token that its chip or a sentence shows: no real one is longer, and each letter may cost an element.
 * @param {Segment[]} segments
 * @returns {Segment[]}
 */
export function shortened(segments) {
  let room = MAX_LETTERS;
  if (segments.reduce((sum, { text = "", hex = "" }) => sum + text.length + hex.length, 0) <= room) return segments;
  const short = [];
  for (const { text, hex = "" } of segments) {
    const letters = text === undefined ? hex.split(" ", room) : [...text.slice(0, 2 * room)].slice(0, room);
    short.push(text === undefined ? { hex: letters.join(" ") } : { text: letters.join("") });
    room -= letters.length;
    if (room === 0) return [...short, { text: "…" }];
  }
  return short;
}

/** @param {string} character */
const codePoint = (character) => "⟨" + character.charCodeAt(0).toString(16).padStart(4, "0") + "⟩";

/**
 * Segments as one plain string, controls made visible: for labels and sentences.
 * @param {Segment[]} segments
 */
export function plainText(segments) {
  /** @param {Segment} segment */
  const visible = ({ text, hex }) =>
    text === undefined
      ? "⟨" + hex + "⟩"
      : text.split(SPLIT).map((piece) => (HIDDEN.test(piece) ? codePoint(piece) : piece)).join("");
  return segments.map(visible).join("");
}

/**
 * The same on one line, for drawings; `spaces`: whether spaces have a sign, too.
 * @param {Segment[]} segments
 * @param {boolean} [spaces]
 */
export function drawnText(segments, spaces = true) {
  const text = plainText(segments).replaceAll("\n", "↵").replaceAll("\t", "⇥");
  return spaces ? text.replace(new RegExp(SPACE, "g"), "·") : text;
}

/**
 * Puts segments into `target`, replacing what it held. `chip`: in a box of one line, where a newline
 * must not break and a space should be seen. `whitespace`: in running text, with marks over spaces and tabs.
 * @param {HTMLElement} target
 * @param {Segment[]} segments
 * @param {boolean} chip
 * @param {boolean} [whitespace]
 */
export function fillToken(target, segments, chip, whitespace = false) {
  const pieces = (chip ? shortened(segments) : segments).flatMap((segment) => segmentNodes(segment, chip, whitespace));
  target.replaceChildren(...mergedStrings(pieces));
}

/**
 * Joins neighbouring strings, since each becomes a node of the page.
 * @param {(string | Node)[]} pieces
 */
function mergedStrings(pieces) {
  const merged = [];
  for (const piece of pieces) {
    const last = merged.length - 1;
    if (typeof piece === "string" && typeof merged[last] === "string") merged[last] += piece;
    else merged.push(piece);
  }
  return merged;
}

/** @param {Segment} segment @param {boolean} chip @param {boolean} whitespace */
function segmentNodes({ text, hex }, chip, whitespace) {
  if (text === undefined) return [el("span", { class: "ls-bytes" }, "⟨" + hex + "⟩")];
  return text
    .split(chip || whitespace ? SPLIT_CHIP : SPLIT)
    .filter((piece) => piece !== "")
    .flatMap((piece) => pieceNodes(piece, chip, whitespace));
}

/** @param {string} piece @param {boolean} chip @param {boolean} whitespace */
function pieceNodes(piece, chip, whitespace) {
  if (piece === "\n") return [el("i", { class: "ls-newline" }), ...(chip ? [] : ["\n"])];
  if (HIDDEN.test(piece)) return [el("span", { class: "ls-control" }, codePoint(piece))];
  if ((chip || whitespace) && piece === "\t") return [el("i", { class: "ls-tab" }), ...(chip ? [] : ["\t"])];
  if ((chip || whitespace) && piece.length === 1 && SPACE.test(piece)) return [el("span", { class: "ls-space" }, piece)];
  return [piece];
}
