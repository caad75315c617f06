/* What Python writes in English, in the reader's language: found among the catalogue's English texts, with the values
   of their placeholders. */

import { catalogue } from "../words/catalogue.js";
import { DEFAULT, decimal, language, number, t } from "./i18n.js";

/** @import { Value } from "../player/types.js" */
/** @typedef {{ key: string, also: Record<string, Value> }} Entry also: what chose the plural form */
/** @typedef {Entry & { pieces: string[], places: { name: string, figure: RegExp | null }[], hasWords: boolean, hasLetters: boolean }} Form */

const PLACE = /\{(\w+)(?::([.%])(\d))?\}/g;
const OPTION = "watch.option-";
const NONE = "errors.nothing"; // Python's name for no value
const AS_WRITTEN = new Set(["name", "names", "file", "key", "id", "version"]); // values that are the same in all languages
const FIGURE = /^(-?[\d,]*\d)(?:\.(\d+))?(%?)$/;
const NAME = /^\S*[\p{L}\p{N}]$/u;
const WHOLE = /^-?[\d,]*\d$/;
const MAX_TEXT = 1000; // letters; nothing that Python writes is longer
const SENTENCE_ENDS = /\. (?=\p{Lu})/u;

/** @type {Map<string, Entry>} by English text */
const plain = new Map();
/** @type {Form[]} the most specific first, since a vague one may fit what another fits better */
const forms = [];

/**
 * An English text in the reader's language, sentence by sentence where the catalogue does not have it as a whole;
 * unchanged where the catalogue has no match.
 * @param {string} text
 * @returns {string}
 */
export function translated(text) {
  if (language === DEFAULT || text.length > MAX_TEXT) return text;
  const whole = found(text);
  if (whole !== undefined) return whole;
  const sentences = text.split(SENTENCE_ENDS);
  return sentences
    .map((each, at) => each + (at < sentences.length - 1 ? "." : ""))
    .map((each) => found(each) ?? each)
    .reduce((all, each) => all + (all.endsWith("。") ? "" : " ") + each);
}

/**
 * A number as Python writes it, with the language's separators; null for any other text.
 * @param {string} text
 * @returns {Value | null}
 */
export function figure(text) {
  const match = FIGURE.exec(text);
  if (!match) return null;
  const [, whole, decimals = "", sign] = match;
  const value = Number(whole.replaceAll(",", "") + "." + decimals);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return text; // a seed, no digit of which may change
  if (sign) return number(value / 100, { style: "percent", minimumFractionDigits: decimals.length });
  return decimals ? decimal(value, decimals.length) : value;
}

/** @param {string} text @returns {string | undefined} */
function found(text) {
  if (!forms.length) addTexts();
  const entry = plain.get(text);
  if (entry) return t(entry.key, entry.also);
  for (const form of forms) {
    const inside = inPlaces(form, text);
    const values = inside && valuesOf(form, inside);
    if (values) return t(form.key, { ...form.also, ...values });
  }
  return undefined;
}

/**
 * The parts of a text at a form's placeholders; null where it doesn't fit. A part ends where the next piece first begins.
 * @param {Form} form @param {string} text
 */
function inPlaces({ pieces }, text) {
  if (!text.startsWith(pieces[0])) return null;
  const last = pieces.length - 1;
  const inside = [];
  let from = pieces[0].length;
  for (let piece = 1; piece <= last; piece += 1) {
    const to = piece === last ? text.length - pieces[last].length : text.indexOf(pieces[piece], from + 1);
    if (to <= from) return null;
    inside.push(text.slice(from, to));
    from = to + pieces[piece].length;
  }
  return text.endsWith(pieces[last]) ? inside : null;
}

/**
 * The values of the placeholders, in the reader's language; null where the form can't be meant: for a number with other
 * decimals, more than a sentence, or, in a form with hardly any words, an unknown text.
 * @param {Form} form @param {string[]} inside
 */
function valuesOf({ places, hasWords, hasLetters }, inside) {
  const fits = inside.every((text, at) => (!places[at].figure || places[at].figure.test(text)) && !SENTENCE_ENDS.test(text));
  if (!fits || (!hasWords && !isKnown(inside, hasLetters))) return null;
  return Object.fromEntries(places.map(({ name }, at) => [name, AS_WRITTEN.has(name) ? inside[at] : translatedPart(inside[at])]));
}

/**
 * Whether all texts are the catalogue's, figures or names, and not all of them names. `onlyFigures`: whether all must be
 * figures, because a word such as "of" between other texts has several meanings.
 * @param {string[]} texts @param {boolean} onlyFigures
 */
function isKnown(texts, onlyFigures) {
  if (onlyFigures) return texts.every((text) => figure(text) !== null);
  const known = texts.map((text) => figure(text) !== null || plain.has(text));
  return known.includes(true) && texts.every((text, at) => known[at] || NAME.test(text));
}

/**
 * A part of a text, such as a lane's title: a number, a text or a list.
 * @param {string} text
 * @returns {Value}
 */
export function translatedPart(text) {
  return figure(text) ?? (language === DEFAULT ? text : allListed(text) ?? found(text) ?? listed(text));
}

/** A list of texts that are all the catalogue's, which might also fit one text with the rest of them in a placeholder. @param {string} text */
function allListed(text) {
  const items = text.split(", ").map(found);
  return items.length > 1 && items.every((item) => item !== undefined) ? items.join(t("player.comma")) : undefined;
}

/** @param {string} text a list; each item is a text, an option with its value, or a name followed by a number */
function listed(text) {
  return text.split(", ").map((item) => found(item) ?? optionWords(item) ?? counted(item)).join(t("player.comma"));
}

/** @param {string} item */
function counted(item) {
  const [, name, count] = /^(\p{L}[\p{L} ]*)( \d+)$/u.exec(item) || [item, item, ""];
  return (found(name) ?? name) + count;
}

/**
 * An option of a method with its value, as in a lane's title.
 * @param {string} item
 * @returns {string | undefined} undefined for any other text
 */
function optionWords(item) {
  for (const [key, label] of Object.entries(catalogue[DEFAULT])) {
    const name = key.startsWith(OPTION) ? `${String(label).toLowerCase()} ` : "";
    if (!name || !item.startsWith(name)) continue;
    const values = item.slice(name.length).split(" ").map((value) => figure(value) ?? found(value) ?? value);
    return [t(key), ...values.map((value) => (typeof value === "number" ? number(value) : value))].join(" ");
  }
  return undefined;
}

function addTexts() {
  for (const [key, text] of Object.entries(catalogue[DEFAULT])) {
    if (typeof text === "string") addText(key, text, {});
    else for (const [category, form] of Object.entries(text)) addText(key, form, { n: category === "one" ? 1 : 2 });
  }
  plain.set("None", { key: NONE, also: {} });
  forms.sort((one, other) => weight(other) - weight(one));
}

/**
 * How specific a form is, above all whether it fixes how a text begins: a placeholder there fits any beginning.
 * @param {Form} form
 */
const weight = ({ pieces, hasWords }) => pieces.join("").length + (hasWords && pieces[0] ? MAX_TEXT : 0);

/** @param {string} key @param {string} text @param {Record<string, Value>} also */
function addText(key, text, also) {
  const places = [...text.matchAll(PLACE)].map(([, name, kind, digits]) => ({ name, figure: figureOf(name, kind, digits) }));
  if (!places.length) {
    if (!plain.has(text)) plain.set(text, { key, also });
    return;
  }
  const pieces = text.split(/\{[^}]*\}/);
  if (!pieces.join("").trim()) return; // it would fit anything
  forms.push({ key, also, pieces, places, hasWords: /\p{L}{3}/u.test(pieces.join(" ")), hasLetters: /\p{L}/u.test(pieces.join(" ")) });
}

/**
 * What the text at a placeholder must match; null where it may be anything. The value that chooses a plural form is whole, and so
 * is a prompt's id.
 * @param {string} name @param {string} [kind] @param {string} [digits]
 */
function figureOf(name, kind, digits) {
  if (!kind) return name === "n" || name === "id" ? WHOLE : null;
  return new RegExp(`^-?[\\d,]*\\d${digits === "0" ? "" : `\\.\\d{${digits}}`}${kind === "%" ? "%" : ""}$`);
}
