/* The player's files as they run in a page, for tests of functions that need no page. */

import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const FOLDER = new URL("../../assets/player/", import.meta.url);
const TOP_LEVEL = /^(?:async )?(?:const|let|function|class)\*? (\w+)/gm;

/**
 * What the files define at their top level, by name. They are joined in one function scope, as in a page.
 * @param {string[]} names files of assets/player, in order; all scripts of order.json when left out
 * @returns {Object<string, any>}
 */
export function load(names = JSON.parse(read("order.json")).scripts) {
  const source = names.map(read).join("\n");
  const defined = [...source.matchAll(TOP_LEVEL)].map((match) => match[1]);
  const body = `"use strict";\n${source}\nreturn { ${defined.join(", ")} };`;
  return runInThisContext(`(function () { ${body} })`, { filename: names.join("+") })();
}

/** The text of a file of the player. */
export function read(name) {
  return readFileSync(new URL(name, FOLDER), "utf8");
}
