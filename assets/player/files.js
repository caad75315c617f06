/* Files: traces in and out. */

/**
 * @param {object} player the player's functions, as `createPlayer` returns them
 * @param {object} options those given to `createPlayer`
 */
function createFiles(player, options) {
  const element = el("div", { class: "ls-files", hidden: true });
  return { element, paint: () => [player, options] };
}
