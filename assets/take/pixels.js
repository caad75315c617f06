/* Turning an SVG picture into pixels, on a canvas. */

import { PICTURE_HEIGHT, PICTURE_WIDTH } from "./picture.js";
import { t } from "../page/i18n.js";

/**
 * The picture as an image of the page, still to be loaded.
 * @param {string} svg
 */
export function imageOf(svg) {
  const image = new Image(PICTURE_WIDTH, PICTURE_HEIGHT);
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  return image;
}

/**
 * The pixels of a loaded image, as the data address of a file.
 * @param {HTMLImageElement} image
 * @param {"image/png" | "image/webp"} type
 * @param {number} [scale] pixels per unit of the picture
 * @throws {Error} with one sentence where the browser writes no such files
 */
export function pixelsOf(image, type, scale = 1) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [PICTURE_WIDTH * scale, PICTURE_HEIGHT * scale];
  const pen = canvas.getContext("2d", { alpha: false });
  if (pen) pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const address = canvas.toDataURL(type, 1);
  if (!address.startsWith(`data:${type};`)) throw new Error(t("export.no-films"));
  return address;
}

/**
 * The same for a picture as SVG, which it loads first.
 * @param {string} svg
 * @param {"image/png" | "image/webp"} type
 * @param {number} [scale]
 */
export async function rasterize(svg, type, scale = 1) {
  const image = imageOf(svg);
  await image.decode();
  return pixelsOf(image, type, scale);
}

/**
 * The bytes of a file given as a data address.
 * @param {string} address
 */
export function bytesAt(address) {
  const letters = atob(address.slice(address.indexOf(",") + 1));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
