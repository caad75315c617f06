/* A still of one step as SVG, for slides. All numbers are whole. */

import { t } from "../page/i18n.js";
import { ORIGINS, ORIGIN_NAMES } from "./origins.js";
import { HIDDEN, codePoint, spell } from "./spelling.js";
import { originAt, visibleTokens } from "./trace.js";
import { STATE_TITLES, outcomeSentence } from "./words.js";

/** @import { Segment, Step, StillLayout, Trace } from "./types.js" */

const STILL = { margin: 24, wide: 1280, cell: 8, small: 7, chip: 24, row: 48, gap: 28, apart: 8, pad: 8 };
const STILL_TREE = 152;
const STILL_LEGEND = 32;
const STILL_LETTERS = 28;
const STILL_INK = { ink: "#1f2937", soft: "#4b5563", line: "#7b8593", paper: "#ffffff" };

/** @type {Record<string, string>} */
const STILL_DASHES = { accepted: "", rejected: "", uncompared: ' stroke-dasharray="2 3"' };
const STILL_FONTS = "ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace";

const STILL_WIDE = [
  [0x1100, 0x115f], [0x2e80, 0xa4cf], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe30, 0xfe6f],
  [0xff00, 0xff60], [0x1f300, 0x1faff], [0x20000, 0x3ffff],
];

/**
 * Step `number` (1-based) as an SVG document.
 * @param {Trace} trace
 * @param {number} number
 * @returns {string}
 */
export function stillPicture(trace, number) {
  const step = trace.steps[number - 1];
  const words = step.row.tokens.map((token) => stillLabel(trace, token));
  const layout = stillLayout(step, words);
  const { margin, wide, row } = STILL;
  const width = Math.max(wide, layout.right + margin);
  const below = STILL_TREE + layout.free * row;
  const height = below + STILL_LEGEND + 80;
  const heading = t("player.step-of", { step: number, steps: trace.steps.length });
  const sentence = stillOutcome(step);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}"` +
      ` height="${height}" role="img" aria-labelledby="title desc" font-family="${STILL_FONTS}">`,
    `<title id="title">${heading}</title>`,
    `<desc id="desc">${sentence}</desc>`,
    `<rect width="${width}" height="${height}" fill="${STILL_INK.paper}"/>`,
    stillText(margin, 40, heading, STILL_INK.ink, 20, "bold"),
    stillText(margin, 66, sentence, STILL_INK.soft),
    ...stillSequence(trace, number),
    ...stillEdges(step, layout),
    ...words.flatMap((_, node) => stillNode(trace, step, layout, words, node)),
    ...stillLegend(trace, below + STILL_LEGEND),
    "</svg>",
  ];
  return lines.join("\n") + "\n";
}

/** @param {string} origin */
const stillColour = (origin) => ORIGINS[origin].colour.light;

/** @param {Step} step */
function stillOutcome(step) {
  return t("player.still-outcome", { outcome: outcomeSentence(step), n: step.row.path.length });
}

/**
 * A token on one line, with signs for invisible characters; long tokens are cut.
 * @param {Trace} trace
 * @param {number} token
 * @param {string} [space]
 */
function stillLabel(trace, token, space = "␣") {
  const bytes = trace.bytes.get(token);
  if (!bytes) return `⟨#${token}⟩`;
  const letters = [...stillVisible(bytes).replaceAll(" ", space)];
  if (letters.length <= STILL_LETTERS) return letters.join("");
  return letters.slice(0, STILL_LETTERS - 1).join("") + "…";
}

/** @param {Uint8Array} bytes */
function stillVisible(bytes) {
  const visible = (/** @type {Segment} */ { text, hex }) => (text === undefined ? `⟨${(hex || "").replaceAll(" ", ".")}⟩` : stillLetters(text));
  return spell([bytes])[0].map(visible).join("");
}

/** @param {string} text */
function stillLetters(text) {
  /** @type {Record<string, string>} */
  const signs = { "\n": "↵", "\t": "⇥" };
  return [...text].map((letter) => (HIDDEN.test(letter) ? codePoint(letter) : signs[letter] || letter)).join("");
}

/**
 * The width of a text in letters; East Asian letters and emoji take two.
 * @param {string} text
 */
function stillCells(text) {
  /** @param {number} code */
  const takesTwo = (code) => STILL_WIDE.some(([from, to]) => from <= code && code <= to);
  return [...text].reduce((sum, letter) => sum + (takesTwo(letter.codePointAt(0) || 0) ? 2 : 1), 0);
}

/** @param {string} text */
export function stillEscaped(text) {
  /** @type {Record<string, string>} */
  const entities = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };
  return text.replace(/[&<>"']/g, (letter) => `&${entities[letter]};`);
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {string} fill
 * @param {number} [size]
 * @param {string} [weight]
 */
function stillText(x, y, text, fill, size = 13, weight = "") {
  const bold = weight ? ` font-weight="${weight}"` : "";
  return (
    `<text x="${x}" y="${y}" fill="${fill}" font-size="${size}"${bold} direction="ltr"` +
    ` unicode-bidi="isolate-override" xml:space="preserve">${stillEscaped(text)}</text>`
  );
}

/**
 * Where the nodes stand: one branch per row, children to the right of their parent, the accepted path
 * straight on; siblings without children side by side.
 * @param {Step} step
 * @param {string[]} words
 */
function stillLayout(step, words) {
  const layout = { step, words, at: [], first: words.map(() => true), free: 0, right: 0 };
  stillPlace(layout, 0, STILL.margin, 0);
  return layout;
}

/** @param {StillLayout} layout @param {number} node */
function stillWidth({ step, words }, node) {
  const { origin, rank } = step.origins[node];
  const badge = origin === "logit" ? `#${rank}`.length + 1 : 0;
  return 2 * STILL.pad + STILL.cell * stillCells(words[node]) + STILL.small * badge;
}

/** @param {StillLayout} layout @param {number} node @param {number} x @param {number} row */
function stillSet(layout, node, x, row) {
  layout.at[node] = [x, row];
  layout.free = Math.max(layout.free, row + 1);
  const end = x + stillWidth(layout, node);
  layout.right = Math.max(layout.right, end);
  return end;
}

/** @param {StillLayout} layout @param {number} node @param {number} x @param {number} row */
function stillPlace(layout, node, x, row) {
  const column = stillSet(layout, node, x, row) + STILL.gap;
  const { parents, path } = layout.step.row;
  const children = parents.flatMap((parent, child) => (parent === node ? [child] : []));
  const ordered = [...children.filter((c) => path.includes(c)), ...children.filter((c) => !path.includes(c))];
  /** @param {number} child */
  const isInner = (child) => path.includes(child) || parents.includes(child);
  const inner = ordered.filter(isInner);
  inner.forEach((child, order) => stillPlace(layout, child, column, order ? layout.free : row));
  const leaves = ordered.filter((child) => !isInner(child));
  stillSideBySide(layout, leaves, column, inner.length ? layout.free : row);
}

/** @param {StillLayout} layout @param {number[]} leaves @param {number} column @param {number} start */
function stillSideBySide(layout, leaves, column, start) {
  let [x, row] = [column, start];
  for (const leaf of leaves) {
    if (x > column && x + stillWidth(layout, leaf) > STILL.wide - STILL.margin) [x, row] = [column, layout.free];
    layout.first[leaf] = x === column;
    x = stillSet(layout, leaf, x, row) + STILL.apart;
  }
}

/**
 * Lines from every parent to its children; of those side by side only to the first.
 * @param {Step} step
 * @param {StillLayout} layout
 */
function stillEdges({ row, states }, layout) {
  /** @param {number} node */
  const height = (node) => STILL_TREE + layout.at[node][1] * STILL.row + STILL.chip / 2;
  return row.parents.flatMap((parent, node) => {
    if (parent < 0 || !layout.first[node]) return [];
    const start = layout.at[parent][0] + stillWidth(layout, parent);
    const end = layout.at[node][0];
    const bold = states[node] === "accepted" ? 3 : 1;
    return [
      `<path d="M${start} ${height(parent)}H${end - STILL.gap / 2}V${height(node)}H${end}" fill="none"` +
        ` stroke="${STILL_INK.line}" stroke-width="${bold}"${STILL_DASHES[states[node]]}/>`,
    ];
  });
}

/**
 * @param {Trace} trace
 * @param {Step} step
 * @param {StillLayout} layout
 * @param {string[]} words
 * @param {number} node
 */
function stillNode(trace, step, layout, words, node) {
  const { origin, rank } = step.origins[node];
  const state = step.states[node];
  const [x, row] = layout.at[node];
  const y = STILL_TREE + row * STILL.row;
  const width = stillWidth(layout, node);
  const lines = [stillBox(x, y, width, origin, state)];
  const accepted = state === "accepted";
  let start = x + STILL.pad;
  if (origin === "logit") {
    const badge = `#${rank}`;
    lines.push(stillText(start, y + 16, badge, accepted ? STILL_INK.paper : stillColour(origin), 11, "bold"));
    start += STILL.small * (badge.length + 1);
  }
  lines.push(stillText(start, y + 16, words[node], accepted ? STILL_INK.paper : STILL_INK.ink));
  if (state === "rejected") {
    lines.push(`<path d="M${x + 4} ${y + 12}H${x + width - 4}" stroke="${stillColour(origin)}"/>`);
  }
  if (accepted) {
    const choice = "→ " + stillLabel(trace, step.row.choices[node]);
    lines.push(stillText(x + 2, y + STILL.chip + 13, choice, STILL_INK.soft, 11));
  }
  return lines;
}

/**
 * Round ends for runners-up, square corners for the root; filled when accepted.
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {string} origin
 * @param {string} state
 */
function stillBox(x, y, width, origin, state) {
  const radius = ORIGINS[origin].picture_radius;
  const fill = state === "accepted" ? stillColour(origin) : STILL_INK.paper;
  return (
    `<rect x="${x}" y="${y}" width="${width}" height="${STILL.chip}" rx="${radius}" fill="${fill}"` +
    ` stroke="${stillColour(origin)}" stroke-width="2"${STILL_DASHES[state]}/>`
  );
}

/**
 * The end of the text before the step, and the tokens that the step added.
 * @param {Trace} trace
 * @param {number} number
 */
function stillSequence(trace, number) {
  const [from, to] = [visibleTokens(trace, number - 1), visibleTokens(trace, number)];
  /** @type {(position: number, space?: string) => [string, string]} */
  const piece = (position, space) => [stillLabel(trace, trace.ids[position], space), originAt(trace, position)];
  /** @type {[string, string][]} */
  const added = [];
  for (let position = from; position < to; position += 1) added.push(piece(position));
  let room = Math.floor((STILL.wide - 2 * STILL.margin) / STILL.cell) - 2;
  for (const [text] of added) room -= stillCells(text) + 2;
  let start = from;
  /** @type {[string, string][]} */
  const before = [];
  while (start > 0 && stillCells(piece(start - 1, " ")[0]) <= room) {
    start -= 1;
    before.unshift(piece(start, " "));
    room -= stillCells(before[0][0]);
  }
  return stillLine(start > 0, before, added);
}

/** @param {boolean} cut @param {[string, string][]} before @param {[string, string][]} added */
function stillLine(cut, before, added) {
  const lines = [];
  let x = STILL.margin;
  if (cut) {
    lines.push(stillText(x, 108, "…", STILL_INK.soft));
    x += 2 * STILL.cell;
  }
  for (const [text, origin] of before) {
    const width = STILL.cell * stillCells(text);
    const isPrompt = origin === "prompt";
    lines.push(stillText(x, 108, text, isPrompt ? STILL_INK.ink : stillColour(origin)));
    if (!isPrompt) lines.push(`<path d="M${x} 114H${x + width - 1}" stroke="${stillColour(origin)}"/>`);
    x += width;
  }
  for (const [text, origin] of added) {
    const width = STILL.cell * stillCells(text) + 10;
    lines.push(stillBox(x + 3, 91, width, origin, "accepted"));
    lines.push(stillText(x + 8, 107, text, STILL_INK.paper));
    x += width + 6;
  }
  return lines;
}

/**
 * The origins that occur in the run, and the three fates.
 * @param {Trace} trace
 * @param {number} y
 */
function stillLegend(trace, y) {
  const { margin, wide, small } = STILL;
  const lines = [`<path d="M${margin} ${y - 16}H${wide - margin}" stroke="#dfe3e8"/>`];
  let x = margin;
  for (const origin of ORIGIN_NAMES.filter((name) => trace.uses.has(name))) {
    const words = ORIGINS[origin].title;
    lines.push(stillBox(x, y, 28, origin, "accepted"));
    lines.push(stillText(x + 36, y + 16, words, STILL_INK.ink, 12));
    x += 36 + small * stillCells(words) + 24;
  }
  x = margin;
  for (const [state, words] of Object.entries(STATE_TITLES)) {
    lines.push(stillBox(x, y + 32, 28, "root", state));
    if (state === "rejected") {
      lines.push(`<path d="M${x + 4} ${y + 44}H${x + 24}" stroke="${stillColour("root")}"/>`);
    }
    lines.push(stillText(x + 36, y + 48, words, STILL_INK.ink, 12));
    x += 36 + small * stillCells(words) + 24;
  }
  lines.push(stillText(x, y + 48, t("player.still-choice"), STILL_INK.soft, 12));
  return lines;
}
