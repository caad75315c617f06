/* A film of some steps: the stills of their beats, each with its time, and WebP files that hold them. */

import { FIRST_BEAT, LAST_BEAT } from "../player/beats.js";
import { PICTURE_HEIGHT, PICTURE_WIDTH, stillPicture } from "./picture.js";
import { t } from "../page/i18n.js";

/** @import { Trace } from "../player/types.js" */
/** @import { FilmFrame } from "./types.js" */

const BEAT_TIMES = [1400, 1700, 1500, 2000, 2400]; // ms, enough to read a headline
const MAX_FILMED = 24; // steps

/**
 * The frames of steps, in their order.
 * @param {Trace} trace
 * @param {number[]} numbers of the steps, from 1
 * @returns {FilmFrame[]}
 * @throws {Error} with one sentence where they are too many for a film
 */
export function filmFrames(trace, numbers) {
  if (numbers.length > MAX_FILMED) throw new Error(t("export.too-many-filmed", { n: numbers.length, most: MAX_FILMED }));
  const frames = [];
  for (const number of numbers) {
    for (let beat = FIRST_BEAT; beat <= LAST_BEAT; beat += 1) {
      frames.push({ svg: stillPicture(trace, number, beat), time: BEAT_TIMES[beat - 1] });
    }
  }
  return frames;
}

/* WebP: RIFF chunks; a film is a header, a chunk ANIM, and a chunk ANMF around the image of each frame. */

const IMAGE_CHUNKS = ["ALPH", "VP8 ", "VP8L"];
const HEAD = 12; // bytes: RIFF, length, WEBP
const ANIMATED = 2; // the flag of the header

/**
 * A WebP that plays stills over and over.
 * @param {Uint8Array[]} stills WebP files, each of the size of a picture
 * @param {number[]} times ms that each stays
 */
export function webpFilm(stills, times) {
  const header = [ANIMATED, 0, 0, 0, ...int24(PICTURE_WIDTH - 1), ...int24(PICTURE_HEIGHT - 1)];
  const frames = stills.map((still, at) => {
    const about = [...int24(0), ...int24(0), ...int24(PICTURE_WIDTH - 1), ...int24(PICTURE_HEIGHT - 1), ...int24(times[at]), 2];
    return chunk("ANMF", concatenate([Uint8Array.from(about), ...imageChunks(still)]));
  });
  const white = [255, 255, 255, 255];
  const endless = [0, 0];
  const body = [chunk("VP8X", Uint8Array.from(header)), chunk("ANIM", Uint8Array.from([...white, ...endless])), ...frames];
  return chunk("RIFF", concatenate([letters("WEBP"), ...body]));
}

/**
 * The chunks of a still that hold its pixels.
 * @param {Uint8Array} file
 */
function imageChunks(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = [];
  for (let at = HEAD; at < file.length; ) {
    const name = String.fromCharCode(...file.slice(at, at + 4));
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length + (length % 2);
    if (IMAGE_CHUNKS.includes(name)) found.push(file.slice(at, end));
    at = end;
  }
  return found;
}

/** @param {string} name @param {Uint8Array} data */
function chunk(name, data) {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, data.length, true);
  return concatenate([letters(name), size, data, new Uint8Array(data.length % 2)]);
}

/** @param {Uint8Array[]} parts */
function concatenate(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {string} text */
const letters = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Little-endian. @param {number} value */
const int24 = (value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255];
