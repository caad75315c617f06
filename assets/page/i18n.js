/* The page's texts in the reader's language. A text is text: it goes into the page as text nodes and attributes,
   never as markup. The language lasts as long as the page; changing it reloads the page. */

import { catalogue } from "../words/catalogue.js";

/** @import { Value } from "../player/types.js" */

export const DEFAULT = "en";
const STORE = "logitspec.language";
const PLACE = /\{(\w+)(?::(\.|%)(\d))?\}/g;
const SPACED_PLACE = new RegExp(`( ?)${PLACE.source}( ?)`, "g");
const HAN = /^[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]$/; // characters and punctuation

/** The languages that this page has; an exported one has the default and the one that it was saved in. */
export const languages = Object.keys(catalogue).filter((each) => "page.language" in catalogue[each]);

export const language = chosen();

const texts = catalogue[language];
const rules = new Intl.PluralRules(language);
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * A text of the catalogue with values in its placeholders: `{name}` as it is, a number with the language's separators;
 * `{name:.2}` with two decimals; `{name:%1}` a share as a percentage with one. The value `n` chooses among the
 * plural forms. For a key that is in no catalogue, the key itself.
 * @param {string} key
 * @param {Record<string, Value>} [values]
 */
export function t(key, values = {}) {
  return form(key, values).replace(SPACED_PLACE, (place, before, name, kind, digits, after, at, text) => {
    const value = written(values[name], kind, digits);
    return space(before, text[at - 1], value[0]) + value + space(after, value[value.length - 1], text[at + place.length]);
  });
}

/**
 * The space around a placeholder, which Chinese has between its own and other letters only.
 * @param {string} gap
 * @param {string | undefined} before
 * @param {string | undefined} after
 */
const space = (gap, before, after) => (HAN.test(before || "") && HAN.test(after || "") ? "" : gap);

/**
 * The same in pieces, so that elements may fill the text's placeholders: `element.append(...pieces(key, { term }))`.
 * @param {string} key
 * @param {Record<string, Value | Node>} values
 * @returns {(string | Node)[]}
 */
export function pieces(key, values) {
  /** @type {(string | Node)[]} */
  const all = [];
  let at = 0;
  const text = form(key, values);
  for (const { 0: place, 1: name, 2: kind, 3: digits, index } of text.matchAll(PLACE)) {
    const value = values[name];
    const piece = typeof value === "object" && value !== null ? value : written(value, kind, digits);
    all.push(text.slice(at, index), piece);
    at = index + place.length;
  }
  return [...all, text.slice(at)].filter((each) => each !== "");
}

/**
 * A number with the language's separators.
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options = {}) {
  const name = JSON.stringify(options);
  let format = formats.get(name);
  if (!format) formats.set(name, (format = new Intl.NumberFormat(language, options)));
  return format.format(value);
}

/**
 * A number with a given number of decimals.
 * @param {number} value
 * @param {number} digits
 */
export const decimal = (value, digits) => number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/**
 * A language's own name.
 * @param {string} code
 */
export const languageName = (code) => String(catalogue[code]["page.language"]);

/**
 * Shows the page in another language from now on, in this browser.
 * @param {string} code
 */
export function chooseLanguage(code) {
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  try {
    localStorage.setItem(STORE, code);
  } catch {
    address.searchParams.set("lang", code); // storage may be forbidden
  }
  history.replaceState(history.state, "", address);
  location.reload(); // and no new visit, in which a link in the address would lead to its place again
}

/** @param {string} key @param {Record<string, any>} values */
function form(key, values) {
  const text = texts[key] ?? catalogue[DEFAULT][key] ?? key;
  return typeof text === "string" ? text : (text[rules.select(values.n)] ?? text.other);
}

/** @param {Value | Node | undefined} value @param {string} [kind] @param {string} [digits] */
function written(value, kind, digits) {
  if (typeof value !== "number") return String(value);
  if (!kind) return number(value);
  if (kind === ".") return decimal(value, Number(digits));
  return number(value, { style: "percent", minimumFractionDigits: Number(digits), maximumFractionDigits: Number(digits) });
}

/** The language in the address, else the one chosen before, else the one that the page was saved in, else the
    browser's; without a page, the one in the environment. */
function chosen() {
  const wanted =
    typeof document === "undefined"
      ? [globalThis.process?.env.LOGITSPEC_LANGUAGE]
      : [new URLSearchParams(location.search).get("lang"), stored(), saved(), ...navigator.languages];
  for (const each of wanted) {
    const found = each && languages.find((one) => isSame(one, each));
    if (found) return found;
  }
  return DEFAULT;
}

function stored() {
  try {
    return localStorage.getItem(STORE);
  } catch {
    return null;
  }
}

function saved() {
  /** @type {HTMLElement | null} */
  const view = document.querySelector("[data-language]");
  return (view && view.dataset.language) || null;
}

/**
 * Whether two tags mean the same language in the same script, whatever the region.
 * @param {string} one
 * @param {string} other
 */
function isSame(one, other) {
  try {
    const [a, b] = [one, other].map((tag) => new Intl.Locale(tag).maximize());
    return a.language === b.language && a.script === b.script;
  } catch {
    return false; // not a tag
  }
}
