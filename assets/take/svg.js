/* SVG as text: elements, outlines of boxes, mixed colours. It needs no page. */

/** @import { Attributes } from "../player/types.js" */

/** @type {Record<string, string>} */
const ENTITIES = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };

/** @param {string} text */
export const escapeText = (text) => text.replace(/[&<>"']/g, (letter) => `&${ENTITIES[letter]};`);

/** @param {number} length */
export const round = (length) => Math.round(length * 100) / 100;

/**
 * An element; null and undefined attributes are left out, numbers rounded.
 * @param {string} name
 * @param {Attributes} attributes
 * @param {string} [inside] markup
 */
export function tag(name, attributes, inside = "") {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== undefined && value !== false)
    .map(([key, value]) => ` ${key}="${escapeText(String(typeof value === "number" ? round(value) : value))}"`);
  return inside ? `<${name}${written.join("")}>${inside}</${name}>` : `<${name}${written.join("")}/>`;
}

/**
 * A line that begins at the left, whatever its script; marks of direction have a sign instead (player/spelling.js).
 * @param {number} x
 * @param {number} y of its base line
 * @param {string} words
 * @param {Attributes} look
 */
export function line(x, y, words, look) {
  const own = { x, y, direction: "ltr", "unicode-bidi": "isolate", "xml:space": "preserve" };
  return tag("text", { ...own, ...look }, escapeText(words));
}

/**
 * A share of one colour over another, as `color-mix` in sRGB; colours are #rrggbb.
 * @param {string} colour
 * @param {number} share 0 to 1
 * @param {string} ground
 */
export function mix(colour, share, ground) {
  const parts = [1, 3, 5].map((at) => {
    const [over, under] = [colour, ground].map((each) => parseInt(each.slice(at, at + 2), 16));
    return Math.round(over * share + under * (1 - share)).toString(16).padStart(2, "0");
  });
  return "#" + parts.join("");
}

/**
 * The four radii of a CSS shorthand with one to four values, clockwise from the top left.
 * @param {number[]} corners
 */
function fourCorners([first, second = first, third = first, fourth = second]) {
  return [first, second, third, fourth];
}

/**
 * The outline of a box with round corners, as CSS draws it: radii that don't fit shrink together.
 * @param {{ x: number, y: number, width: number, height: number }} box
 * @param {number[]} corners one to four radii
 * @param {number} [inset] how far within the box
 */
export function outline({ x, y, width, height }, corners, inset = 0) {
  const radii = fourCorners(corners);
  const sides = [width, height, width, height];
  const fits = sides.map((side, at) => side / Math.max(side, radii[at] + radii[(at + 1) % 4]));
  const [a, b, c, d] = radii.map((radius) => round(Math.max(0, radius * Math.min(...fits) - inset)));
  const [left, top, right, bottom] = [x + inset, y + inset, x + width - inset, y + height - inset].map(round);
  /** @param {number} radius @param {number} toX @param {number} toY */
  const arc = (radius, toX, toY) => (radius ? `A${radius} ${radius} 0 0 1 ${round(toX)} ${round(toY)}` : "");
  return (
    `M${round(left + a)} ${top}H${round(right - b)}${arc(b, right, top + b)}` +
    `V${round(bottom - c)}${arc(c, right - c, bottom)}H${round(left + d)}${arc(d, left, bottom - d)}` +
    `V${round(top + a)}${arc(a, left + a, top)}Z`
  );
}
