/* Names, addresses and the exported page, without a page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { exportedPage, runTitle, stepInAddress } from "../../assets/player/exported.js";
import { fileName } from "../../assets/player/files.js";

const run = (header) => ({ header: { recorded: "", prompt: null, ...header } });

test("the step of an address", () => {
  const steps = {
    "file:///run.html": 0,
    "file:///run.html#step=12": 12,
    "https://a.test/?step=3": 0,
    "https://a.test/#a=1&step=4&b=2": 4,
    "file:///run.html#step=": 0,
    "file:///run.html#step=-3": 0,
    "file:///run.html#step=1e5": 0,
    "file:///run.html#laststep=7": 0,
  };
  for (const [address, step] of Object.entries(steps)) assert.equal(stepInAddress(address), step, address);
});

test("a run is called by its title, else by its prompt, on one line and not too long", () => {
  assert.equal(runTitle(run({ recorded: "a race", prompt: "Tell me" })), "LogitSpec: a race");
  assert.equal(runTitle(run({ prompt: "Tell\n me \u202e\u0000 more " })), "LogitSpec: Tell me more");
  assert.equal(runTitle(run({})), "LogitSpec: a run");
  assert.equal([...runTitle(run({ prompt: "🦊".repeat(99) }))].length, "LogitSpec: ".length + 60);
});

test("a file's name has plain letters only", () => {
  assert.equal(fileName(run({ recorded: "Der Bär & die ../Tür" }), ".json"), "logitspec-der-bar-die-tur.json");
  assert.equal(fileName(run({ recorded: "日本" }), ".json"), "logitspec.json");
  assert.ok(fileName(run({ prompt: "word ".repeat(40) }), "").length <= 48);
});

test("what a trace or a title holds can not leave its place in the page", () => {
  const hostile = '</script><script>alert(1)</script><!-- "$&" ${1} \\u003c';
  const trace = JSON.stringify({ hostile });
  const page = exportedPage({ trace, title: hostile, scripts: "start();", style: ".a{}", nonce: "0123" });
  const [, data] = /<script type="application\/json" id="logitspec-trace">(.*?)<\/script>/.exec(page);
  assert.deepEqual(JSON.parse(data), { hostile });
  assert.ok(!data.includes("<"));
  assert.equal(page.match(/<script/g).length, 2);
  assert.ok(page.includes(`<title>&lt;/script&gt;&lt;script&gt;alert(1)`));
  assert.ok(page.includes(`script-src 'nonce-0123';`));
  assert.ok(page.includes(`<script type="module" id="logitspec-scripts" nonce="0123">start();</script>`));
});
