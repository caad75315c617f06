/* Values that a browser tab keeps across a reload, where storage is not forbidden. */

/**
 * @param {string} name
 * @returns {any} null where nothing is kept
 */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) || "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {object | string | null} value null to keep nothing
 */
export function keep(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    return;
  }
}
