/* A still of one step as SVG, 16:9, for slides: the tree as the page draws it, at rest or at one of its beats. */

import { LAST_BEAT } from "../player/beats.js";
import { originOfEdge, stateOfEdge } from "../player/edges.js";
import { CHIP_HEIGHT, layOutTree } from "../player/layout.js";
import { lettersIn, nodeWidths } from "../player/nodes.js";
import { ORIGINS, ORIGIN_NAMES } from "../player/origins.js";
import { beatWords } from "../player/sentence.js";
import { drawnText, shortened } from "../player/spelling.js";
import { originAt, spellSequence, spellToken, verdictOf, visibleTokens } from "../player/trace.js";
import { STATE_TITLES, sentences } from "../player/words.js";
import { MONO, SANS } from "./fonts.js";
import { INK, chip, edgeLook, inkOf, underline } from "./signs.js";
import { escapeText, line, outline, round, tag } from "./svg.js";
import { language, t } from "../page/i18n.js";

/** @import { Layout, Segment, Trace } from "../player/types.js" */
/** @import { Still } from "./types.js" */

export const PICTURE_WIDTH = 1280;
export const PICTURE_HEIGHT = 720;

const MARGIN = 40;
const ROOM = { width: PICTURE_WIDTH - 2 * MARGIN, top: 196, height: 424 };
const LARGEST = 34; // px of a letter height
const SMALLEST = 9;
const LETTER = 0.605; // the width of a letter in a monospaced font, in letter heights
const SANS_LETTER = 0.58; // at most, on average
const BOLD_LETTER = 0.64; // the same in bold
const TEXT = { size: 18, y: 146, height: 29 };
const LEGEND = 654;

/**
 * A step as an SVG document.
 * @param {Trace} trace
 * @param {number} number the step's, from 1
 * @param {number} [beat] 1 to 5: what is known by then is shown
 * @returns {string}
 */
export function stillPicture(trace, number, beat = LAST_BEAT) {
  const step = trace.steps[number - 1];
  /** @type {Still} */
  const still = { trace, number, step, beat };
  const { headline, sentence } = beatWords(trace, number, beat);
  const heading = t("player.step-of", { step: number, steps: trace.steps.length });
  const size = { viewBox: `0 0 ${PICTURE_WIDTH} ${PICTURE_HEIGHT}`, width: PICTURE_WIDTH, height: PICTURE_HEIGHT };
  const about = { role: "img", lang: language, "font-family": SANS };
  const parts = [
    `<title>${escapeText(heading)}</title>`,
    `<desc>${escapeText(sentences(t("player.full-stop", { text: headline.replace(/[.。]$/, "") }), sentence))}</desc>`,
    tag("rect", { width: PICTURE_WIDTH, height: PICTURE_HEIGHT, fill: INK.ground }),
    line(MARGIN, 46, heading, { fill: INK.soft, "font-size": 17 }),
    line(MARGIN, 80, headline, { fill: INK.text, "font-size": headlineSize(headline), "font-weight": "bold" }),
    ...wrap(sentence, 17).map((words, at) => line(MARGIN, 106 + 22 * at, words, { fill: INK.soft, "font-size": 17 })),
    tag("g", { class: "text", "font-family": MONO, "font-size": TEXT.size }, textLine(still)),
    treeGroup(still),
    tag("g", { class: "legend", "font-size": 14 }, legend(still)),
  ];
  return tag("svg", { xmlns: "http://www.w3.org/2000/svg", ...size, ...about }, "\n" + parts.join("\n") + "\n") + "\n";
}

/**
 * What is known of a node by a beat: before the verdict, that the root is certain.
 * @param {Still} still
 * @param {number} node
 */
const stateAt = ({ step, beat }, node) => (beat < 4 && node > 0 ? null : step.states[node]);

/* Words */

/** At most 25 px, and as small as it takes for one line, since German headlines are long. @param {string} words */
const headlineSize = (words) => Math.min(25, ROOM.width / (BOLD_LETTER * lettersIn(words)));

/**
 * A sentence in two lines at most; what is longer than any word, such as a line of equals signs, is broken.
 * @param {string} words
 * @param {number} size px
 */
function wrap(words, size) {
  const most = ROOM.width / (SANS_LETTER * size);
  const lines = [""];
  let letters = 0; // of the last line
  for (const piece of words.match(/(?:\u00a0|[^\s\u2e80-\ud7a3\uf900-\uffef]){1,40}[^\S\u00a0]{0,40}|[^\S\u00a0]{1,40}|./gu) || []) {
    const more = lettersIn(piece);
    const full = letters + more > most;
    if (full && lines.length === 2) return [lines[0].trimEnd(), lines[1].trimEnd() + " …"];
    if (full) lines.push("");
    letters = full ? more : letters + more;
    lines[lines.length - 1] += piece;
  }
  return lines.map((each) => each.trimEnd());
}

/** A token on one line, with a shape for every character. @param {Segment[]} segments */
const visible = (segments) => drawnText(shortened(segments));

/**
 * As much of a text as fits.
 * @param {string} text
 * @param {number} width in letters of a monospaced font
 */
function cut(text, width) {
  if (lettersIn(text) <= width) return text;
  let short = "";
  for (const letter of text) {
    if (lettersIn(short + letter) > width - 1) break;
    short += letter;
  }
  return short + "…";
}

/* The text */

/**
 * The end of the text, the tokens that the step added framed; before it is committed, the root that is certain.
 * @param {Still} still
 */
function textLine({ trace, number, step, beat }) {
  const [from, to] = [visibleTokens(trace, number - 1), visibleTokens(trace, number)];
  const end = beat === LAST_BEAT ? to : from;
  const ghost = beat < LAST_BEAT ? visible(spellToken(trace, step.row.tokens[0])) : "";
  const cell = TEXT.size * LETTER;
  let room = ROOM.width / cell - lettersIn(ghost) - 3;
  let start = end;
  while (start > 0 && trace.promptLength) {
    const piece = visible(spellSequence(trace, start - 1, end)[0]);
    room -= lettersIn(piece);
    if (room < 1) break;
    start -= 1;
  }
  let x = MARGIN;
  const parts = [];
  if (start > 0) {
    parts.push(line(x, TEXT.y + 20, "…", { fill: INK.soft }));
    x += cell;
  }
  // Where a step added more than there is room for, it begins at the first token that is shown.
  const frame = { x, y: TEXT.y - 1, width: 0, height: TEXT.height + 2 };
  spellSequence(trace, start, end).forEach((segments, at) => {
    const words = cut(drawnText(shortened(segments), false), 60);
    const width = lettersIn(words) * cell;
    const position = start + at;
    parts.push(textToken({ x, y: TEXT.y, width, height: TEXT.height }, words, originAt(trace, position), position >= from));
    if (position === from) frame.x = x;
    x += width;
    if (position === to - 1) frame.width = x - frame.x;
  });
  if (end === to) parts.push(tag("path", { d: outline(frame, [2], 1), fill: "none", stroke: INK.text, "stroke-width": 2 }));
  if (ghost) parts.push(ghostToken(x + 8, ghost, lettersIn(ghost) * cell));
  return parts.join("");
}

/** @param {{ x: number, y: number, width: number, height: number }} box @param {string} words @param {string} origin @param {boolean} now */
function textToken(box, words, origin, now) {
  const isPrompt = origin === "prompt";
  const look = { fill: isPrompt ? INK.soft : INK.text, "font-weight": now ? "bold" : null };
  const under = isPrompt || !box.width ? "" : underline(box, origin, now);
  return tag("g", { "data-origin": origin }, under + line(box.x, TEXT.y + 20, words, look));
}

/** @param {number} x @param {string} words @param {number} width */
function ghostToken(x, words, width) {
  const box = { x, y: TEXT.y, width: width + 12, height: TEXT.height };
  const frame = tag("path", { d: outline(box, [3], 0.5), fill: "none", stroke: inkOf("root"), "stroke-dasharray": "3 3" });
  return frame + line(x + 6, TEXT.y + 20, words, { fill: INK.text, "font-weight": "bold" });
}

/* The tree */

/**
 * The tree at the largest size at which it fits; a tree that fits at none is scaled down as a whole.
 * @param {Still} still
 */
function treeGroup(still) {
  const { trace, step } = still;
  const widths = nodeWidths(trace, step);
  const at = (/** @type {number} */ letter) => layOutTree(step, widths, ROOM.width / letter);
  const fits = (/** @type {number} */ letter, /** @type {Layout} */ { width, height }) =>
    width * letter <= ROOM.width && height * letter <= ROOM.height;
  let [letter, tooLarge] = [SMALLEST, LARGEST + 1];
  let layout = at(letter);
  while (tooLarge - letter > 1) {
    const size = Math.floor((letter + tooLarge) / 2);
    const larger = at(size);
    if (fits(size, larger)) [letter, layout] = [size, larger];
    else tooLarge = size;
  }
  const shrink = Math.min(1, ROOM.width / (layout.width * letter), ROOM.height / (layout.height * letter));
  const scale = shrink < 1 ? ` scale(${round(shrink * 100) / 100})` : "";
  const nodes = layout.order.filter((node) => still.beat > 1 || node === 0);
  const inside = edges(still, layout, letter) + nodes.map((node) => nodeGroup(still, layout, letter, node)).join("\n");
  return tag("g", { class: "tree", transform: `translate(${MARGIN} ${ROOM.top})${scale}`, "font-family": MONO }, inside);
}

/** @param {Still} still @param {Layout} layout @param {number} letter */
function edges({ step, beat }, layout, letter) {
  if (beat === 1) return "";
  const drawn = layout.edges.map((edge) => ({ edge, state: beat < 4 ? null : stateOfEdge(step, edge) }));
  // The accepted path lies on top of edges that share its line.
  drawn.sort((a, b) => Number(a.state === "accepted") - Number(b.state === "accepted"));
  const paths = drawn.map(({ edge, state }) =>
    tag("path", { "data-edge": edge.node, d: edge.path, ...edgeLook(edge.kind, originOfEdge(step, edge), state) }),
  );
  return tag("g", { class: "edges", transform: `scale(${letter})` }, paths.join("")) + "\n";
}

/** @param {Still} still @param {Layout} layout @param {number} letter @param {number} node */
function nodeGroup(still, layout, letter, node) {
  const { trace, step, beat } = still;
  const place = layout.nodes[node];
  const [x, y, width] = [place.x * letter, place.y * letter, place.width * letter];
  const { origin, rank } = step.origins[node];
  const state = stateAt(still, node);
  const base = y + 1.17 * letter;
  let left = x + (origin === "root" ? 0.81 : 0.63) * letter;
  const parts = [chip({ x, y, width }, letter, origin, state)];
  if (origin === "logit") {
    const fill = state === "accepted" ? INK.text : inkOf(origin);
    parts.push(line(left, base, String(rank), { fill, "font-size": 0.87 * letter, "font-family": SANS }));
    left += (0.45 + 0.52 * String(rank).length) * letter;
  }
  const isSoft = state === "uncompared" || (state === "rejected" && beat === LAST_BEAT);
  const look = { fill: isSoft ? INK.soft : INK.text, "font-size": letter, "font-weight": state === "accepted" ? "bold" : null };
  const most = (x + width - 0.4 * letter - left) / (LETTER * letter) + 0.2;
  parts.push(line(left, base, cut(visible(spellToken(trace, step.row.tokens[node])), most), look));
  if (beat === 3 || (beat > 3 && step.row.path.includes(node))) parts.push(choice(still, node, x, y + CHIP_HEIGHT * letter, letter));
  return tag("g", { "data-node": node, "data-origin": origin, "data-state": state }, parts.join(""));
}

/**
 * Under a node, what the target wants after it; once that is decided, only along the accepted path, and whether it
 * was drafted.
 * @param {Still} still
 * @param {number} node
 * @param {number} x
 * @param {number} y the lower edge of the node's box
 * @param {number} letter
 */
function choice(still, node, x, y, letter) {
  const { trace, step, beat } = still;
  const words = cut(visible(spellToken(trace, step.row.choices[node])), 8.5);
  const verdict = beat > 3 ? verdictOf(step, node) : "";
  const text = `→ ${words}${verdict && " " + verdict}`;
  return line(x + 0.05 * letter, y + 0.98 * letter, text, { fill: INK.text, "font-size": 0.86 * letter });
}

/* The legend */

/**
 * The signs that are in sight, as in the page's legend.
 * @param {Still} still
 */
function legend(still) {
  const { step, beat } = still;
  const shown = beat === 1 ? step.origins.slice(0, 1) : step.origins;
  const names = ORIGIN_NAMES.filter((name) => shown.some(({ origin }) => origin === name));
  const states = Object.keys(STATE_TITLES).filter((state) => beat > 3 && step.states.slice(1).includes(/** @type {any} */ (state)));
  const items = [
    ...names.map((name) => ({ origin: name, state: null, words: ORIGINS[name].name })),
    ...states.map((state) => ({ origin: null, state, words: STATE_TITLES[state] })),
  ];
  let x = MARGIN;
  const drawn = items.map(({ origin, state, words }) => {
    const width = origin === "logit" ? 44 : 36;
    const item = legendItem(x, width, origin, state, words);
    x += width + 8 + lengthOf(words) + 26;
    return item;
  });
  const signs = beat < 3 ? [] : [`→ ${t("step.sign-wants")}`];
  if (beat > 3) signs.push(`✓ ${t("step.sign-yes")}`, `✗ ${t("step.sign-no")}`);
  x = MARGIN;
  for (const words of signs) {
    drawn.push(line(x, LEGEND + 44, words, { fill: INK.soft }));
    x += lengthOf(words) + 26;
  }
  return drawn.join("");
}

/** About how long words of the legend are. @param {string} words */
const lengthOf = (words) => lettersIn(words) * 14 * SANS_LETTER;

/** @param {number} x @param {number} width @param {string | null} origin @param {string | null} state @param {string} words */
function legendItem(x, width, origin, state, words) {
  const look = { "font-family": MONO, fill: state === "uncompared" ? INK.soft : INK.text, "font-weight": state === "accepted" ? "bold" : null };
  const rank = origin === "logit" ? line(x + 9, LEGEND + 17, "7", { fill: inkOf(origin), "font-size": 12 }) : "";
  const parts = [
    chip({ x, y: LEGEND, width }, 14, origin, state),
    rank,
    line(x + width - 27 + (origin === "logit" ? 0 : 1), LEGEND + 17, "ab", look),
    line(x + width + 8, LEGEND + 17, words, { fill: INK.text }),
  ];
  return tag("g", { "data-legend": origin || state }, parts.join(""));
}
