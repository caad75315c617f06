/* Gradio renders the page bit by bit. */

/**
 * Waits until `find` returns something, now or after a change of the document.
 * @template Thing
 * @param {() => Thing | null | undefined} find
 * @returns {Promise<Thing>}
 */
export function whenThere(find) {
  return new Promise((resolve) => {
    const look = () => {
      const thing = find();
      if (!thing) return;
      observer.disconnect();
      resolve(thing);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.documentElement, { childList: true, subtree: true });
    look();
  });
}
