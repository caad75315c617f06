/* The presenter's keys, which are those that clickers send; they work in the whole page, but never where somebody
   types, and never where the element with the focus has its own use for them. */

/** @type {Record<string, string>} by key */
const ACTIONS = {
  PageDown: "next",
  ArrowRight: "next",
  " ": "next",
  PageUp: "back",
  ArrowLeft: "back",
  Home: "first",
  End: "last",
  b: "black",
  ".": "black",
  d: "dim",
  f: "full",
  s: "speaker",
  q: "hall",
  "?": "help",
  Escape: "escape",
};

const TYPED = "input, select, textarea, [contenteditable]:not([contenteditable=false])";
const PRESSED = "button, a[href], summary, [role=button], [role=radio], [role=option], [role=tab], [role=switch]";
const MOVED = "[role=radiogroup], [role=listbox], [role=slider], [role=tablist], [role=menu], [role=grid]";
const MOVES = ["ArrowLeft", "ArrowRight", "Home", "End"];
const MAX_DIGITS = 4;

/**
 * What a key does on a stage.
 * @param {KeyboardEvent} event
 * @param {string} typed the digits before it
 * @returns {{ act: string, typed?: string } | null} null where it isn't the stage's
 */
export function actionOf(event, typed) {
  const { key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || event.isComposing) return null;
  const target = /** @type {Element | null} */ (event.target);
  if (target && typeof target.closest === "function") {
    if (target.closest(TYPED)) return null;
    if (target.closest(PRESSED) && (key === " " || (key === "Enter" && !typed))) return null;
    if (MOVES.includes(key) && target.closest(MOVED)) return null;
  }
  if (/^\d$/.test(key)) return { act: "type", typed: (typed + key).slice(-MAX_DIGITS) };
  if (key === "Enter") return typed ? { act: "jump" } : null;
  const act = ACTIONS[key] || ACTIONS[key.toLowerCase()];
  return act ? { act } : null;
}
