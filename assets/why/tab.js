/* The pictures of "Why it works", which plotly draws.

   To a screen reader a drawing is a heap of labels; its numbers are in the table below it. And plotly learns of
   a new width only from the window, not when its tab is shown again. */

import { t } from "../page/i18n.js";
import { registerWhy } from "./cues.js";

const fit = new ResizeObserver((entries) => {
  /** @type {{ Plotly?: { Plots: { resize(drawing: Element): void } } }} */
  const { Plotly: plotly } = Object(globalThis);
  for (const { target, contentRect } of entries) if (contentRect.width) plotly?.Plots.resize(target);
});

function tend() {
  registerWhy();
  for (const drawing of document.querySelectorAll(".why-plot .js-plotly-plot:not([role=img])")) {
    const plot = drawing.closest(".why-plot");
    const title = document.getElementById(`${plot?.id}-title`)?.textContent?.trim();
    drawing.role = "img";
    drawing.ariaLabel = t("why.picture-label", { title });
    fit.observe(drawing);
  }
}

new MutationObserver(tend).observe(document.body, { childList: true, subtree: true });
tend();
