/* Origins of tokens: their names, words and looks, all from `assets/origins.json`. */

import { t } from "../page/i18n.js";
import data from "../origins.json" with { type: "json" };

/** @import { OriginLook } from "./types.js" */

/** @type {Record<string, OriginLook>} */
export const ORIGINS = Object.fromEntries(Object.entries(data).map(([name, look]) => [name, { ...look, ...wordsOf(name, look) }]));

export const ORIGIN_NAMES = Object.keys(ORIGINS);

/**
 * An origin's words in the reader's language; those of its entry where the catalogue has none.
 * @param {string} origin
 * @param {OriginLook} look
 */
function wordsOf(origin, { name, meaning, title }) {
  /** @param {string} part @param {string} own */
  const said = (part, own) => {
    const key = `player.origin-${origin}-${part}`;
    return t(key) === key ? own : t(key);
  };
  return { name: said("name", name), meaning: said("meaning", meaning), title: said("title", title) };
}

const STYLE_ID = "logitspec-origins";

/** Adds the style sheet of the origins once, before all other styles, which build on it. */
export function installOrigins() {
  if (document.getElementById(STYLE_ID)) return;
  const style = document.createElement("style");
  style.id = STYLE_ID;
  style.textContent = originStyle();
  document.head.prepend(style);
}

/** Colours as custom properties, and the shapes of nodes, lines under tokens and edges, as a style sheet. */
function originStyle() {
  const colours = (/** @type {(look: OriginLook) => string} */ colourOf) =>
    `.ls-player { ${Object.entries(ORIGINS).map(([name, look]) => `--ls-${name}: ${colourOf(look)};`).join(" ")} }`;
  const both = (/** @type {OriginLook["colour"]} */ { light, dark }) => `light-dark(${light}, ${dark})`;
  return [
    colours((look) => both(look.colour)),
    `@media (prefers-contrast: more) { ${colours((look) => both(look.more_contrast))} }`,
    `@media (forced-colors: active) { ${colours(() => "CanvasText")} }`,
    ...Object.entries(ORIGINS).map(([name, look]) => originRules(name, look)),
  ].join("\n");
}

/** @param {string} name @param {OriginLook} look */
function originRules(name, { corners, chip, underline, edge, edge_accepted: accepted }) {
  const own = ["origin", "legend-origin", "kind"].map((kind) => `[data-${kind}="${name}"]`);
  const [origin, legend] = own;
  const radius = corners.map((corner) => corner + "em").join(" ");
  const early = '.ls-player:is([data-beat="1"], [data-beat="2"], [data-beat="3"])';
  return [
    rule(`.ls-player :is(${own.join(", ")})`, { "--ls-own": `var(--ls-${name})` }),
    rule(`:is(.ls-node${origin}, .ls-chip${legend})`, { "border-radius": radius, ...chip }),
    rule(`.ls-token:is(${origin}, ${legend})`, underline),
    rule(`.ls-edge${origin}`, edge),
    rule(`.ls-edge[data-state="accepted"]${origin}:not(.ls-bus)`, accepted),
    rule(`${early} .ls-edge${origin}:not(.ls-drop)`, edge), // not yet accepted
  ].join("\n");
}

/** @param {string} selector @param {Record<string, string>} declarations */
function rule(selector, declarations) {
  const lines = Object.entries(declarations).map(([property, value]) => `${property}: ${value};`);
  return lines.length ? `${selector} { ${lines.join(" ")} }` : "";
}
