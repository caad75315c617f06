/* Cues: the stops of a talk. A view registers a source of its cues; the presenter's keys, the speaker's window and
   followers go through views by cues alone. A source dispatches the bubbling event "cue" on its root after every
   change, its own or not: `announceCue(root)`. */

/** @import { CueSource } from "../player/types.js" */

/** @type {Map<HTMLElement, CueSource>} */
const sources = new Map();

/**
 * Registers the cues of the view in `root`, until that leaves the document or registers again. A view inside another
 * one's root, such as the player of a lesson, is left to the outer one.
 * @param {HTMLElement} root
 * @param {CueSource} source
 */
export function register(root, source) {
  sources.set(root, source);
  announceCue(root);
}

/** @param {HTMLElement} root whose view is at another cue, or at the same cue with other words */
export function announceCue(root) {
  root.dispatchEvent(new CustomEvent("cue", { bubbles: true }));
}

/**
 * Passes on a visitor's own prediction; true where it is counted, as in a followed session. The view then stays at the
 * question until the lecturer goes on.
 * @param {HTMLElement} root of the source that is at a question
 * @param {number} choice place among the `choices` of the question, or one of its `values`
 */
export function predict(root, choice) {
  return !root.dispatchEvent(new CustomEvent("cue-predict", { bubbles: true, cancelable: true, detail: { choice } }));
}

/** @param {Element} element */
const isSeen = (element) => element.isConnected && element.getClientRects().length > 0;

/** The views in sight that have cues, as [root, source]; of nested views, the outer one. */
function sourcesInSight() {
  for (const root of sources.keys()) if (!root.isConnected && !root.parentNode) sources.delete(root);
  const seen = [...sources].filter(([root]) => isSeen(root));
  return seen.filter(([root]) => !seen.some(([other]) => other !== root && other.contains(root)));
}

/** The view that keys go to, as [root, source]: the first one in sight; null where none is. */
export function currentSource() {
  return sourcesInSight()[0] || null;
}

/**
 * The registered view with a name, in sight or not; null where there is none.
 * @param {string} name
 */
export function sourceNamed(name) {
  for (const [root, source] of sources) if (source.name === name && root.isConnected) return { root, source };
  return null;
}
