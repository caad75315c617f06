/* Long prompts: their middle is folded until the viewer opens it. */

/** @import { Fold } from "./types.js" */

const FOLD_TOKENS = 1200;
const FOLD_LINES = 60;
const FOLD_KEEP_TOKENS = 280;
const FOLD_KEEP_LINES = 14;

/**
 * The stretch of a prompt to fold; null for a prompt short enough to show whole.
 * @param {number} length tokens of the prompt
 * @param {(position: number) => boolean} endsLine whether a line ends with the token at a position
 * @param {(position: number) => boolean} inside whether a character continues from the token before
 * @returns {Fold | null} from a line's start to a line's start, where lines are short
 *   enough for that
 */
export function foldOf(length, endsLine, inside) {
  const starts = [0];
  for (let at = 0; at < length - 1; at += 1) if (endsLine(at)) starts.push(at + 1);
  if (length <= FOLD_TOKENS && starts.length <= FOLD_LINES) return null;
  const from = foldStart(starts, inside);
  const to = foldEnd(starts, length, inside);
  return to > from ? { from, to } : null;
}

/** @param {number[]} starts @param {(position: number) => boolean} inside */
function foldStart(starts, inside) {
  const lineStarts = starts.slice(1, FOLD_KEEP_LINES + 1).filter((start) => start <= FOLD_KEEP_TOKENS);
  const line = lineStarts.length ? lineStarts[lineStarts.length - 1] : 0;
  if (line >= FOLD_KEEP_TOKENS / 2 || lineStarts.length === FOLD_KEEP_LINES) return line;
  let at = FOLD_KEEP_TOKENS;
  while (at > 0 && inside(at)) at -= 1;
  return at;
}

/** @param {number[]} starts @param {number} length @param {(position: number) => boolean} inside */
function foldEnd(starts, length, inside) {
  const earliest = length - FOLD_KEEP_TOKENS;
  const lineStarts = starts.slice(1).slice(-FOLD_KEEP_LINES).filter((start) => start >= earliest);
  const line = lineStarts.length ? lineStarts[0] : length;
  if (length - line >= FOLD_KEEP_TOKENS / 2 || lineStarts.length === FOLD_KEEP_LINES) return line;
  let at = earliest;
  while (at < length && inside(at)) at += 1;
  return at;
}
