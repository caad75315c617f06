/* Gradio's footer: its icons repeat the words beside them, so a screen reader need not say them. */

import { whenThere } from "./when_there.js";

export async function silenceFooterIcons() {
  const footer = await whenThere(() => document.querySelector("footer"));
  const silence = () => footer.querySelectorAll("img[alt]:not([alt=''])").forEach((icon) => (icon.alt = ""));
  silence();
  new MutationObserver(silence).observe(footer, { childList: true, subtree: true });
}
