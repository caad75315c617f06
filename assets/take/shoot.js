/* The script of a page in a headless browser, for the command line: it draws pictures, and replaces them with their
   pixels as text. */

import { webpFilm } from "./film.js";
import { bytesAt, imageOf, pixelsOf } from "./pixels.js";

/** @import { FilmFrame } from "./types.js" */

/** @type {{ frames: FilmFrame[], type: "png" | "webp" | "film", scale: number }} */
const { frames, type, scale } = JSON.parse(document.getElementById("logitspec-request")?.textContent || "");
const images = frames.map(({ svg }) => imageOf(svg));
document.body.replaceChildren(...images);

/** @param {Uint8Array} bytes */
function addressOf(bytes) {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return "data:image/webp;base64," + btoa(letters);
}

// The load of the page waits for its images.
addEventListener("load", () => {
  const kind = type === "png" ? "image/png" : "image/webp";
  const files = images.map((image) => pixelsOf(image, kind, scale));
  const film = () => addressOf(webpFilm(files.map(bytesAt), frames.map(({ time }) => time)));
  document.body.textContent = JSON.stringify(type === "film" ? [film()] : files);
});
