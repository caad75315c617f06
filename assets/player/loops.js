/* Loops: where a run repeats itself. Such text is easy to predict, so its tokens a pass say little about other text. */

const LONGEST = 48; // tokens of a block
const TIMES = 3; // in a row
const LEAST = 24; // tokens in total: less is a list or a refrain

/**
 * The longest stretch of a text in which one block of tokens follows itself: at most LONGEST tokens long, TIMES or
 * more in a row, LEAST tokens in total.
 * @param {number[]} ids
 * @returns {{ from: number, to: number, block: number } | null} from `from` up to `to`; `block`: tokens of the block
 */
export function loopIn(ids) {
  /** @type {{ from: number, to: number, block: number } | null} */
  let longest = null;
  for (let block = 1; block <= LONGEST; block += 1) {
    let run = 0; // tokens up to here that equal the one a block before
    for (let at = block; at <= ids.length; at += 1) {
      if (at < ids.length && ids[at] === ids[at - block]) {
        run += 1;
        continue;
      }
      const length = run + block;
      if (length >= Math.max(LEAST, TIMES * block) && (!longest || length > longest.to - longest.from)) {
        longest = { from: at - length, to: at, block };
      }
      run = 0;
    }
  }
  return longest;
}
