/* Where the nodes and edges of a draft tree are: the root on the left, the accepted path straight along
   the top, one line per branch, childless siblings side by side under one bus. Lengths are in units of
   the tree's letter height (em), so that a zoom changes one font size and nothing else. */

/** @import { Layout, Plan, Step, StepRow, Widths } from "./types.js" */

export const CHIP_HEIGHT = 1.68;
export const LANE = 3.06; // a chip, the line under it, and the space that a bus or a turn needs
export const GAP = 1.25; // between a node and its child
const BUS_RISE = 0.3; // how far above its chips a bus runs
const FAN_GAP = 0.6; // between siblings under a bus
const FAN_COLUMN = 3.2; // siblings are in columns; most take two
const MAX_DROP = 1.2; // from a chip's left side to the drop that it hangs from
const BEND = 0.4;
const MIN_ROOM = 10; // of a line on which a chain continues

/**
 * @param {Pick<Step, "states"> & { row: Pick<StepRow, "parents"> }} step
 * @param {Widths[]} widths by node
 * @param {number} room width to fill: the end of a chain, after its last fork, and siblings wrap there
 * @param {Set<number>} [few] the only nodes to place, with the nodes above them
 * @returns {Layout}
 */
export function layOutTree(step, widths, room, few) {
  const children = childGroups(step, few);
  /** @type {Plan} */
  const plan = { widths, room, children, nodes: [], edges: [], order: [], lines: 0 };
  placeChain(plan, 0, 0, 0, []);
  const right = plan.order.map((node) => plan.nodes[node].x + widths[node].slot);
  const { nodes, edges, order } = plan;
  return { nodes, edges, order, width: Math.max(...right), height: plan.lines * LANE };
}

/**
 * The children of each node in groups to draw: one alone, or the leaves that were not accepted as a fan.
 * The accepted child comes first, then children with children of their own, then the fan.
 * @param {Pick<Step, "states"> & { row: Pick<StepRow, "parents"> }} step
 * @param {Set<number>} [few] the only nodes that count
 * @returns {number[][][]}
 */
export function childGroups({ row, states }, few) {
  /** @type {number[][]} */
  const children = row.parents.map(() => []);
  row.parents.forEach((parent, node) => {
    if (parent >= 0 && (!few || few.has(node))) children[parent].push(node);
  });
  return children.map((nodes) => {
    const first = nodes.filter((node) => states[node] === "accepted");
    const rest = nodes.filter((node) => states[node] !== "accepted");
    const alone = [...first, ...rest.filter((node) => children[node].length > 0)].map((node) => [node]);
    const leaves = rest.filter((node) => children[node].length === 0);
    return leaves.length ? [...alone, leaves] : alone;
  });
}

/** @param {number} line */
const middle = (line) => line * LANE + CHIP_HEIGHT / 2;
/** @param {number} length */
const rounded = (length) => Math.round(length * 100) / 100;
/** @param {number} x @param {number} y */
const pair = (x, y) => `${rounded(x)} ${rounded(y)}`;
/** @param {Plan} plan @param {number} node */
const chipEnd = (plan, node) => plan.nodes[node].x + plan.widths[node].chip;
/** @param {Plan} plan @param {number} node */
const slotEnd = (plan, node) => plan.nodes[node].x + plan.widths[node].slot;
/** @param {Plan} plan @param {number} node */
const trunkOf = (plan, node) => slotEnd(plan, node) + GAP / 2;

/** @param {Plan} plan @param {number} node @param {number} x @param {number} line */
function putNode(plan, node, x, line) {
  plan.nodes[node] = { x: rounded(x), y: rounded(line * LANE), width: plan.widths[node].chip };
  plan.order.push(node);
  plan.lines = Math.max(plan.lines, line + 1);
}

/**
 * @param {Plan} plan
 * @param {string} kind
 * @param {number | null} node
 * @param {string} path
 * @param {number[]} [of] the nodes that share it, where it is not for one alone
 */
function addEdge(plan, kind, node, path, of) {
  plan.edges.push({ kind, node, of: of || (node === null ? [] : [node]), path });
}

/**
 * Places the chain that begins with `start` at `x`, then the branches that leave it.
 * @param {Plan} plan
 * @param {number} start
 * @param {number} x
 * @param {number} line
 * @param {number[]} columns minimum widths of the chain's first nodes, so that it lines up with its neighbours
 */
function placeChain(plan, start, x, line, columns) {
  const chain = chainFrom(plan, start);
  const forks = chain.filter((node) => branchesOf(plan, node).length > 0);
  const lines = placeAlong(plan, chain, x, line, chain.indexOf(forks[forks.length - 1]), columns);
  // The deepest fork first: the branches of the chain's end stay close to it.
  for (const node of forks.reverse()) placeBranches(plan, node, lines.get(node) ?? line);
}

/**
 * The chain from `start`, first child after first child, up to a fan.
 * @param {Plan} plan
 * @param {number} start
 */
function chainFrom({ children }, start) {
  const chain = [start];
  for (let node = start; goesOn(children[node]); ) {
    node = children[node][0][0];
    chain.push(node);
  }
  return chain;
}

/** @param {number[][]} groups */
const goesOn = (groups) => groups.length > 0 && groups[0].length === 1;
/** @param {Plan} plan @param {number} node */
const branchesOf = ({ children }, node) => children[node].slice(goesOn(children[node]) ? 1 : 0);

/**
 * Places a chain along a line; after its last fork it may wrap onto more lines.
 * @param {Plan} plan
 * @param {number[]} chain
 * @param {number} x
 * @param {number} line
 * @param {number} lastFork
 * @param {number[]} columns
 * @returns {Map<number, number>} the line of each node
 */
function placeAlong(plan, chain, x, line, lastFork, columns) {
  const lines = new Map();
  let start = x;
  let left = x;
  chain.forEach((node, order) => {
    const { slot } = plan.widths[node];
    const turns = order > lastFork + 1 && left + slot > plan.room && plan.room - start >= MIN_ROOM;
    if (turns) {
      line += 1;
      left = start + GAP;
    }
    putNode(plan, node, left, line);
    lines.set(node, line);
    if (order > 0) addLine(plan, chain[order - 1], node, turns);
    left += Math.max(slot, columns[order] || 0) + GAP;
    if (order === lastFork) start = left;
  });
  return lines;
}

/** @param {Plan} plan @param {number} parent @param {number} node @param {boolean} turns */
function addLine(plan, parent, node, turns) {
  const { x, y } = plan.nodes[node];
  const end = y + CHIP_HEIGHT / 2;
  if (turns) addEdge(plan, "line", node, turnPath(plan, parent, x, end));
  else addEdge(plan, "line", node, `M${pair(chipEnd(plan, parent), end)}H${rounded(x)}`);
}

/**
 * From the end of a line back to the beginning of the next.
 * @param {Plan} plan
 * @param {number} parent
 * @param {number} x
 * @param {number} end
 */
function turnPath(plan, parent, x, end) {
  const start = plan.nodes[parent].y + CHIP_HEIGHT / 2;
  const between = end - CHIP_HEIGHT / 2 - BUS_RISE;
  const right = trunkOf(plan, parent);
  const left = x - GAP / 2;
  const r = BEND;
  return (
    `M${pair(chipEnd(plan, parent), start)}H${rounded(right - r)}q${r} 0 ${r} ${r}V${rounded(between - r)}` +
    `q0 ${r} ${-r} ${r}H${rounded(left + r)}q${-r} 0 ${-r} ${r}V${rounded(end - r)}q0 ${r} ${r} ${r}H${rounded(x)}`
  );
}

/**
 * Places the groups of children that do not continue the chain of `node`, below everything placed so far.
 * @param {Plan} plan
 * @param {number} node
 * @param {number} line
 */
function placeBranches(plan, node, line) {
  const branches = branchesOf(plan, node);
  const beside = !goesOn(plan.children[node]);
  const start = middle(line);
  const trunk = trunkOf(plan, node);
  const columns = columnsOf(plan, branches, plan.room - trunk);
  const ends = branches.map((group, order) => {
    const at = beside && order === 0 ? line : plan.lines;
    if (group.length > 1) return placeFan(plan, group, trunk, at);
    return placeBranch(plan, group[0], trunk, at, columns);
  });
  const path =
    `M${pair(chipEnd(plan, node), start)}H${rounded(trunk)}` +
    `M${pair(trunk, Math.min(start, ...ends))}V${rounded(Math.max(start, ...ends))}`;
  addEdge(plan, "trunk", null, path, branches.flat());
}

/**
 * Widths at which the nodes of neighbouring branches line up, while there is room for that.
 * @param {Plan} plan
 * @param {number[][]} branches
 * @param {number} room
 */
function columnsOf(plan, branches, room) {
  const chains = branches.filter((group) => group.length === 1).map(([node]) => chainFrom(plan, node));
  /** @type {number[]} */
  const columns = [];
  for (let order = 0; ; order += 1) {
    const slots = chains.filter((chain) => chain.length > order).map((chain) => plan.widths[chain[order]].slot);
    room -= Math.max(...slots, 0) + GAP;
    if (slots.length < 2 || room < 0) return columns;
    columns.push(Math.max(...slots));
  }
}

/**
 * Places a branch on a line of its own; returns where its trunk ends.
 * @param {Plan} plan
 * @param {number} node
 * @param {number} trunk
 * @param {number} line
 * @param {number[]} columns
 */
function placeBranch(plan, node, trunk, line, columns) {
  const x = trunk + GAP / 2;
  const end = middle(line) - BEND;
  placeChain(plan, node, x, line, columns);
  addEdge(plan, "line", node, `M${pair(trunk, end)}q0 ${BEND} ${BEND} ${BEND}H${rounded(x)}`);
  return end;
}

/**
 * Places siblings under a bus, in columns and as many lines as they need; returns where their trunk ends.
 * @param {Plan} plan
 * @param {number[]} group
 * @param {number} trunk
 * @param {number} line
 */
function placeFan(plan, group, trunk, line) {
  const start = trunk + GAP / 2;
  const room = Math.max(plan.room - start + FAN_GAP, MIN_ROOM);
  const count = Math.floor(room / FAN_COLUMN);
  let column = 0;
  /** @type {number[]} */
  let siblings = [];
  for (const node of group) {
    const span = Math.ceil((plan.widths[node].slot + FAN_GAP) / FAN_COLUMN - 0.001);
    if (siblings.length > 0 && column + span > count) {
      addBus(plan, siblings, trunk, line);
      siblings = [];
      column = 0;
      line += 1;
    }
    putNode(plan, node, start + column * FAN_COLUMN, line);
    siblings.push(node);
    column += span;
  }
  addBus(plan, siblings, trunk, line);
  return line * LANE - BUS_RISE;
}

/**
 * The bus over a line of siblings, and a drop from it to each.
 * @param {Plan} plan
 * @param {number[]} siblings
 * @param {number} trunk
 * @param {number} line
 */
function addBus(plan, siblings, trunk, line) {
  const bus = line * LANE - BUS_RISE;
  /** @param {number} node */
  const drop = (node) => plan.nodes[node].x + Math.min(plan.widths[node].chip / 2, MAX_DROP);
  addEdge(plan, "bus", null, `M${pair(trunk, bus)}H${rounded(drop(siblings[siblings.length - 1]))}`, siblings);
  for (const node of siblings) addEdge(plan, "drop", node, `M${pair(drop(node), bus)}V${rounded(line * LANE)}`);
}
