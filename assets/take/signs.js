/* The signs of the page in a picture: boxes, edges and lines under tokens look as its style sheets say
   (player/tree.css, player/text.css, origins.json). Lengths are in px unless stated otherwise. */

import { CHIP_HEIGHT } from "../player/layout.js";
import { ORIGINS } from "../player/origins.js";
import { mix, outline, tag } from "./svg.js";

/** @import { Attributes } from "../player/types.js" */

/** The colours of `player/base.css` on a light background. */
export const INK = { text: "#1b2430", soft: "#4b5563", ground: "#ffffff", line: "#7b8593", hair: "#dfe3e8" };

const THIN = 0.13; // em, as the widths below
const THICK = 0.2;

/**
 * The colour of an origin, or of a part without one.
 * @param {string | null} origin
 */
export const inkOf = (origin) => (origin && ORIGINS[origin] ? ORIGINS[origin].colour.light : INK.text);

/**
 * How a border or a line is interrupted, as browsers do it: dashes twice as long as it is wide, round dots.
 * @param {string} style of CSS
 * @param {number} width
 * @returns {Attributes}
 */
function dashes(style, width) {
  if (style === "dashed") return { "stroke-dasharray": `${2.2 * width} ${1.6 * width}` };
  if (style === "dotted") return { "stroke-dasharray": `0 ${2 * width}`, "stroke-linecap": "round" };
  return {};
}

/** @type {Record<string, string>} */
const STATE_BORDERS = { rejected: "dashed", uncompared: "dotted" };

/**
 * The box of a node. Without a state, nothing is known of its fate yet.
 * @param {{ x: number, y: number, width: number }} place
 * @param {number} letter px of a letter height
 * @param {string | null} origin
 * @param {string | null} state
 */
export function chip({ x, y, width }, letter, origin, state) {
  const own = inkOf(origin);
  const box = { x, y, width, height: CHIP_HEIGHT * letter };
  const corners = (origin ? ORIGINS[origin].corners : [0.15]).map((each) => each * letter);
  const accepted = state === "accepted";
  const border = origin ? doubleBorder(origin) : 0;
  const fill = accepted ? mix(own, 0.26, INK.ground) : INK.ground;
  if (border) {
    const each = (border * letter) / 3;
    return (
      tag("path", { d: outline(box, corners, each / 2), fill, stroke: own, "stroke-width": each }) +
      tag("path", { d: outline(box, corners, 2.5 * each), fill: "none", stroke: own, "stroke-width": each })
    );
  }
  const thick = accepted ? Math.max(3, THICK * letter) : Math.max(2, THIN * letter);
  const stroke = state === "uncompared" ? mix(own, 0.6, INK.ground) : own;
  const look = { fill, stroke, "stroke-width": thick, ...dashes(STATE_BORDERS[state || ""], thick) };
  return tag("path", { d: outline(box, corners, thick / 2), ...look });
}

/**
 * The width of a border of two lines; 0 for an origin without one.
 * @param {string} origin
 */
function doubleBorder(origin) {
  const match = /^([\d.]+)em double/.exec(ORIGINS[origin].chip.border || "");
  return match ? Number(match[1]) : 0;
}

/**
 * The look of an edge; lengths in letter heights, as in its path.
 * @param {string} kind
 * @param {string | null} origin
 * @param {string | null} state
 * @returns {Attributes}
 */
export function edgeLook(kind, origin, state) {
  const { edge = {}, edge_accepted: accepted = {} } = origin ? ORIGINS[origin] : {};
  const own = kind === "trunk" || !origin ? INK.line : inkOf(origin);
  const stroke = kind === "trunk" ? own : mix(own, state === "uncompared" ? 0.55 : 0.85, INK.ground);
  const look = { fill: "none", stroke, "stroke-width": 0.11, ...(kind === "drop" ? {} : edge) };
  if (state !== "accepted" || kind === "trunk" || kind === "bus") return look;
  return { ...look, ...accepted, stroke: INK.text, "stroke-width": 0.26 };
}

const UNDER = 3; // px, the width of the line under a token

/**
 * The line under a token of the text that has an origin, and the background behind it.
 * @param {{ x: number, y: number, width: number, height: number }} box
 * @param {string} origin
 * @param {boolean} now whether the step at hand added the token
 */
export function underline({ x, y, width, height }, origin, now) {
  const style = ORIGINS[origin].underline;
  const own = inkOf(origin);
  const bottom = y + height - UNDER / 2;
  const isRoot = style.background === "none";
  const share = isRoot ? 0 : now ? 0.3 : 0.14;
  const ground = tag("rect", { x, y, width, height, fill: mix(own, share, INK.ground) });
  const kind = underlineKind(style);
  const look = { fill: "none", stroke: own, "stroke-width": kind === "double" ? UNDER / 3 : UNDER };
  const [from, to] = [x + 0.5, x + width - 0.5];
  if (kind === "wavy") return ground + tag("path", { d: wave(from, to, bottom - 1), ...look, "stroke-width": 2 });
  const flat = (/** @type {number} */ at) => `M${from} ${at}H${to}`;
  const d = kind === "double" ? flat(bottom - 1) + flat(bottom + 1) : flat(bottom);
  return ground + tag("path", { d, ...look, ...dashes(kind, UNDER) });
}

/** @param {Record<string, string>} style */
function underlineKind(style) {
  if (/wavy/.test(style["text-decoration"] || "")) return "wavy";
  return style["border-bottom-style"] || "solid";
}

/** @param {number} from @param {number} to @param {number} y */
function wave(from, to, y) {
  let d = `M${from} ${y}`;
  for (let x = from, up = true; x < to; x += 4, up = !up) d += `q2 ${up ? -4 : 4} 4 0`;
  return d;
}
