/* Gradio's footer: its icons repeat the words next to them, so a screen reader need not say them; and its words are
   in the browser's language, whatever the page's is. */

import { t } from "./i18n.js";
import { whenThere } from "./when_there.js";

const WORDS = [
  [".show-api", t("page.api")],
  [".settings", t("page.settings")],
];

export async function tendFooter() {
  const footer = await whenThere(() => document.querySelector("footer"));
  const tend = () => {
    for (const icon of footer.querySelectorAll("img[alt]:not([alt=''])")) icon.setAttribute("alt", "");
    for (const [selector, words] of WORDS) say(footer.querySelector(selector), words);
  };
  tend();
  new MutationObserver(tend).observe(footer, { childList: true, characterData: true, subtree: true });
}

/** @param {Element | null} button @param {string} words */
function say(button, words) {
  const texts = [...(button ? button.childNodes : [])].filter((each) => each instanceof Text);
  const [own] = texts.filter(({ data }) => data.trim());
  if (own && own.data.trim() !== words) own.data = words + " ";
}
