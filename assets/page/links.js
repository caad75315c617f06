/* Links to a place: ?run=recorded-20&step=4&beat=2, ?lesson=7&cue=2. */

const PLACES = ["run", "step", "beat", "lesson", "cue"];

/**
 * The part of an address's query that leads to a place: it stays the same where only the language changes.
 * @param {string} query
 */
export function linkIn(query) {
  const asked = new URLSearchParams(query);
  return String(new URLSearchParams(PLACES.flatMap((name) => (asked.has(name) ? [[name, asked.get(name) || ""]] : []))));
}
