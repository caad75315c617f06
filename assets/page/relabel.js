/* What Python writes in English, in the reader's language: labels, choices and tables of Gradio's components. A text
   of the document that is one of the catalogue's English texts becomes that of the language; values in its places are
   carried over, numbers with the language's marks. Views with texts of their own, and what models write, are let be. */

import { catalogue } from "../words/catalogue.js";
import { decimal, language, number, t } from "./i18n.js";

/** @import { Value } from "../player/types.js" */

const VIEWS = ".ls-player, .language, [data-own-words]";
const LEFT_ALONE = VIEWS + ", textarea, code, script, style, noscript";
const ATTRIBUTES = ["placeholder", "aria-label", "title", "alt"];
const PLACE = /\{(\w+)(?::[.%]\d)?\}/g;
const MAX_TEXT = 1000; // letters; nothing that Python writes is longer
const FIGURE = /^(-?[\d,]*\d)(?:\.(\d+))?(%?)$/;

/** @type {Map<string, string>} keys by English text */
const plain = new Map();
/** @type {{ fits: RegExp, key: string, names: string[] }[]} */
const withPlaces = [];

for (const [key, text] of Object.entries(catalogue.en)) {
  for (const form of typeof text === "string" ? [text] : Object.values(text)) addForm(key, form);
}

/** @param {string} key @param {string} form */
function addForm(key, form) {
  const names = [...form.matchAll(PLACE)].map(([, name]) => name);
  if (names.length === 0) {
    if (!plain.has(form)) plain.set(form, key);
    return;
  }
  const pieces = form.split(/\{[^}]*\}/);
  // A text of places alone would fit anything.
  if (!/\p{L}{3}/u.test(pieces.join(" "))) return;
  const values = names.map((name) => (name === "n" ? "([\\d.,]+)" : "(.+?)"));
  const fits = new RegExp("^" + pieces.map((piece, at) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + (values[at] || "")).join("") + "$", "u");
  withPlaces.push({ fits, key, names });
}

/**
 * An English text in the reader's language; as it is where the catalogue has none like it.
 * @param {string} text
 * @returns {string}
 */
export function translated(text) {
  const key = plain.get(text);
  if (key !== undefined) return t(key);
  for (const { fits, key: other, names } of withPlaces) {
    const match = fits.exec(text);
    if (match) return t(other, Object.fromEntries(names.map((name, at) => [name, valueOf(match[at + 1])])));
  }
  return text;
}

/** @param {string} text of a place @returns {Value} */
function valueOf(text) {
  const figure = FIGURE.exec(text);
  if (!figure) return text.includes(", ") ? text.split(", ").map(itemOf).join(", ") : translated(text);
  const [, whole, decimals = "", sign] = figure;
  const value = Number(whole.replaceAll(",", "") + "." + decimals);
  if (sign) return number(value / 100, { style: "percent", minimumFractionDigits: decimals.length });
  return decimals ? decimal(value, decimals.length) : value;
}

/**
 * A part of a list, alone or with a number behind it.
 * @param {string} text
 */
function itemOf(text) {
  const [, name, count] = /^(\p{L}[\p{L} ]*)( \d+)$/u.exec(text) || [text, text, ""];
  return translated(name) + count;
}

/** Puts the document into the reader's language, now and whenever it changes. */
export function relabelPage() {
  if (language === "en") return;
  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes, attributeName } of records) {
      if (type === "childList") for (const node of addedNodes) relabel(node);
      else if (attributeName) relabelAttribute(/** @type {Element} */ (target), attributeName);
      else relabel(target);
    }
    observer.takeRecords(); // what was written just now is in the reader's language
  });
  observer.observe(document.body, {
    childList: true,
    characterData: true,
    subtree: true,
    attributes: true,
    attributeFilter: ATTRIBUTES,
  });
  relabel(document.body);
  observer.takeRecords();
}

/** @type {WeakMap<Text, string>} what was written into a text, which would be read as English where it is moved */
const done = new WeakMap();

/** @param {Node} node */
const isLeftAlone = (node) => Boolean((node instanceof Element ? node : node.parentElement)?.closest(LEFT_ALONE));

/** @param {Node} root */
function relabel(root) {
  if (root instanceof Text) return isLeftAlone(root) ? undefined : relabelText(root);
  if (!(root instanceof Element)) return;
  for (const name of ATTRIBUTES) {
    if (root.hasAttribute(name)) relabelAttribute(root, name);
    for (const each of root.querySelectorAll(`[${name}]`)) relabelAttribute(each, name);
  }
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  /** @type {Text[]} */
  const all = [];
  while (texts.nextNode()) all.push(/** @type {Text} */ (texts.currentNode));
  for (const text of all) if (!isLeftAlone(text)) relabelText(text);
}

/** @param {Text} node */
function relabelText(node) {
  const { data } = node;
  const text = data.trim().replace(/\s+/g, " ");
  if (!text || text.length > MAX_TEXT || done.get(node) === data) return;
  const isCell = node.parentElement?.closest("td") && FIGURE.test(text);
  const value = isCell ? valueOf(text) : translated(text);
  const own = typeof value === "number" ? number(value) : String(value);
  if (own === text) return;
  node.data = data.replace(data.trim(), () => own);
  done.set(node, node.data);
}

/** @param {Element} element @param {string} name */
function relabelAttribute(element, name) {
  if (element.closest(VIEWS)) return; // a field's text is the visitor's, its label is not
  const text = element.getAttribute(name) || "";
  const own = translated(text);
  if (own !== text) element.setAttribute(name, own);
}
