import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOf, continues, drawnText, plainText, spell, tornTail } from "../../assets/player/spelling.js";

const bytes = (...values) => Uint8Array.from(values);
const spelt = (...entries) => spell(entries.map(bytesOf)).map(plainText);

test("whole tokens are text, torn ones hex", () => {
  assert.deepEqual(spelt(" mat"), [" mat"]);
  assert.deepEqual(spelt(""), [""]);
  assert.deepEqual(spelt({ hex: "ff" }), ["⟨ff⟩"]);
  assert.deepEqual(spelt({ hex: "2061e6" }), [" a⟨e6⟩"]);
});

test("a character belongs to the token that it begins in", () => {
  assert.deepEqual(spelt({ hex: "20f09f" }, { hex: "98" }, { hex: "8021" }), [" 😀", "", "!"]);
  assert.deepEqual(spelt({ hex: "e6" }, { hex: "97" }), ["⟨e6⟩", "⟨97⟩"]);
  assert.deepEqual(spelt({ hex: "e6" }, { hex: "97" }, { hex: "a5e6" }, { hex: "9cac" }), ["日", "", "本", ""]);
});

test("overlong forms, surrogates and what lies past the last character stay bytes", () => {
  for (const hex of ["c080", "eda080", "f4908080", "f8888080"]) {
    assert.match(spelt({ hex })[0], /^⟨[0-9a-f ]+⟩$/);
  }
});

test("marks that turn the direction of text and other controls are made visible", () => {
  assert.deepEqual(spelt(" \u202etxt.exe"), [" ⟨202e⟩txt.exe"]);
  assert.deepEqual(spelt("\u0000\u0007\r\n"), ["⟨0000⟩⟨0007⟩⟨000d⟩\n"]);
  assert.deepEqual(spelt("\u200b\ufeff"), ["⟨200b⟩⟨feff⟩"]);
  assert.deepEqual(spelt("\u2060\u3164\u180e"), ["⟨2060⟩⟨3164⟩⟨180e⟩"]); // without a shape
  assert.deepEqual(spelt("👩\u200d🚀"), ["👩\u200d🚀"]); // joiners make emoji
});

test("in drawings every space has a sign, and a dot stays a dot", () => {
  assert.equal(drawnText([{ text: " a\u00a0b\u3000\n\t" }]), "·a·b·↵⇥");
  assert.equal(drawnText([{ text: " col·legi\n" }], false), " col·legi↵");
});

test("where a character goes on", () => {
  assert.deepEqual(tornTail(bytes(0x61, 0xe6, 0x97)), bytes(0xe6, 0x97));
  assert.deepEqual(tornTail(bytes(0x61)), bytes());
  assert.deepEqual(tornTail(bytes(0x97)), bytes());
  assert.equal(continues(bytes(0xe6), bytes(0x97)), true);
  assert.equal(continues(bytes(0xe6), bytes(0x61)), false);
  assert.equal(continues(bytes(), bytes(0x97)), false);
  assert.equal(continues(bytes(0xe6), bytes()), false);
});
