/* What a tab of the browser keeps over a reload. Storage may be forbidden. */

/**
 * @param {string} name
 * @returns {any} null where nothing is kept
 */
export function kept(name) {
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
