/* The text in chunks: those in or near view have an element for each token, the others are plain text. */

/** @import { Chunk, LineBreaks } from "./types.js" */

const MIN_CHUNK = 32;
const MAX_CHUNK = 64;
export const WHOLE_BELOW = 1500;

/**
 * Cuts positions up to `count` into chunks; earlier chunks stay, except that the last may grow.
 * Chunks end where a line ends if they can, never within a character, always at `borders`.
 * @param {Chunk[]} chunks changed in place
 * @param {number} count tokens to cut
 * @param {LineBreaks} text
 */
export function cutChunks(chunks, count, text) {
  const last = chunks.pop();
  let start = last ? last.start : 0;
  while (start < count) {
    const end = chunkEnd(start, count, text);
    chunks.push({ start, end, line: start === 0 || text.endsLine(start - 1) });
    start = end;
  }
}

/** @param {number} start @param {number} count @param {LineBreaks} text */
function chunkEnd(start, count, { endsLine, inside, borders }) {
  const most = Math.min(count, ...borders.filter((border) => border > start));
  let end = start;
  do {
    end += 1;
    const length = end - start;
    if (length >= MIN_CHUNK && endsLine(end - 1)) break;
    if (length >= MAX_CHUNK && !inside(end)) break;
  } while (end < most);
  return Math.min(end, most);
}

/**
 * The number of the chunk that holds a position; -1 for none.
 * @param {Chunk[]} chunks
 * @param {number} position
 */
export function chunkAt(chunks, position) {
  let low = 0;
  let high = chunks.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (position < chunks[middle].start) high = middle - 1;
    else if (position >= chunks[middle].end) low = middle + 1;
    else return middle;
  }
  return -1;
}

/**
 * Which of `count` things in a column reach into a window, by halving.
 * @param {number} count
 * @param {(number: number) => { top: number, bottom: number }} boxOf boxes from top to bottom
 * @param {number} top
 * @param {number} bottom
 * @returns {[number, number]} from the first up to, not including, the last
 */
export function inWindow(count, boxOf, top, bottom) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (boxOf(middle).bottom < top) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < count && boxOf(end).top <= bottom) end += 1;
  return [low, end];
}
