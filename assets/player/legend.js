/* The legend: a chip as in the tree, and its name underlined as tokens in the text are. */

import { oneStop, term } from "../page/gloss.js";
import { t } from "../page/i18n.js";
import { LAST_BEAT } from "./beats.js";
import { el } from "./dom.js";
import { stretchesShown } from "./links.js";
import { ORIGINS, ORIGIN_NAMES } from "./origins.js";
import { verdictOf } from "./trace.js";
import { STATE_TITLES } from "./words.js";

/** @import { Frame, Trace } from "./types.js" */

const VERDICT = 4; // the first beat that shows states

const LEGEND_SOURCES = {
  copy: [t("step.source"), t("step.source-meaning")],
  match: [t("step.match"), t("step.match-meaning")],
};

/** @type {Record<string, string>} the terms of items */
const GLOSSES = {
  root: "root",
  logit: "runner-up",
  retrieved: "retrieved",
  recycled: "recycled",
  suffix: "suffix",
  accepted: "accepted",
  rejected: "rejected",
  uncompared: "not-compared",
  match: "n-gram",
};

/** The signs under nodes. */
const SIGNS = ["→", "✓", "✗"];

/** The meaning of colours, shapes and lines, for the origins that the run uses. */
export function createLegend() {
  const origins = ORIGIN_NAMES.map(originItem);
  const states = Object.entries(STATE_TITLES).map(stateItem);
  const sources = Object.entries(LEGEND_SOURCES).map(sourceItem);
  const signs = SIGNS.map(signItem);
  const groups = [
    legendGroup(t("step.legend-from"), origins),
    legendGroup(t("step.legend-became"), states),
    legendGroup(t("step.signs"), signs),
    legendGroup(t("step.legend-copied"), sources),
  ];
  const element = el("div", { class: "ls-legend", role: "group", "aria-label": t("step.legend") }, ...groups);
  oneStop(element);
  const all = [...origins, ...states, ...signs, ...sources];
  /** @param {{ trace: Trace | null } | Frame} about */
  const paint = (about) => {
    const { trace } = about;
    const inSight = "settings" in about && about.settings.stage ? signsInSight(about) : null;
    for (const each of all) each.hidden = inSight !== null && !inSight.has(each.dataset.legend || "");
    if (inSight) return;
    ORIGIN_NAMES.forEach((origin, at) => {
      origins[at].hidden = !ORIGINS[origin].always && !(trace && trace.uses.has(origin));
    });
  };
  paint({ trace: null });
  return { element, paint };
}

/**
 * The signs that a stage shows at a beat, where one panel is in sight at a time.
 * @param {Frame} frame
 */
function signsInSight(frame) {
  const { step, beat } = frame;
  /** @type {Set<string>} */
  const signs = new Set();
  if (!step) return signs;
  const nodes = beat === 1 ? [0] : beat === LAST_BEAT ? step.row.path : step.states.map((_, node) => node);
  for (const node of nodes) signs.add(step.origins[node].origin);
  if (beat === 1 && step.origins.some(({ origin }) => origin === "logit")) signs.add("logit");
  if (beat === VERDICT) for (const state of step.states) signs.add(state);
  if (beat >= VERDICT - 1) signs.add("wants");
  const verdicts = beat < VERDICT ? [] : step.row.path.map((node) => verdictOf(step, node));
  if (verdicts.includes("✓")) signs.add("yes");
  if (verdicts.includes("✗")) signs.add("no");
  if (beat === LAST_BEAT && stretchesShown(frame).stretches.length) for (const kind of Object.keys(LEGEND_SOURCES)) signs.add(kind);
  return signs;
}

/** @param {string} title @param {HTMLElement[]} items */
function legendGroup(title, items) {
  return el("ul", { class: "ls-legend-group", "aria-label": title }, ...items);
}

/**
 * An item: a drawing for the eye, a name, and its meaning, on hover and for screen readers.
 * @param {string} name
 * @param {Node} swatch
 * @param {Node | string} word
 * @param {string} [meaning]
 */
function legendItem(name, swatch, word, meaning) {
  const gloss = GLOSSES[name];
  const attributes = { class: "ls-legend-item", "data-legend": name, title: meaning || null };
  const spoken = meaning ? el("span", { class: "ls-spoken" }, t("player.comma") + meaning) : null;
  if (word instanceof HTMLElement && gloss) word.replaceChildren(term(gloss, word.textContent));
  return el("li", attributes, swatch, gloss && typeof word === "string" ? term(gloss, word) : word, spoken);
}

/** @param {Record<string, any>} attributes @param {...(Node | string | null)} inside */
function legendChip(attributes, ...inside) {
  return el("span", { class: "ls-swatch ls-chip", "aria-hidden": "true", ...attributes }, ...inside);
}

/** @param {string} origin */
function originItem(origin) {
  const own = { "data-legend-origin": origin };
  const { name, meaning } = ORIGINS[origin];
  const rank = origin === "logit" ? el("span", { class: "ls-rank" }, "7") : null;
  const word = el("span", { class: "ls-token ls-legend-word", ...own }, name);
  return legendItem(origin, legendChip(own, rank, "ab"), word, meaning);
}

/** @param {[state: string, title: string]} entry */
function stateItem([state, title]) {
  return legendItem(state, legendChip({ "data-legend-state": state }, "ab"), title);
}

/** @param {string} sign */
function signItem(sign) {
  const name = { "→": "wants", "✓": "yes", "✗": "no" }[sign] || "";
  const swatch = el("span", { class: "ls-swatch ls-sign", "aria-hidden": "true" }, sign);
  return legendItem(name, swatch, t(`step.sign-${name}`));
}

/** @param {[kind: string, words: string[]]} entry */
function sourceItem([kind, [name, meaning]]) {
  const swatch = el("span", { class: "ls-swatch", "aria-hidden": "true", "data-source": kind }, "ab");
  return legendItem(kind, swatch, name, meaning);
}
