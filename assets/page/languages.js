/* The switch of languages, and the language that the document says it is in. */

import { el } from "../player/dom.js";
import { chooseLanguage, language, languageName, languages, t } from "./i18n.js";
import { whenThere } from "./when_there.js";

export async function offerLanguages() {
  sayLanguage();
  const intro = await whenThere(() => document.getElementById("intro"));
  intro.append(chooser());
}

/** Gradio names the browser's language as the document's, whenever it gets to it. */
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
