/* Building elements. Text goes in as text nodes and attributes only: tokens may hold any markup. */

const SVG_SPACE = "http://www.w3.org/2000/svg";

const ICONS = {
  first: "M5 5h2v14H5zM19 5v14L8 12z",
  previous: "M17 5v14L6 12z",
  play: "M7 4v16l13-8z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  next: "M7 5v14l11-7z",
  last: "M17 5h2v14h-2zM5 5v14l11-7z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z",
};

/**
 * An element with attributes and children; strings become text nodes, null children are left out.
 * @param {string} name
 * @param {Object<string, string|number|boolean|null|undefined>} [attributes] true sets an empty
 *   attribute; false, null and undefined set none
 * @param {...(Node|string|null)} children
 * @returns {HTMLElement}
 */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The same for an SVG element. */
function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG_SPACE, name);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Sets the text only when it differs, so that nothing is laid out again for nothing. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function icon(name) {
  const attributes = { viewBox: "0 0 24 24", "aria-hidden": "true", class: "ls-icon" };
  return svg("svg", attributes, svg("path", { d: ICONS[name] }));
}

/**
 * Puts a style sheet on the page of `element`, once. For hosts that rewrite the styles they are given.
 * @param {HTMLElement} element
 * @param {string} css
 */
function installStyle(element, css) {
  const root = element.getRootNode();
  const place = root === document ? document.head : root;
  const old = place.querySelector("style[data-logitspec-style]");
  if (old && old.textContent === css) return;
  if (old) old.remove();
  place.append(el("style", { "data-logitspec-style": true }, css));
}

/** A titled panel: `body` is where its content goes. */
function panel(kind, title, note) {
  const body = el("div", { class: "ls-panel-body ls-" + kind });
  const noted = el("span", { class: "ls-note" }, note || "");
  const head = el("div", { class: "ls-panel-head" }, el("span", { class: "ls-title" }, title), noted);
  const attributes = { class: "ls-panel ls-panel-" + kind, role: "region", "aria-label": title };
  return { element: el("div", attributes, head, body), body, note: noted };
}
