/* Texts of a lesson: in the visitor's language, with the values of figures in their places. */

/** @import { Figure, Piece, Text, Value } from "./types.js" */

const PLACEHOLDER = /(\{[^{}]*\})/;

/**
 * The text in a language, else in a related one, else in English, else in the first that it has.
 * @param {Text} text
 * @param {string} language such as "de-AT"
 */
export function inLanguage(text, language) {
  if (typeof text === "string") return text;
  const own = language.split("-")[0];
  const names = Object.keys(text);
  const near = names.find((name) => name.split("-")[0] === own);
  return text[[language, own, near || "", "en", names[0]].find((name) => Object.hasOwn(text, name)) || ""] || "";
}

/**
 * A text as pieces, none of which is markup.
 * @param {string} text
 * @param {(name: string) => Value} valueOf gives a figure's value
 * @param {(name: string) => string} write gives it in words
 * @returns {Piece[]}
 */
export function piecesOf(text, valueOf, write) {
  return text.split(PLACEHOLDER).filter(Boolean).map((part) => {
    const name = PLACEHOLDER.test(part) ? part.slice(1, -1) : null;
    if (name === null) return { text: part, token: false };
    return { text: write(name), token: typeof valueOf(name) === "string" };
  });
}

/**
 * Decimal places of a figure: those that it sets, else the usual ones of its kind.
 * @param {Figure} figure
 */
export function digitsOf({ digits, of = "value" }) {
  if (digits !== undefined) return digits;
  if (of === "tokens_per_pass" || of === "speed_up" || of === "ratio") return 2;
  return of === "value" || of.endsWith("_ms") ? 1 : 0;
}

/**
 * A value as text: numbers as the language writes them, tokens without the spaces around them.
 * @param {Value} value
 * @param {Figure} figure
 * @param {(value: number, options: Intl.NumberFormatOptions) => string} number
 */
export function formatValue(value, figure, number) {
  if (typeof value === "string") return value.trim() || value;
  const digits = digitsOf(figure);
  return number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
