/* From a picture as SVG to pixels, on a canvas. */

import { HIGH, WIDE } from "./picture.js";
import { t } from "../page/i18n.js";

/**
 * The picture as an image of the page, still to be loaded.
 * @param {string} svg
 */
export function imageOf(svg) {
  const image = new Image(WIDE, HIGH);
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  return image;
}

/**
 * What a loaded image looks like, as the address of a file of a type.
 * @param {HTMLImageElement} image
 * @param {"image/png" | "image/webp"} type
 * @param {number} [scale] pixels a unit of the picture
 * @throws {Error} with one sentence where the browser writes no such files
 */
export function pixelsOf(image, type, scale = 1) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDE * scale, HIGH * scale];
  const pen = canvas.getContext("2d", { alpha: false });
  if (pen) pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const address = canvas.toDataURL(type, 1);
  if (!address.startsWith(`data:${type};`)) throw new Error(t("export.no-films"));
  return address;
}

/**
 * The same for a picture that is not loaded yet.
 * @param {string} svg
 * @param {"image/png" | "image/webp"} type
 * @param {number} [scale]
 */
export async function drawn(svg, type, scale = 1) {
  const image = imageOf(svg);
  await image.decode();
  return pixelsOf(image, type, scale);
}

/**
 * The bytes behind the address of a file.
 * @param {string} address
 */
export function bytesAt(address) {
  const letters = atob(address.slice(address.indexOf(",") + 1));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
