/* Ties: lines over the panels, from what was drafted to the place that it came from. */

const TIES_MOST = 40;
const TIES_REST = 160;

/**
 * @param {{text: object, tree: object, logits: object}} panels each tells where it has drawn a thing
 *   (`boxOf`, null when it is out of sight); text also tells on which side of what is in sight it lies
 */
function createTies(panels) {
  const lines = svg("svg", { class: "ls-tie-lines" });
  const pills = el("div", { class: "ls-tie-pills" });
  const element = el("div", { class: "ls-ties", "aria-hidden": "true" }, lines, pills);
  const state = { element, lines, pills, panels, frame: null, key: "", timer: null, asked: null };
  const soon = () => {
    if (state.asked === null) state.asked = requestAnimationFrame(() => drawTies(state));
  };
  listenToMoves(state, soon);
  return { element, paint: (frame) => paintTies(state, frame, soon) };
}

// Whatever moves what is tied: scrolling, another size, motions that end, a tree that is panned.
function listenToMoves({ element, key }, soon) {
  const listen = () => {
    const frame = element.parentElement;
    if (!frame) return requestAnimationFrame(listen);
    frame.addEventListener("scroll", soon, { capture: true, passive: true });
    for (const event of ["transitionend", "animationend", "ls-moved"]) frame.addEventListener(event, soon);
    if (typeof ResizeObserver === "function") new ResizeObserver(soon).observe(frame);
  };
  listen();
}

/** Ties to what is pointed at come at once; those of a step at rest wait until it stays. */
function paintTies(state, frame, soon) {
  const { trace, cursor, beat, pointed, visible, playing } = frame;
  const key = JSON.stringify([trace && trace.run, cursor, beat, pointed, visible]);
  state.frame = frame;
  if (key === state.key) return soon();
  state.key = key;
  clearTimeout(state.timer);
  state.lines.replaceChildren();
  state.pills.replaceChildren();
  if (!trace || (playing && beat === 5 && !pointed)) return;
  if (pointed || beat < 5) return soon();
  state.timer = setTimeout(soon, TIES_REST);
}

function drawTies(state) {
  const { element, lines, pills, frame, panels } = state;
  state.asked = null;
  if (!frame || !frame.trace || !frame.step || element.offsetParent === null) return;
  const ties = [...sourceTies(frame, panels), ...rankTies(frame, panels)].slice(0, TIES_MOST);
  const origin = element.getBoundingClientRect();
  element.dataset.kind = frame.pointed ? "pointed" : frame.beat < 5 ? "beat" : "rest";
  lines.replaceChildren(...ties.filter((tie) => tie.to).map((tie) => tieElement(tie, origin)));
  pills.replaceChildren(...pillsOf(state, ties, origin));
}

/** Copies and their sources: {kind, from, to, side, stretch}; from: boxes in the text, none when out of sight. */
function sourceTies(frame, { text, tree }) {
  const { step, stretches } = stretchesShown(frame);
  const link = linkOf(frame);
  const elsewhere = link !== null && link.number !== frame.cursor;
  return stretches.map((stretch) => {
    const boxes = text.boxesOf(stretch.from, stretch.to);
    const node = link && stretch.nodes.includes(link.node) ? link.node : stretch.start;
    const to = elsewhere ? text.boxOf(link.position) : boxOfNode(tree, node);
    const side = boxes.length ? "inside" : text.sideOf(stretch.from);
    const state = step.states[stretch.start];
    return { kind: "source", boxes, to, side, stretch, state, node };
  });
}

/** Drafted runners-up and their ranks: of what is pointed at, else of all while the step speculates. */
function rankTies(frame, { tree, logits }) {
  const { step, cursor, beat } = frame;
  const link = linkOf(frame);
  if (!link && beat !== 2) return [];
  const nodes = link ? (link.number === cursor && link.node !== null ? [link.node] : []) : runnersUp(step);
  return nodes.flatMap((node) => {
    const rank = rankOfNode(step, node);
    const box = rank === null ? null : logits.boxOf(rank);
    if (!box) return [];
    return [{ kind: node === 0 ? "root" : "logit", boxes: [box], to: boxOfNode(tree, node), side: "inside", node }];
  });
}

function runnersUp(step) {
  return step.origins.flatMap(({ origin }, node) => (origin === "logit" ? [node] : []));
}

const boxOfNode = (tree, node) => (tree.boxOf ? tree.boxOf(node) : null);

function tieElement({ kind, boxes, to, side, edge, state }, origin) {
  const attributes = { class: "ls-tie", "data-tie": kind, "data-fate": state || null };
  if (side !== "inside" && !edge) return svg("g", attributes);
  const last = boxes[boxes.length - 1];
  const { start, end, curve, across } = tieCurve(shifted(last || edge, origin), shifted(to, origin));
  return svg(
    "g",
    attributes,
    svg("path", { class: "ls-tie-halo", d: curve }),
    svg("path", { class: "ls-tie-line", d: curve, pathLength: 1 }),
    svg("circle", { class: "ls-tie-dot", cx: start.x, cy: start.y, r: 3.5 }),
    svg("path", { class: "ls-tie-head", d: arrowHead(end, across) }),
  );
}

const shifted = (box, origin) => ({
  left: box.left - origin.left,
  right: box.right - origin.left,
  top: box.top - origin.top,
  bottom: box.bottom - origin.top,
});

/**
 * A line from one box to another: beside each other from side to side, else from edge to edge.
 * @returns {{start: object, end: object, curve: string, across: number}} across: 1 to the right, -1 to
 *   the left, 0 down or up
 */
function tieCurve(from, to) {
  const point = (x, y) => ({ x: Math.round(x), y: Math.round(y) });
  if (to.left >= from.right + 12) {
    const start = point(from.right, from.bottom - 1);
    const end = point(to.left - 2, (to.top + to.bottom) / 2);
    const bend = Math.max(24, (end.x - start.x) * 0.45);
    const curve = `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`;
    return { start, end, curve, across: 1 };
  }
  const down = to.top >= from.bottom;
  const start = point((from.left + from.right) / 2, down ? from.bottom : from.top);
  const end = point((to.left + to.right) / 2, down ? to.top - 2 : to.bottom + 2);
  const bend = Math.max(20, Math.abs(end.y - start.y) * 0.45) * (down ? 1 : -1);
  const curve = `M${start.x} ${start.y}C${start.x} ${start.y + bend} ${end.x} ${end.y - bend} ${end.x} ${end.y}`;
  return { start, end, curve, across: 0, down };
}

function arrowHead({ x, y }, across) {
  return across ? `M${x} ${y}l-8 -4.5v9z` : `M${x} ${y}l-4.5 -8h9z`;
}

/** What stands at an edge of the text for sources that are out of sight: where they are, and what they say. */
function pillsOf(state, ties, origin) {
  const { frame, panels } = state;
  const outer = panels.text.body.getBoundingClientRect();
  return ["above", "below"].flatMap((side) => {
    const there = ties.filter((tie) => tie.kind === "source" && tie.side === side);
    if (there.length === 0) return [];
    const first = there.find((tie) => tie.state === "accepted") || there[0];
    const words = pillWords(frame.trace, there.map((tie) => tie.stretch), first.stretch);
    const pill = el("button", { type: "button", class: "ls-pill", tabindex: -1, "data-side": side });
    const arrow = el("span", { class: "ls-pill-arrow" }, side === "above" ? "↑" : "↓");
    pill.append(arrow, ...words);
    const top = side === "above" ? outer.top - origin.top + 6 : outer.bottom - origin.top - 6;
    pill.style.cssText = `left: ${outer.left - origin.left + 10}px; top: ${top}px; max-width: ${outer.width - 30}px`;
    pill.addEventListener("click", () => panels.text.scrollTo(first.stretch.from));
    return [pill];
  });
}

function pillWords(trace, stretches, { from, to, match }) {
  const others = new Set(stretches.map((stretch) => stretch.from)).size - 1;
  const copy = el("span", { class: "ls-quote", "data-source": "copy" }, excerpt(trace, from, to));
  const key = el("span", { class: "ls-quote", "data-source": "match" }, excerpt(trace, match[0], match[1]));
  const more = others > 0 ? ` and ${others} more` : "";
  return [`position ${from} `, "…", key, copy, "…", more];
}
