/* The code by which another page shows a place of this one. */

import { escaped } from "./svg.js";

/**
 * An `<iframe>` in which a page shows nothing but its player.
 * @param {string} address of the page at its step
 * @param {string} title
 */
export function embedCode(address, title) {
  const url = new URL(address);
  if (url.search || !url.hash) url.searchParams.set("embed", "1");
  const look = 'width="1280" height="800" style="border: 0; max-width: 100%" loading="lazy" allow="fullscreen; clipboard-write"';
  return `<iframe src="${escaped(url.href)}" title="${escaped(title)}" ${look}></iframe>`;
}
