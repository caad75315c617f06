/* The ways that ties take: past words and nodes, not across them. Boxes are {left, right, top, bottom} in px;
   a way is {start: {x, y}, curve, head}: where it begins, and the paths of its line and its arrow head. */

/** @import { Box, Point } from "./types.js" */

const WAY_BEND = 6;
const WAY_ABOVE = 8; // between rows of nodes

/** @param {number} x @param {number} y */
const roundPoint = (x, y) => ({ x: Math.round(x), y: Math.round(y) });
/** @param {number} a @param {number} b */
const between = (a, b) => (a + b) / 2;

/** @param {Box} box @param {Box} origin */
export const shifted = (box, origin) => ({
  left: box.left - origin.left,
  right: box.right - origin.left,
  top: box.top - origin.top,
  bottom: box.bottom - origin.top,
});

/**
 * From a box in or at the text to a node outside it: between the lines of the text to its edge (the right
 * one when the node is to the right of the text, else the left one), along that, and over the node's row.
 * @param {Box} from
 * @param {Box} to
 * @param {Box} text
 */
export function aroundText(from, to, text) {
  const beside = to.left >= text.right;
  const start = roundPoint(beside ? from.right : from.left, from.bottom + 2);
  const end = topOf(to);
  const edge = beside ? Math.max(from.right, text.right) + 5 : text.left + 7;
  const row = end.y - WAY_ABOVE;
  const points = [start, roundPoint(edge, start.y), roundPoint(edge, row), roundPoint(end.x, row), end];
  return { start, curve: roundedWay(points), head: wayHead(end, "down") };
}

/**
 * From a rank, which is listed under the text, to a node to the right of both: along the edge of the text, and over
 * the node's row, where there is no other node.
 * @param {Box} from
 * @param {Box} to
 * @param {Box} text
 */
export function fromRank(from, to, text) {
  const start = roundPoint(from.right, between(from.top, from.bottom));
  const end = topOf(to);
  const edge = Math.max(from.right, text.right) + 9;
  const row = end.y - WAY_ABOVE;
  const points = [start, roundPoint(edge, start.y), roundPoint(edge, row), roundPoint(end.x, row), end];
  return { start, curve: roundedWay(points), head: wayHead(end, "down") };
}

/**
 * From a source to a token, both in the text: down to the top of the token, or up to its bottom.
 * @param {Box} from
 * @param {Box} to
 */
export function withinText(from, to) {
  const up = to.top < from.top;
  const start = roundPoint(between(from.left, from.right), up ? from.top : from.bottom);
  const end = up ? { ...topOf(to), y: Math.round(to.bottom) + 2 } : topOf(to);
  const leave = roundPoint(start.x, start.y + (up ? -24 : 24));
  const arrive = roundPoint(end.x, end.y + (up ? 44 : -44));
  const curve = `M${start.x} ${start.y}C${leave.x} ${leave.y} ${arrive.x} ${arrive.y} ${end.x} ${end.y}`;
  return { start, curve, head: wayHead(end, up ? "up" : "down") };
}

/** @param {Box} box */
const topOf = ({ left, right, top }) => roundPoint(left + Math.min(14, (right - left) / 2), top - 2);

/**
 * Straight lines from point to point with round corners.
 * @param {Point[]} points
 */
function roundedWay(points) {
  /** @param {Point} from @param {Point} to */
  const towards = (from, to) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const share = Math.min(WAY_BEND, length / 2) / length;
    return `${Math.round(from.x + (to.x - from.x) * share)} ${Math.round(from.y + (to.y - from.y) * share)}`;
  };
  const bends = points.slice(1, -1).map((corner, at) => {
    return `L${towards(corner, points[at])}Q${corner.x} ${corner.y} ${towards(corner, points[at + 2])}`;
  });
  const last = points[points.length - 1];
  return `M${points[0].x} ${points[0].y}${bends.join("")}L${last.x} ${last.y}`;
}

/** @param {Point} point @param {"right" | "down" | "up"} towards */
const wayHead = ({ x, y }, towards) =>
  `M${x} ${y}` + { right: "l-8 -4.5v9z", down: "l-4.5 -8h9z", up: "l-4.5 8h9z" }[towards];
