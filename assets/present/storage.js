/* The browser's storage, where it is not forbidden, and values that a tab keeps there across a reload. */

/** @param {"localStorage" | "sessionStorage"} kind */
export function storage(kind) {
  try {
    return globalThis[kind];
  } catch {
    return null;
  }
}

/** @param {string} name @returns {string | null} null where nothing is kept */
export function recallText(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

/**
 * Keeps a text, unless there is no room for it; what was kept before goes in any case.
 * @param {string} name
 * @param {string | null} text null to keep nothing
 */
export function keepText(name, text) {
  try {
    sessionStorage.removeItem(name);
    if (text !== null) sessionStorage.setItem(name, text);
  } catch {
    return;
  }
}

/**
 * @param {string} name
 * @returns {any} null where nothing is kept
 */
export function recall(name) {
  try {
    return JSON.parse(recallText(name) || "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {object | string | null} value null to keep nothing
 */
export function keep(name, value) {
  keepText(name, value === null ? null : JSON.stringify(value));
}
