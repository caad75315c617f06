/* Ties: lines over the panels, from what was drafted to where it came from. */

/**
 * @param {{text: object, tree: object, logits: object}} panels each can tell where it drew something
 */
function createTies(panels) {
  const element = svg("svg", { class: "ls-ties", "aria-hidden": "true", hidden: true });
  return { element, paint: () => panels };
}
