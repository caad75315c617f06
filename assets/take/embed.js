/* The code with which another page embeds a place of this one. */

import { escapeText } from "./svg.js";

/**
 * An `<iframe>` with the page's player and nothing else of it.
 * @param {string} address of the page at its step
 * @param {string} title
 */
export function embedCode(address, title) {
  const url = new URL(address);
  if (url.search || !url.hash) url.searchParams.set("embed", "1");
  const look = 'width="1280" height="800" style="border: 0; max-width: 100%" loading="lazy" allow="fullscreen; clipboard-write"';
  return `<iframe src="${escapeText(url.href)}" title="${escapeText(title)}" ${look}></iframe>`;
}
