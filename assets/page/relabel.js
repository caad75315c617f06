/* Labels, choices, tables and sentences of Gradio's components, which Python writes in English, in the reader's language.
   A text of the document that is one of the catalogue's English texts is replaced by its translation. Views with texts
   of their own, and what models write, are left alone. */

import { DEFAULT, language, number } from "./i18n.js";
import { figure, translated } from "./translated.js";

const VIEWS = ".ls-player, .language, [data-own-words]";
const LEFT_ALONE = VIEWS + ", textarea, code, script, style, noscript";
const ATTRIBUTES = ["placeholder", "aria-label", "title", "alt"];
const FIGURES = "td, .why-number"; // hold a number or a text
const FIELD = "input[role=combobox]"; // of a drop-down

/** Puts the document into the reader's language, now and whenever it changes. */
export function relabelPage() {
  if (language === DEFAULT) return;
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

/** @type {WeakMap<Text, string>} what was written into a text, which would be taken for English if it is moved */
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
  for (const field of root.matches(FIELD) ? [root] : root.querySelectorAll(FIELD)) relabelField(field);
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
  if (!text || done.get(node) === data) return;
  const value = (node.parentElement?.closest(FIGURES) && figure(text)) ?? translated(text);
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

/** @type {WeakSet<Element>} */
const fields = new WeakSet();

/**
 * Shows a drop-down's choice in the reader's language; code that reads the field's value gets what was written there,
 * so that Gradio recognises its choice.
 * @param {Element} field
 */
function relabelField(field) {
  if (!(field instanceof HTMLInputElement) || fields.has(field)) return;
  fields.add(field);
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value") || {};
  if (!get || !set) return;
  let [written, shown] = ["", ""];
  const value = {
    get() {
      const text = get.call(field);
      return text === shown ? written : text; // or what the visitor has typed
    },
    /** @param {string} text */
    set(text) {
      written = text;
      shown = translated(text);
      set.call(field, shown);
    },
  };
  value.set(field.value);
  Object.defineProperty(field, "value", value);
}
