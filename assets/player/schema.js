/* What a file of a run or of a race may hold: types, bounds, and how its parts must relate to each other.
   Types and bounds are in `assets/schema.json`; logitspec/trace/schema.py reads it with the same functions in the
   same order, and a test gives both the same files. What passes can be shown, saved and drawn. */

import { t } from "../page/i18n.js";
import schema from "../schema.json" with { type: "json" };
import { ORIGINS } from "./origins.js";
import { bytesOf } from "./spelling.js";

/** @import { Rule, StepRow, TraceMessage } from "./types.js" */

const { limits } = schema;
/** @type {Record<string, Rule>} */
const RULES = /** @type {any} */ (schema.$defs);

export const MAX_FILE_BYTES = limits.bytes;

/** @type {Record<string, string>} */
const WORDS = {
  array: t("player.kind-array"),
  boolean: t("player.kind-boolean"),
  integer: t("player.kind-integer"),
  number: t("player.kind-number"),
  object: t("player.kind-object"),
  string: t("player.kind-string"),
};
const SEEDS = 2n ** 63n; // of them, from 0; those that a JavaScript number would round are strings
const SURROGATE = /\p{Surrogate}/u;

/** What a figure of a lesson has to name. @type {Record<string, string[]>} */
export const MEASURES = schema.measures;

/** What is wrong in a document, and where. */
export class SchemaError extends Error {
  place = "";

  /** @param {string} part that holds the place so far */
  at(part) {
    this.place = part + this.place;
    return this;
  }

  words() {
    return t("player.wrong-at", { place: this.place.replace(/^\./, "") || t("player.it"), wrong: this.message });
  }
}

/**
 * The document of a file.
 * @param {string} text
 * @param {"trace" | "race" | "lesson"} kind
 * @param {(document: any) => void} [coherence] throws SchemaError where the parts of a document that is not a run
 *   or a race do not fit together
 * @returns {any}
 * @throws {Error} with one sentence when it is not such a document, has another schema, or is out of bounds
 */
export function readDocument(text, kind, coherence = kind === "race" ? cohereRace : cohere) {
  const document = parsed(text, kind);
  if (document.schema !== schema.$defs[kind].properties.schema.minimum) {
    const known = Number.isInteger(document.schema) && document.schema >= 0 && document.schema < 1e6;
    const found = known ? document.schema : t("player.unknown");
    throw new Error(t(`player.old-${kind}`, { found, known: schema.$defs[kind].properties.schema.minimum }));
  }
  try {
    check(document, RULES[kind]);
    coherence(document);
    return document;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new Error(t(`player.damaged-${kind}`, { why: error.words() }), { cause: error });
  }
}

/** @param {string} kind */
const tooLarge = (kind) => t(`player.large-${kind}`, { most: limits.bytes >> 20 });

/** @param {string} text @param {string} kind */
function parsed(text, kind) {
  if (text.length > limits.bytes) throw new Error(tooLarge(kind));
  /** @param {string} why */
  const none = (why) => new Error(t(`player.unreadable-${kind}`, { why }));
  if (brackets(text) > limits.brackets) throw none(t("player.why-brackets"));
  let document;
  try {
    document = JSON.parse(text);
  } catch {
    throw none(t("player.why-json"));
  }
  if (document && document.kind === kind) return document;
  const race = kind === "race" && document && document.kind === "trace";
  throw new Error(race ? t("player.is-a-run") : NONE[kind]);
}

/** @type {Record<string, string>} */
const NONE = {
  lesson: t("player.none-lesson"),
  race: t("player.none-race"),
  trace: t("player.none-trace"),
};

/**
 * The number of opening brackets: each costs memory once it is parsed.
 * @param {string} text
 */
function brackets(text) {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) count += 1;
  }
  return count;
}

/* Types and bounds */

/** @param {any} value @param {Rule | boolean} rule */
function check(value, rule) {
  if (typeof rule === "boolean") return checkPlain(value, limits.depth);
  if (rule.$ref) return check(value, RULES[rule.$ref.slice("#/$defs/".length)]);
  const wanted = [rule.type || []].flat();
  const kind = kindOf(value, wanted);
  if (kind === "") throw new SchemaError(t("player.wrong-kind", { kinds: [...wanted].sort().flatMap((each) => WORDS[each] || []).join(t("player.or")) }));
  if (kind === "number") checkNumber(value, rule);
  else if (kind === "string") checkString(value, rule);
  else if (kind === "array") checkArray(value, rule);
  else if (kind === "object") checkObject(value, rule);
  if (rule.enum && !rule.enum.includes(value)) throw new SchemaError(t("player.wrong-is-unknown"));
}

/**
 * The kind of a value if it is a wanted one, whole numbers being numbers; "" if not.
 * @param {any} value
 * @param {string[]} wanted
 */
function kindOf(value, wanted) {
  if (value === null) return wanted.includes("null") ? "null" : "";
  if (Array.isArray(value)) return wanted.includes("array") ? "array" : "";
  const kind = typeof value;
  if (kind === "number" && Number.isInteger(value) && wanted.includes("integer")) return kind;
  return wanted.includes(kind) ? kind : "";
}

/** @param {number} value @param {Rule} rule */
function checkNumber(value, { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity }) {
  if (!(value >= minimum && value <= maximum && value > exclusiveMinimum)) throw new SchemaError(t("player.wrong-is-out-of-bounds"));
}

/** @param {string} value @param {Rule} rule */
function checkString(value, { minLength = 0, maxLength = Infinity, pattern }) {
  if (value.length > maxLength && (value.length > 2 * maxLength || [...value].length > maxLength)) {
    throw new SchemaError(t("player.wrong-is-too-long"));
  }
  if (value.length < minLength) throw new SchemaError(t("player.wrong-is-empty"));
  checkCharacters(value);
  if (pattern && !new RegExp(pattern, "u").test(value)) throw new SchemaError(t("player.wrong-is-not-written-as-it-should-be"));
}

/** @param {string} text */
function checkCharacters(text) {
  if (SURROGATE.test(text)) throw new SchemaError(t("player.wrong-has-half-a-character"));
}

/** @param {any[]} values @param {Rule} rule */
function checkArray(values, { minItems = 0, maxItems = Infinity, prefixItems, items }) {
  if (values.length > maxItems) throw new SchemaError(t("player.wrong-is-too-long"));
  if (values.length < minItems) throw new SchemaError(t("player.wrong-is-empty"));
  values.forEach((value, number) => {
    const rule = prefixItems ? prefixItems[number] : items;
    if (rule) checkPart(value, rule, () => `[${number}]`);
  });
}

/** @param {Record<string, any>} values @param {Rule} rule */
function checkObject(values, { maxProperties = Infinity, properties = {}, required = [], ...rest }) {
  const names = Object.keys(values);
  if (names.length > maxProperties) throw new SchemaError(t("player.wrong-has-too-many-entries"));
  for (const name of required) if (!Object.hasOwn(values, name)) throw new SchemaError(t("player.wrong-is-missing")).at("." + name);
  const { propertyNames, additionalProperties: other = true } = rest;
  if (propertyNames) return checkEntries(values, names, propertyNames.pattern || "", other);
  for (const name of names) {
    if (Object.hasOwn(properties, name)) {
      checkPart(values[name], properties[name], () => "." + name);
    } else {
      if (other === false) throw new SchemaError(t("player.wrong-has-an-entry-too-many"));
      checkCharacters(name);
      check(values[name], other);
    }
  }
}

/**
 * Checks an object whose names are data.
 * @param {Record<string, any>} values
 * @param {string[]} names
 * @param {string} pattern
 * @param {Rule | boolean} rule
 */
function checkEntries(values, names, pattern, rule) {
  const fits = new RegExp(pattern, "u");
  if (!names.every((name) => fits.test(name))) throw new SchemaError(t("player.wrong-has-an-entry-of-a-wrong-name"));
  for (const name of names) checkPart(values[name], rule, () => "." + name);
}

/** @param {any} value @param {Rule | boolean} rule @param {() => string} part */
function checkPart(value, rule, part) {
  try {
    check(value, rule);
  } catch (error) {
    throw error instanceof SchemaError ? error.at(part()) : error;
  }
}

/**
 * Checks a value that no rule covers: it is bounded, and JSON in any program.
 * @param {any} value
 * @param {number} depth
 */
function checkPlain(value, depth) {
  if (typeof value === "string") return checkCharacters(value);
  if (typeof value === "number" && !(Math.abs(value) <= limits.number)) throw new SchemaError(t("player.wrong-is-out-of-bounds"));
  if (typeof value !== "object" || value === null) return;
  if (depth === 0) throw new SchemaError(t("player.wrong-holds-something-too-deep"));
  for (const [name, each] of Object.entries(value)) {
    checkCharacters(name);
    checkPlain(each, depth - 1);
  }
}

/* How parts relate to each other */

/** @param {any} race */
function cohereRace({ titles, lanes }) {
  if (titles.length !== lanes.length) throw new SchemaError(t("player.wrong-has-not-as-many-titles-as-lanes"));
  lanes.forEach((/** @type {TraceMessage} */ lane, /** @type {number} */ number) => {
    checkWithin(() => cohere(lane), `lanes[${number}]`);
    if (lane.finish === null) throw new SchemaError(t("player.wrong-has-not-come-to-its-end")).at(`lanes[${number}]`);
  });
}

/**
 * Steps follow each other, and the text has a length that can be drawn.
 * @param {TraceMessage} trace
 */
export function cohere({ vocabulary, prompt_ids: prompt, sampling, steps = [] }) {
  const { seed } = sampling || {};
  if (typeof seed === "string" && BigInt(seed) >= SEEDS) throw new SchemaError(t("player.wrong-is-out-of-bounds")).at(".sampling.seed");
  const sizes = new Map(Object.entries(vocabulary).map(([id, entry]) => [Number(id), bytesOf(entry).length]));
  const size = (/** @type {number} */ id) => sizes.get(id) || 0;
  let text = prompt.reduce((sum, id) => sum + size(id), 0);
  let position = prompt.length;
  steps.forEach((step, number) => {
    checkWithin(() => cohereStep(step, position), `steps[${number}]`);
    position += step.path.length;
    for (const node of step.path) text += size(step.tokens[node]);
  });
  if (text > limits.text) throw new SchemaError(t("player.wrong-spells-too-long-a-text"));
}

/** @param {() => void} action @param {string} part */
export function checkWithin(action, part) {
  try {
    action();
  } catch (error) {
    throw error instanceof SchemaError ? error.at(part) : error;
  }
}

/** @param {StepRow} step @param {number} position */
function cohereStep(step, position) {
  const { tokens, parents, last } = step;
  if (step.position !== position) throw new SchemaError(t("player.wrong-does-not-begin-where-the-text-ends")).at(".position");
  if (last.ids.length !== last.probs.length) throw new SchemaError(t("player.wrong-has-not-as-many-ids-as-probs")).at(".last");
  for (const name of /** @type {const} */ (["parents", "provenance", "choices"])) {
    if (step[name].length !== tokens.length) throw new SchemaError(t("player.wrong-has-not-an-entry-for-every-token")).at("." + name);
  }
  if (!parents.every((parent, node) => (node ? parent >= 0 && parent < node : parent === -1))) {
    throw new SchemaError(t("player.wrong-does-not-name-earlier-nodes-the-root")).at(".parents");
  }
  checkPath(step);
  checkSources(step, position);
}

/**
 * From the root down, every node is what the target chose after the one before.
 * @param {StepRow} step
 */
function checkPath({ tokens, parents, choices, path }) {
  if (path[0] !== 0 || path.some((node) => node >= tokens.length)) throw new SchemaError(t("player.wrong-is-not-in-the-tree")).at(".path");
  path.slice(1).forEach((node, above) => {
    const parent = path[above];
    if (parents[node] !== parent || tokens[node] !== choices[parent]) {
      throw new SchemaError(t("player.wrong-is-not-what-the-target-chose")).at(".path");
    }
  });
}

/**
 * Every origin is known, and what was copied stood before the copy.
 * @param {StepRow} step
 * @param {number} position
 */
function checkSources({ provenance, parents }, position) {
  /** @type {number[]} */
  const depths = [];
  provenance.forEach(([origin, , , , from = null], node) => {
    depths.push(node ? depths[parents[node]] + 1 : 0);
    const part = `.provenance[${node}]`;
    if (!Object.hasOwn(ORIGINS, origin)) throw new SchemaError(t("player.wrong-is-of-an-unknown-origin")).at(part);
    if (from !== null && from >= position + depths[node]) throw new SchemaError(t("player.wrong-is-a-copy-of-what-comes-later")).at(part);
  });
}
