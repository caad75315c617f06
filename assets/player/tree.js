/* The draft tree of one step: the root left, a branch a row, the accepted path straight along the top. */

const FAN_LEAST = 3;
const TAIL_LEAST = 8;

/**
 * @param {{point: function({node: number}|null)}} on told the node that is pointed at or focused
 */
function createTreePanel(on) {
  const view = panel("tree", "Draft tree");
  const tree = el("div", { class: "ls-branches", role: "tree", "aria-label": "Draft tree of this step" });
  const empty = el("div", { class: "ls-empty" });
  view.body.append(tree, empty);
  listenToNodes(tree, on);
  let painted = null;
  return {
    element: view.element,
    paint({ trace, step }) {
      setText(empty, step ? "" : trace ? "No step yet: the model reads the prompt." : "");
      setText(view.note, step ? outcomeSentence(step) : "");
      if (painted === step) return;
      painted = step;
      drawTree(view.body, tree, trace, step);
    },
  };
}

function drawTree(body, tree, trace, step) {
  const focused = tree.contains(document.activeElement);
  if (!step) return tree.replaceChildren();
  const { rows, trunks } = treeLayout(step);
  tree.style.setProperty("--ls-columns", step.deepest + 1);
  tree.replaceChildren(
    ...trunks.map(trunkElement),
    ...rows.map((row) => rowElement(trace, step, row)),
  );
  body.scrollTo(0, 0);
  if (focused) tree.querySelector("[tabindex='0']").focus({ preventScroll: true });
}

/**
 * Rows of nodes, and the vertical trunks between them. A row is a chain, or a fan: siblings without
 * children of their own, which would take a row each otherwise.
 */
function treeLayout(step) {
  const layout = { rows: [], trunks: [], next: 0 };
  const children = childrenOf(step);
  placeChain(layout, step, children, 0, 0);
  return layout;
}

function childrenOf({ row, states }) {
  const children = row.tokens.map(() => []);
  row.parents.forEach((parent, node) => {
    if (parent < 0) return;
    if (states[node] === "accepted") children[parent].unshift(node);
    else children[parent].push(node);
  });
  return children;
}

function placeChain(layout, step, children, start, line) {
  const nodes = [];
  const forks = [];
  let node = start;
  for (;;) {
    nodes.push(node);
    const groups = childGroups(step, children, node);
    if (groups.length === 0) break;
    forks.push({ node, groups });
    if (groups[0].length > 1) break;
    node = groups[0][0];
  }
  layout.rows.push({ nodes, line, fan: false });
  layout.next = Math.max(layout.next, line + 1);
  // The deepest fork first: branches of the chain's end stay close to it.
  for (const fork of forks.reverse()) placeGroups(layout, step, children, fork, line);
}

function placeGroups(layout, step, children, { node, groups }, line) {
  let last = line;
  groups.forEach((group, order) => {
    if (order === 0 && group.length === 1) return;
    last = order === 0 ? line : layout.next;
    if (group.length > 1) {
      layout.rows.push({ nodes: group, line: last, fan: true });
      layout.next = Math.max(layout.next, last + 1);
    } else placeChain(layout, step, children, group[0], last);
  });
  if (last > line) layout.trunks.push({ column: step.depths[node] + 1, from: line, to: last });
}

/** Children in the order to draw them: one each, or many leaves together. */
function childGroups(step, children, node) {
  const groups = [];
  let leaves = [];
  const flush = () => {
    if (leaves.length >= FAN_LEAST) groups.push(leaves);
    else groups.push(...leaves.map((leaf) => [leaf]));
    leaves = [];
  };
  for (const child of children[node]) {
    if (children[child].length === 0 && step.states[child] !== "accepted") leaves.push(child);
    else {
      flush();
      groups.push([child]);
    }
  }
  flush();
  return groups;
}

function trunkElement({ column, from, to }) {
  const style = `grid-column: ${column + 1}; grid-row: ${from + 1} / ${to + 1}`;
  return el("div", { class: "ls-trunk", style, "aria-hidden": "true" });
}

function rowElement(trace, step, row) {
  const depth = step.depths[row.nodes[0]];
  const parts = row.fan ? [fanElement(trace, step, row)] : chainElements(trace, step, row);
  return el("div", { class: "ls-row", style: `--ls-depth: ${depth}`, role: "none" }, ...parts);
}

const gridPlace = (from, to, line) => `grid-column: ${from} / ${to}; grid-row: ${line + 1}`;

function fanElement(trace, step, { nodes, line }) {
  const style = gridPlace(step.depths[nodes[0]] + 1, -1, line);
  const inside = nodes.map((node) => nodeElement(trace, step, node));
  return el("div", { class: "ls-fan", style, role: "none" }, ...inside);
}

/** A cell a node, each in the column of its depth; a long end without forks may break into lines. */
function chainElements(trace, step, { nodes, line }) {
  const cells = nodes.map((node, order) => cellElement(trace, step, node, nodes[order + 1], line));
  const tail = tailStart(step, nodes);
  if (nodes.length - tail < TAIL_LEAST) return cells;
  const style = gridPlace(step.depths[nodes[tail]] + 1, -1, line);
  const end = el("div", { class: "ls-tail", style, role: "none" }, ...cells.slice(tail));
  return [...cells.slice(0, tail), end];
}

/** The number in the chain from which on no node has more than one child. */
function tailStart({ row }, nodes) {
  const forks = (node) => row.parents.filter((parent) => parent === node).length > 1;
  let start = nodes.length;
  while (start > 0 && !forks(nodes[start - 1])) start -= 1;
  return start;
}

function cellElement(trace, step, node, next, line) {
  const column = step.depths[node] + 1;
  const goesOn = next !== undefined || step.row.parents.includes(node);
  const attributes = {
    class: "ls-cell" + (goesOn ? " ls-goes-on" : "") + (node === 0 ? " ls-first" : ""),
    "data-in": step.states[node],
    "data-out": next === undefined ? "rejected" : step.states[next],
    style: gridPlace(column, column + 1, line),
    role: "none",
  };
  return el("div", attributes, nodeElement(trace, step, node));
}

function nodeElement(trace, step, node) {
  const { origin, rank } = step.origins[node];
  const text = el("span", { class: "ls-node-text" });
  fillToken(text, spellToken(trace, step.row.tokens[node]), true);
  const badge = origin === "logit" ? el("span", { class: "ls-rank" }, String(rank)) : null;
  const sentence = nodeSentence(trace, step, node);
  const attributes = {
    class: "ls-node",
    role: "treeitem",
    tabindex: node === 0 ? "0" : "-1",
    title: sentence,
    "aria-label": sentence,
    "aria-level": step.depths[node] + 1,
    "data-node": node,
    "data-origin": origin,
    // Nodes that were never compared count as rejected here; how they differ is said and drawn.
    "data-state": step.states[node] === "accepted" ? "accepted" : "rejected",
    "data-compared": String(step.states[node] !== "uncompared"),
  };
  return el("div", attributes, badge, text);
}

function listenToNodes(tree, on) {
  const nodeOf = (event) => {
    const element = event.target.closest("[data-node]");
    return element ? { node: Number(element.dataset.node) } : null;
  };
  tree.addEventListener("pointerover", (event) => on.point(nodeOf(event)));
  tree.addEventListener("pointerleave", () => on.point(null));
  tree.addEventListener("focusin", (event) => on.point(nodeOf(event)));
  tree.addEventListener("focusout", () => on.point(null));
  tree.addEventListener("keydown", (event) => moveInTree(tree, event));
}

// One tab stop for the whole tree; left and right are for the steps, so up and down walk the nodes.
function moveInTree(tree, event) {
  const move = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
  const nodes = [...tree.querySelectorAll("[data-node]")];
  const at = nodes.indexOf(document.activeElement);
  const next = nodes[Math.min(nodes.length - 1, Math.max(0, at + move))];
  if (at >= 0) nodes[at].setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
  event.preventDefault();
}
