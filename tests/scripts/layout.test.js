/* Where nodes are placed, against trees laid out by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CHIP_HEIGHT, GAP, LANE, childGroups, layOutTree } from "../../assets/player/layout.js";

/** A step as the layout reads it; every chip two wide, in a slot of three. */
function tree(parents, accepted = [0], widths = parents.map(() => ({ chip: 2, slot: 3 })), room = 100) {
  const states = parents.map((_, node) => (accepted.includes(node) ? "accepted" : "rejected"));
  const layout = layOutTree({ row: { parents }, states }, widths, room);
  return { ...layout, at: layout.nodes.map(({ x, y }) => [x, Math.round((y / LANE) * 100) / 100]) };
}

const STEP = 3 + GAP; // from a node to its child's left side

test("a root alone", () => {
  const { at, edges, width, height } = tree([-1]);
  assert.deepEqual(at, [[0, 0]]);
  assert.deepEqual(edges, []);
  assert.equal(width, 3);
  assert.equal(height, LANE);
});

test("a chain goes straight along the top, tied from chip to chip", () => {
  const { at, edges, order } = tree([-1, 0, 1]);
  assert.deepEqual(at, [[0, 0], [STEP, 0], [2 * STEP, 0]]);
  assert.deepEqual(order, [0, 1, 2]);
  assert.deepEqual(edges.map(({ kind, node, path }) => [kind, node, path]), [
    ["line", 1, `M2 ${CHIP_HEIGHT / 2}H${STEP}`],
    ["line", 2, `M${STEP + 2} ${CHIP_HEIGHT / 2}H${2 * STEP}`],
  ]);
});

test("the accepted child comes first, what goes on next, leaves together at the end", () => {
  const parents = [-1, 0, 0, 2, 0, 4, 0];
  const states = parents.map((_, node) => (node === 0 || node === 4 || node === 5 ? "accepted" : "rejected"));
  assert.deepEqual(childGroups({ row: { parents }, states }), [[[4], [2], [1, 6]], [], [[3]], [], [[5]], [], []]);
});

test("the accepted path lies on the first line, a branch on its own, siblings side by side", () => {
  const { at, order } = tree([-1, 0, 0, 2, 0, 4, 0], [0, 4, 5]);
  assert.deepEqual(order, [0, 4, 5, 2, 3, 1, 6]);
  assert.deepEqual(at[4], [STEP, 0]);
  assert.deepEqual(at[5], [2 * STEP, 0]);
  assert.deepEqual(at[2], [STEP, 1]);
  assert.deepEqual(at[3], [2 * STEP, 1]);
  assert.deepEqual([at[1][0], at[1][1], at[6][1]], [STEP, 2, 2]);
  assert.ok(at[6][0] >= STEP + 3);
});

test("siblings without children hang from a bus: one trunk, a drop each", () => {
  const { edges } = tree([-1, 0, 0, 0]);
  assert.deepEqual(edges.map(({ kind, node, of }) => [kind, node, of]), [
    ["bus", null, [1, 2, 3]],
    ["drop", 1, [1]],
    ["drop", 2, [2]],
    ["drop", 3, [3]],
    ["trunk", null, [1, 2, 3]],
  ]);
});

test("siblings that find no room go on below", () => {
  const { at, width } = tree([-1, ...Array(20).fill(0)], [0], undefined, 30);
  assert.equal(at[1][1], 0);
  assert.ok(at[20][1] >= 2);
  assert.ok(width <= 30);
  for (let room = 20; room < 50; room += 1) assert.ok(tree([-1, ...Array(20).fill(0)], [0], undefined, room).width <= room);
});

test("neighbouring branches line up", () => {
  const parents = [-1, 0, 1, 0, 3, 0, 5];
  const widths = [2, 2, 2, 2, 2, 6, 2].map((chip) => ({ chip, slot: chip + 1 }));
  const { at } = tree(parents, [0, 1], widths);
  assert.deepEqual([at[1][1], at[3][1], at[5][1]], [0, 1, 2]);
  assert.equal(at[4][0], at[6][0]);
});

test("a long end breaks into lines, set in, and is tied to its next line", () => {
  const parents = Array.from({ length: 12 }, (_, node) => node - 1);
  const { at, width, edges } = tree(parents, [0], undefined, 19);
  assert.ok(width <= 19);
  assert.deepEqual(at.slice(0, 5).map(([, line]) => line), [0, 0, 0, 0, 1]);
  assert.equal(at[4][0], GAP);
  assert.ok(edges[3].path.startsWith(`M${3 * STEP + 2} ${CHIP_HEIGHT / 2}H`));
  assert.ok(edges[3].path.endsWith(`H${GAP}`));
});

test("a chain does not turn before its last fork", () => {
  const parents = [-1, 0, 1, 2, 3, 4, 4];
  const { at } = tree(parents, [0], undefined, 14);
  assert.deepEqual(at.slice(0, 5).map(([, line]) => line), [0, 0, 0, 0, 0]);
});

/** Nodes of random trees of every kind, with room for all or for little. */
function* randomTrees() {
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let run = 0; run < 300; run += 1) {
    const parents = [-1];
    const flat = random(3);
    while (parents.length < 2 + random(70)) {
      const last = parents.length - 1;
      parents.push([random(parents.length), Math.max(0, last - random(3)), random(2) ? 0 : last][flat]);
    }
    const accepted = [0];
    for (let node = 1; node < parents.length; node += 1) {
      if (parents[node] === accepted[accepted.length - 1] && random(2)) accepted.push(node);
    }
    const widths = parents.map(() => ({ chip: 1 + random(9), slot: 0 }));
    for (const each of widths) each.slot = Math.max(each.chip, 2 + random(4));
    yield { parents, accepted, widths, room: 14 + random(60) };
  }
}

test("no two nodes of any tree overlap, children stand right of or below their parents", () => {
  for (const { parents, accepted, widths, room } of randomTrees()) {
    const { nodes, order, width, height, edges } = tree(parents, accepted, widths, room);
    assert.deepEqual([...order].sort((a, b) => a - b), parents.map((_, node) => node));
    nodes.forEach((a, node) => {
      assert.ok(a.x + widths[node].slot <= width + 0.01 && a.y + LANE <= height + 0.01);
      nodes.slice(0, node).forEach((b, other) => {
        const apart = a.x >= b.x + widths[other].slot - 0.01 || b.x >= a.x + widths[node].slot - 0.01;
        assert.ok(apart || a.y !== b.y, `nodes ${node} and ${other} of ${parents}`);
      });
      if (node > 0) assert.ok(a.x > nodes[parents[node]].x || a.y > nodes[parents[node]].y);
    });
    for (const { path } of edges.filter(({ kind }) => kind === "trunk")) {
      const [, trunk, from, to] = path.match(/M([\d.]+) ([-\d.]+)V([-\d.]+)$/).map(Number);
      const crossed = nodes.some(({ x, y }, node) => y > from && y < to && x <= trunk && trunk <= x + widths[node].slot);
      assert.ok(!crossed, `a trunk runs through a node of ${parents}`);
    }
    for (const node of accepted) assert.ok(order.indexOf(node) < accepted.length);
    const led = edges.flatMap(({ node }) => (node === null ? [] : [node])).sort((a, b) => a - b);
    assert.deepEqual(led, parents.map((_, node) => node).slice(1));
  }
});
