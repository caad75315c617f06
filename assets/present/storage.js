/* The browser's storage, where it is not forbidden, and values that a tab keeps there across a reload. */

/** @param {"localStorage" | "sessionStorage"} kind */
export function storage(kind) {
  try {
    return globalThis[kind];
  } catch {
    return null;
  }
}

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
