/* Gradio's footer: its icons repeat the words beside them, so a screen reader need not say them. */

import { whenThere } from "./when_there.js";

export async function silenceFooterIcons() {
  const footer = await whenThere(() => document.querySelector("footer"));
  const silence = () => {
    for (const icon of footer.querySelectorAll("img[alt]:not([alt=''])")) icon.setAttribute("alt", "");
  };
  silence();
  new MutationObserver(silence).observe(footer, { childList: true, subtree: true });
}
