/* The language switch, and the language that the document declares. */

import { el } from "../player/dom.js";
import { chooseLanguage, language, languageName, languages, t } from "./i18n.js";
import { whenThere } from "./when_there.js";

export async function offerLanguages() {
  sayLanguage();
  const intro = await whenThere(() => document.getElementById("intro"));
  intro.append(chooser());
}

/** Keeps the document's language at the page's: Gradio may set it to the browser's at any time. */
function sayLanguage() {
  const root = document.documentElement;
  const say = () => {
    if (root.lang !== language) root.lang = language;
  };
  say();
  new MutationObserver(say).observe(root, { attributes: true, attributeFilter: ["lang"] });
}

/** Each language by its own name. */
function chooser() {
  const options = languages.map((code) =>
    el("option", { value: code, lang: code, selected: code === language }, languageName(code)),
  );
  const select = el("select", { class: "language", "aria-label": t("page.languages") }, ...options);
  select.addEventListener("change", () => chooseLanguage(select.value));
  return select;
}
