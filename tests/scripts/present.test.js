import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_NODES, fewNodes, layOutFew } from "../../assets/player/few.js";
import { elapsed, enterStation, minutes, newTimes, pauseOrGoOn } from "../../assets/present/clock.js";
import { actionOf } from "../../assets/present/keys.js";
import { cueOfStation, stationAt } from "../../assets/present/stations.js";
import { votesText } from "../../assets/present/votes.js";

const KINDS = { TYPED: "input", PRESSED: "button" };

/** A key pressed on an element of a kind: one that is typed into, one that is pressed, or neither. */
function press(key, on = "", more = {}) {
  const closest = (selector) => on !== "" && selector.split(", ").some((each) => each.replace(/[:[].*/, "") === KINDS[on]);
  return { key, ctrlKey: false, altKey: false, metaKey: false, defaultPrevented: false, isComposing: false, target: { closest }, ...more };
}

const act = (...about) => (actionOf(press(...about), "") || {}).act;

test("the keys of clickers go to the next cue and back, and to black", () => {
  assert.deepEqual(["PageDown", "ArrowRight", " "].map((key) => act(key)), ["next", "next", "next"]);
  assert.deepEqual(["PageUp", "ArrowLeft"].map((key) => act(key)), ["back", "back"]);
  assert.deepEqual(["b", "B", ".", "f", "s", "d", "Escape"].map((key) => act(key)), ["black", "black", "black", "full", "speaker", "dim", "escape"]);
  assert.equal(act("x"), undefined);
  assert.equal(act("Tab"), undefined);
});

test("keys are left to text fields, and to what is pressed", () => {
  for (const key of ["PageDown", " ", "b", ".", "1", "Escape"]) assert.equal(act(key, "TYPED"), undefined);
  assert.equal(act(" ", "PRESSED"), undefined);
  assert.equal(act("PageDown", "PRESSED"), "next");
  assert.equal(act("b", "", { ctrlKey: true }), undefined);
  assert.equal(act("b", "", { metaKey: true }), undefined);
  assert.equal(act("b", "", { defaultPrevented: true }), undefined);
});

test("digits add up, and Enter jumps only after them", () => {
  assert.deepEqual(actionOf(press("1"), ""), { act: "type", typed: "1" });
  assert.deepEqual(actionOf(press("2"), "1"), { act: "type", typed: "12" });
  assert.deepEqual(actionOf(press("5"), "1234"), { act: "type", typed: "2345" });
  assert.equal(actionOf(press("Enter"), ""), null);
  assert.equal(actionOf(press("Enter"), "12").act, "jump");
  assert.equal(actionOf(press("Enter", "PRESSED"), ""), null);
});

const source = (stations) => ({
  length: () => stations.length,
  describe: (at) => ({ station: stations[at], seconds: at + 1 }),
});

test("a station is the cues of one name that follow each other", () => {
  const three = source(["a", "a", "b", "b", "b", "a"]);
  assert.deepEqual(stationAt(three, 3), { name: "b", first: 2, last: 4, seconds: 12 });
  assert.deepEqual(stationAt(three, 0), { name: "a", first: 0, last: 1, seconds: 3 });
  assert.deepEqual(stationAt(three, 5), { name: "a", first: 5, last: 5, seconds: 6 });
  assert.deepEqual([1, 2, 3, 4, 0].map((number) => cueOfStation(three, number)), [0, 2, 5, null, null]);
  assert.deepEqual([1, 2, 3].map((number) => cueOfStation(source(["", "", "x"]), number)), [0, 1, 2]);
});

test("the clock of a talk and of its station, with a rest", () => {
  const times = newTimes(1000);
  enterStation(times, "a", 1000);
  enterStation(times, "b", 61_000);
  enterStation(times, "b", 62_000);
  assert.deepEqual(elapsed(times, 71_000), { talk: 70, station: 10 });
  pauseOrGoOn(times, 71_000);
  assert.deepEqual(elapsed(times, 99_000), { talk: 70, station: 10 });
  pauseOrGoOn(times, 101_000);
  assert.deepEqual(elapsed(times, 102_000), { talk: 71, station: 11 });
  pauseOrGoOn(times, 102_000);
  enterStation(times, "c", 110_000);
  assert.deepEqual(elapsed(times, 111_000), { talk: 71, station: 0 });
  pauseOrGoOn(times, 112_000);
  assert.deepEqual(elapsed(times, 115_000), { talk: 74, station: 3 });
  assert.deepEqual([0, 5, 65, 3599, 3605].map(minutes), ["0:00", "0:05", "1:05", "59:59", "1:00:05"]);
});

test("a table of votes is CSV, and no formula", () => {
  const ballots = [
    { key: "player:r:3", question: 'Does "a", or b?', choices: ["=1+1", "2\n3"], right: 1, counts: [0, 7] },
    { key: "x:1", question: "", choices: [], right: -1, counts: [2] },
    { key: "race:r:0", question: "First?", choices: ["A", "B", "C"], right: [0, 2], counts: [1, 2, 3] },
  ];
  assert.equal(
    votesText(ballots),
    "cue,question,choice,right,votes\r\n" +
      'player:r:3,"Does ""a"", or b?",\'=1+1,no,0\r\n' +
      'player:r:3,"Does ""a"", or b?","2\n3",yes,7\r\n' +
      "x:1,,0,no,2\r\n" +
      "race:r:0,First?,A,yes,1\r\nrace:r:0,First?,B,no,2\r\nrace:r:0,First?,C,yes,3\r\n",
  );
  for (const question of ["=1", "+1", "-1", "@a", "\t=1"]) {
    const table = votesText([{ key: "k", question, choices: [], right: -1, counts: [0] }]);
    assert.equal(table.split("\r\n")[1], `k,'${question},0,no,0`);
  }
});

/** A tree of 64: an accepted chain of four under which everything hangs, sixty nodes wide and deep. */
function wideStep() {
  const parents = [-1, 0, 1, 2];
  const states = ["accepted", "accepted", "accepted", "accepted"];
  for (let node = 4; node < 64; node += 1) {
    parents.push(node % 3 === 0 ? node - 1 : node % 4);
    states.push("rejected");
  }
  return { row: { parents }, states };
}

test("few nodes are the accepted path and those beside it, with their parents", () => {
  const step = wideStep();
  for (const most of [1, 2, 4, 5, 8, 12]) {
    const kept = fewNodes(step, most);
    assert.equal(kept.length, most);
    assert.deepEqual(kept.slice(0, Math.min(4, most)), [0, 1, 2, 3].slice(0, most));
    for (const node of kept.slice(1)) assert.ok(kept.includes(step.row.parents[node]));
  }
  // The first sibling's child is nearer than the fourth sibling.
  const fan = { row: { parents: [-1, 0, 0, 0, 0, 1] }, states: ["accepted", ...Array(5).fill("rejected")] };
  assert.deepEqual(fewNodes(fan, 5), [0, 1, 2, 3, 5]);
  assert.ok(fewNodes({ row: { parents: [-1, 0] }, states: ["accepted", "rejected"] }, 12).length === 2);
});

test("as many nodes are laid out as the room holds, by their own numbers", () => {
  const step = wideStep();
  const widths = step.states.map(() => ({ chip: 4, slot: 5 }));
  const wide = layOutFew(step, widths, { width: 1920, height: 2000, letter: 38 });
  assert.equal(wide.kept.length, MAX_NODES);
  assert.deepEqual([...wide.layout.order].sort((a, b) => a - b), wide.kept);
  for (const node of wide.kept) assert.ok(wide.layout.nodes[node].x >= 0);
  for (const edge of wide.layout.edges) assert.ok(edge.of.every((node) => wide.kept.includes(node)));
  const low = layOutFew(step, widths, { width: 1024, height: 400, letter: 30 });
  assert.ok(low.kept.length < MAX_NODES && low.kept.length >= 2);
  assert.ok(low.layout.height * 30 <= 400);
});
