"""Measures the player in Chromium and prints a table and, last, one line of JSON.

    python tests/measure player [--quick]

The bars: a live run of 200 steps/s loses no step; a trace of 1,000 steps with 64 nodes each opens
within 1 s and is scrubbed with frames under 16 ms (95th percentile); a click reaches Python within
300 ms; a recorded run moves within 1.5 s of the page's load; Stop ends a run within 3 s; a step takes
less than 2 KB on the wire; nothing is fetched from elsewhere. Medians of several tries, on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from support import machine
from support.app import free_port
from support.player_page import STORY, MadeUp, page_html, words

from logitspec.serving.wire import reset_message, steps_message
from logitspec.trace.records import Trace
from logitspec.trace.tree import DraftTree, Origin, Provenance

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

ROOT = Path(__file__).resolve().parents[2]
PLAYER = "[data-logitspec-player]"
ANSWERED = "document.querySelector('#answered textarea, #answered input').value"
NODES = 64
STEPS_A_SECOND = 200
MESSAGES_A_SECOND = 25

# Without the display's clock, a frame begins as soon as the last one is done, so that its cost shows.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-gpu-vsync", "--disable-frame-rate-limit"]

OPEN = """async (text) => {
  const start = performance.now();
  player.receive(text);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""

# The times between frames while the scrubber is dragged on in each of them.
SCRUB = """async ([frames, steps]) => {
  const range = document.querySelector(".ls-range");
  const times = [];
  let at = 1;
  let last = null;
  return await new Promise((done) => {
    const frame = (now) => {
      if (last !== null) times.push(now - last);
      last = now;
      if (times.length >= frames) return done(times);
      at = (at + 7) % steps + 1;
      range.value = String(at);
      range.dispatchEvent(new Event("input", { bubbles: true }));
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}"""

SLIDER = '<input type="range" class="ls-range" min="1" max="1000" style="width: 100%">'

# Notes when the first step is there and when it first moves, in ms since the page was requested.
NOTE_BEGIN = """
window.seen = {};
const note = () => {
  const player = document.querySelector("[data-logitspec-player]");
  if (player && player.dataset.steps !== "0") window.seen.shown ??= performance.now();
  if (player && player.dataset.moving === "true") window.seen.moving ??= performance.now();
  if (!window.seen.moving) requestAnimationFrame(note);
};
requestAnimationFrame(note);
"""


@dataclass(frozen=True)
class Measured:
    """One number. bar: what it must stay below, None when it is only reported."""

    name: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def passed(self) -> bool:
        return self.bar is None or self.value < self.bar


class LongRun(MadeUp):
    """A made-up run that remembers where each pair of tokens was last, as long runs must, and whose
    trees have exactly NODES nodes."""

    def __init__(self, prompt: list[bytes], output: list[bytes]) -> None:
        self.places: dict[tuple[int, int], int] = {}
        self.indexed = 1
        super().__init__(prompt, output, ranks=40, seed=3)

    def _copy(
        self, tree: DraftTree, node: int, position: int, guess: tuple[int, ...], most: int, key: str
    ) -> None:
        while self.indexed < position:
            pair = (self.ids[self.indexed - 1], self.ids[self.indexed])
            self.indexed += 1
            self.places[pair] = self.indexed
        known = [*self.ids[position - 1 : position + 1], *guess][-2:]
        start = self.places.get((known[0], known[1]), position)
        ranks = sum(each.origin is Origin.LOGIT for each in tree.provenance)
        room = NODES - len(tree) - (self.ranks - ranks)
        if ranks == self.ranks:  # the last one fills the tree
            start, most = 1, room
        for source in range(start, min(start + most, start + room, position)):
            origin = Provenance(Origin.RETRIEVED, None, None, 2, source, key)
            node = tree.add(node, self.ids[source], origin, merge=False)


def long_trace(steps: int, prompt: int) -> Trace:
    """A run of exactly `steps` steps after a prompt of `prompt` tokens."""
    tokens = words(STORY)
    repeats = (prompt + 8 * steps) // len(tokens) + 1
    many = [word for number in range(repeats) for word in (*tokens, b" %d" % (number % 97))]
    trace = LongRun(many[:prompt], many[prompt : prompt + 8 * steps]).trace
    del trace.steps[steps:]
    trace.max_new_tokens = sum(len(step.path) for step in trace.steps)
    return trace


def deltas(trace: Trace) -> Iterator[str]:
    """The messages of a live run, as many a second as the app sends."""
    yield reset_message(trace, 0)
    most = STEPS_A_SECOND // MESSAGES_A_SECOND
    sent = replace(trace, steps=[], finish=None)
    for sequence, first in enumerate(range(0, len(trace.steps), most), start=1):
        sent.steps = trace.steps[: first + most]
        sent.finish = trace.finish if first + most >= len(trace.steps) else None
        yield steps_message(sent, sequence, first, {})


@contextmanager
def blank(browser: Browser) -> Iterator[Page]:
    """A page that holds the player alone."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_content(page_html())
    yield page
    page.close()


def throttle(page: Page, factor: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": factor})


def opening(browser: Browser, trace: Trace, tries: int, slow: int = 1) -> Iterator[Measured]:
    """Open a long trace, then drag through it."""
    text, times, frames = trace.to_json(), [], []
    for _ in range(tries):
        with blank(browser) as page:
            throttle(page, slow)
            times.append(page.evaluate(OPEN, text))
            frames += scrubbed(page, 100, trace)
    under = "" if slow == 1 else f", {slow}x slower processor"
    size = f"{len(trace.steps)} steps"
    p95 = quantiles(frames, n=20)[-1]
    announced = slow > 1
    yield Measured(f"open {size}{under}", median(times), "ms", None if announced else 1000)
    yield Measured(f"scrub {size}, frame p95{under}", p95, "ms", None if announced else 16)
    yield Measured(f"scrub {size}, frame median{under}", median(frames), "ms")


def floor(browser: Browser, tries: int) -> Iterator[Measured]:
    """What the drag costs on a page that shows nothing but the handle: the machine's own share."""
    frames: list[float] = []
    for _ in range(tries):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_content(SLIDER)
        frames += page.evaluate(SCRUB, [100, 1000])
        page.close()
    yield Measured("drag a bare slider, frame p95", quantiles(frames, n=20)[-1], "ms")


def scrubbed(page: Page, frames: int, trace: Trace) -> list[float]:
    """Times between the frames of a drag that begins where the handle is, at the first step."""
    page.evaluate("player.show(1)")
    page.wait_for_timeout(500)
    times: list[float] = page.evaluate(SCRUB, [frames, len(trace.steps)])
    return times


def long_text(browser: Browser, trace: Trace) -> Iterator[Measured]:
    """The same with a text of thousands of tokens."""
    with blank(browser) as page:
        opened = page.evaluate(OPEN, trace.to_json())
        frames = scrubbed(page, 200, trace)
    tokens = len(trace.prompt_ids) + trace.max_new_tokens
    yield Measured(f"open {tokens} tokens", opened, "ms", 1000)
    yield Measured(f"scrub {tokens} tokens, frame p95", quantiles(frames, n=20)[-1], "ms", 16)


def streaming(browser: Browser, trace: Trace, tries: int) -> Iterator[Measured]:
    """A live run through Gradio: steps that came, how long it took, bytes, click to Python."""
    # It loads Gradio, which reads its environment when it is loaded.
    from support.streaming_page import streaming_page

    with streaming_page(trace.to_json(), deltas(trace), MESSAGES_A_SECOND) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        wire = Wire(page.context.new_cdp_session(page), url)
        page.goto(url)
        page.wait_for_selector(PLAYER)
        page.evaluate(
            """() => {
              const fetched = window.fetch;
              window.repairs = 0;
              window.fetch = (...all) => {
                if (String(all[0].url || all[0]).includes("component_server")) window.repairs += 1;
                return fetched(...all);
              };
            }"""
        )
        wire.bytes = 0
        began = time.perf_counter()
        page.get_by_role("button", name="Stream").click()
        done = f"document.querySelector('{PLAYER}').dataset.state === 'done'"
        page.wait_for_function(done, timeout=120_000)
        took = time.perf_counter() - began
        steps = int(page.get_attribute(PLAYER, "data-steps") or 0)
        yield Measured("live steps that were not shown", len(trace.steps) - steps, "steps", 1)
        yield Measured("live steps asked for again", page.evaluate("repairs"), "times", 1)
        yield Measured(
            "delay of the live run's end", took - len(trace.steps) / STEPS_A_SECOND, "s", 1
        )
        yield Measured("wire, made-up steps", wire.bytes / len(trace.steps), "B/step", 2048)
        yield Measured("click to Python", median(clicks(page, tries)), "ms", 300)
        yield Measured("requests to elsewhere", wire.outside, "requests", 1)
        page.close()


def clicks(page: Page, tries: int) -> Iterator[float]:
    """Milliseconds from a click on the player until Python hears of the step; both read one clock."""
    for _ in range(tries):
        at = page.evaluate(
            """() => {
              const now = Date.now();
              document.querySelector("[data-action=previous]").click();
              return now;
            }"""
        )
        step = int(page.get_attribute(PLAYER, "data-cursor") or 0)
        page.wait_for_function(f"({ANSWERED}).startsWith('{step} ')")
        yield float(page.evaluate(ANSWERED).split()[1]) - at


class Wire:
    """What a page receives: bytes of event streams, and requests that leave the machine."""

    def __init__(self, session: CDPSession, url: str) -> None:
        self.bytes = 0
        self.outside = 0
        self._url = url.rstrip("/")
        self._streams: set[str] = set()
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.dataReceived", self._received)

    def _asked(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith((self._url, "data:", "blob:", "about:")):
            self.outside += 1

    def _answered(self, event: dict[str, Any]) -> None:
        if event["response"]["mimeType"] == "text/event-stream":
            self._streams.add(event["requestId"])

    def _received(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._streams:
            self.bytes += event["dataLength"]


@contextmanager
def real_app() -> Iterator[str]:
    """The app, started by its command."""
    port = free_port()
    command = [sys.executable, "app.py", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(url).close()
                break
            except OSError:
                assert server.poll() is None, "The app did not start."
                time.sleep(0.3)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def app(browser: Browser, tries: int) -> Iterator[Measured]:
    """The app as it is: from the load to the first motion, and the bytes of a real run."""
    with real_app() as url:
        visible, moving = [], []
        for _ in range(tries):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(NOTE_BEGIN)
            page.goto(url, wait_until="load")
            page.wait_for_function("window.seen.moving", timeout=15_000)
            loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            seen = page.evaluate("seen")
            visible.append(max(0.0, seen["shown"] - loaded))
            moving.append(max(0.0, seen["moving"] - loaded))
            page.close()
        yield Measured("load to the recorded run", median(visible), "ms")
        yield Measured("load to the first motion", median(moving), "ms", 1500)
        yield from real_run(browser, url)


def real_run(browser: Browser, url: str) -> Iterator[Measured]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    wire = Wire(page.context.new_cdp_session(page), url)
    page.goto(url)
    page.wait_for_selector(PLAYER)
    page.locator("textarea").first.fill("Tell me a story about a race to the museum.")
    wire.bytes = 0
    page.get_by_role("button", name="Run", exact=True).click()
    root = f"document.querySelector('{PLAYER}').dataset"
    page.wait_for_function(f"{root}.state === 'running'", timeout=60_000)
    page.wait_for_function(f"{root}.state === 'done'", timeout=300_000)
    steps = int(page.get_attribute(PLAYER, "data-steps") or 0)
    yield Measured("wire, a real run", wire.bytes / steps, "B/step", 2048)
    yield Measured("requests of the app to elsewhere", wire.outside, "requests", 1)
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_function(f"{root}.state === 'running' && +{root}.steps > 5", timeout=60_000)
    pressed = time.perf_counter()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(f"{root}.state === 'done'", timeout=60_000)
    yield Measured("Stop to the end of the run", 1000 * (time.perf_counter() - pressed), "ms", 3000)
    page.close()


def table(rows: list[Measured]) -> str:
    wide = max(len(row.name) for row in rows)
    lines = []
    for row in rows:
        bar = "" if row.bar is None else f"< {row.bar:g} {row.unit}"
        verdict = "" if row.bar is None else "yes" if row.passed else "NO"
        lines.append(f"{row.name:<{wide}}  {row.value:>9.1f} {row.unit:<8}  {bar:<14}  {verdict}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one try each, without the app")
    quick = parser.parse_args().quick
    tries = 1 if quick else 5
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from playwright.sync_api import sync_playwright

    trace, text = long_trace(1000, 200), long_trace(600, 6500)
    path = machine.browser()
    rows: list[Measured] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        rows += opening(browser, trace, tries)
        rows += floor(browser, tries)
        rows += opening(browser, trace, tries, slow=4)
        rows += long_text(browser, text)
        rows += streaming(browser, trace, tries)
        if not quick:
            rows += app(browser, tries)
        browser.close()
    print(f"{len(os.sched_getaffinity(0))} cores, {NODES} nodes a step\n")
    print(table(rows), "\n")
    print(json.dumps({row.name: round(row.value, 2) for row in rows}))
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
