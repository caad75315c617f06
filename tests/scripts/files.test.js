/* Names, addresses and the exported page, without a page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { exportedPage, placeInAddress, runTitle } from "../../assets/player/exported.js";
import { parseSteps } from "../../assets/take/choose.js";
import { embedCode } from "../../assets/take/embed.js";
import { fileName } from "../../assets/take/exports.js";
import { videoOf } from "../../assets/take/video.js";

const run = (header) => ({ header: { recorded: "", prompt: null, ...header } });

test("the place of an address", () => {
  const places = {
    "file:///run.html": [0, 5],
    "file:///run.html#step=12": [12, 5],
    "https://a.test/?step=3&beat=2": [0, 5],
    "https://a.test/#a=1&step=4&b=2": [4, 5],
    "file:///run.html#step=4&beat=2": [4, 2],
    "file:///run.html#beat=1&step=4": [4, 1],
    "file:///run.html#step=4&beat=6": [4, 5],
    "file:///run.html#step=": [0, 5],
    "file:///run.html#step=-3": [0, 5],
    "file:///run.html#step=1e5": [0, 5],
    "file:///run.html#laststep=7": [0, 5],
  };
  for (const [address, [step, beat]] of Object.entries(places)) {
    assert.deepEqual(placeInAddress(address), { step, beat }, address);
  }
});

test("steps as people write them", () => {
  assert.deepEqual(parseSteps("4", 9), [4]);
  assert.deepEqual(parseSteps("4-6, 9", 9), [4, 5, 6, 9]);
  assert.deepEqual(parseSteps(" 9;2 – 3  3 ", 9), [2, 3, 9]);
  for (const words of ["4-6，9", "４－６、９", "4～6；9", "4—6 9"]) assert.deepEqual(parseSteps(words, 9), [4, 5, 6, 9], words);
  for (const words of ["0", "10", "6-4", "5-10"]) assert.throws(() => parseSteps(words, 9), /has 9 steps/, words);
  for (const words of ["four", "4-", "-4", "4.5", "4-6-8"]) assert.throws(() => parseSteps(words, 9), /Write steps/, words);
  for (const words of ["", " , "]) assert.throws(() => parseSteps(words, 9), /at least one/);
});

test("the code for another page is one frame, whatever the address and the title hold", () => {
  const code = embedCode('https://a.test/?run="><b>&step=3&beat=2', '"><script>');
  assert.match(code, /^<iframe src="[^"<>]*" title="[^"<>]*" width="1280" [^<>]*><\/iframe>$/);
  const address = new URL(/src="([^"]*)"/.exec(code)[1].replaceAll("&amp;", "&"));
  assert.deepEqual(Object.fromEntries(address.searchParams), { run: '"><b>', step: "3", beat: "2", embed: "1" });
  assert.ok(embedCode("file:///a/run.html#step=3&beat=2", "").includes('src="file:///a/run.html#step=3&amp;beat=2"'));
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
  const page = exportedPage({ trace, title: hostile, scripts: "start();", style: ".a{}", nonce: "0123", place: { step: 4, beat: 2 } });
  const [, data] = /<script type="application\/json" id="logitspec-trace" data-step="4" data-beat="2">(.*?)<\/script>/.exec(page);
  assert.deepEqual(JSON.parse(data), { hostile });
  assert.ok(!data.includes("<"));
  assert.equal(page.match(/<script/g).length, 2);
  assert.ok(page.includes(`<title>&lt;/script&gt;&lt;script&gt;alert(1)`));
  assert.ok(page.includes(`script-src 'nonce-0123';`));
  assert.ok(page.includes(`<script type="module" id="logitspec-scripts" nonce="0123">start();</script>`));
});

test("a video that the server does not make is refused in a sentence", async (about) => {
  const answer = (reply) => about.mock.method(globalThis, "fetch", reply);
  answer(async () => Response.json({ detail: "Write less." }, { status: 400 }));
  await assert.rejects(videoOf(new Uint8Array()), /^Error: Write less\.$/);
  const page = new Response("<h1>502 Bad Gateway</h1>", { status: 502 });
  for (const silent of [() => Promise.reject(new TypeError("Failed to fetch")), async () => page]) {
    answer(silent);
    await assert.rejects(videoOf(new Uint8Array()), /^Error: The video can't be made: /);
  }
});
