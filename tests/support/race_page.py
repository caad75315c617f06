"""A page that holds nothing but a race, and made-up races to show in it."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import TYPE_CHECKING, Any

from logitspec.decoding.race import Race, begin_race, run_race
from logitspec.paths import ASSETS
from logitspec.publish.export import player_style
from logitspec.publish.modules import inline_modules, inline_styles
from logitspec.serving.wire import opening_message, progress_message
from logitspec.trace.metrics import StepSeconds
from support.fakes import ScriptedTarget
from support.player_page import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMPARE = ASSETS / "compare"
TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 12 + [9, 10, 11, 12, 13, 14] * 30
WORDS = [
    b" the", b" cat", b" sat", b" on", b" a", b" mat", b".\n", b" and",
    b"<script>alert(1)</script>", b"<img src=x onerror=alert(2)>", b" caf\xc3", b"\xa9",
    b" ${alert(3)}", " \u202etxt".encode(),
]  # fmt: skip
FIELD: list[Any] = [
    ("logitspec", {"tree_size": "capacity", "draft_tree_capacity": 12}),
    "logitspec_paper",
    "prompt_lookup",
    "autoregressive",
]


def spell(token: int) -> bytes:
    return WORDS[token - 1] if 1 <= token <= len(WORDS) else f" {token}".encode()


class MadeUp(ScriptedTarget):
    """A target that names a machine."""

    info = {
        "id": "made-up", "dtype": "float32", "device": "cpu",
        "environment": {"torch": "0", "forward": "fast"},
    }  # fmt: skip


def make_race(
    tokens: int = 90, entries: list[Any] | None = None, seed: int = 1
) -> tuple[Race, list[str]]:
    """A finished race whose steps took made-up times, and the messages that brought it."""
    target = MadeUp(TEXT)
    contest = begin_race(target, TEXT[:20], entries or FIELD, tokens)
    rng = random.Random(seed)
    for trace in contest.traces:
        trace.spell(spell)
    messages, counts = [opening_message(contest)], [0] * len(contest.traces)

    def send() -> list[int]:
        spelt = [t.spell(spell, at) for t, at in zip(contest.traces, counts, strict=True)]
        messages.append(progress_message(contest, counts, spelt))
        return [len(trace.steps) for trace in contest.traces]

    for lane in run_race(target, contest):
        step = contest.traces[lane].steps[-1]
        step.seconds = StepSeconds(verify=round(0.004 + 0.0005 * len(step.tree) * rng.random(), 6))
        counts = send()
    send()
    return contest, messages


def steps_from(contest: Race, first: int) -> str:
    """What a server sends of a race once its first `first` steps, of all lanes together, are there."""
    counts = [contest.order[:first].count(lane) for lane in range(len(contest.traces))]
    return progress_message(contest, counts, [trace.vocabulary for trace in contest.traces])


def gradio_page_html() -> str:
    """The page with the race as a component in place of `window.race`: `window.send` sets the value."""
    return page_html("component.js")


@cache
def page_html(script: str = "race.js") -> str:
    """A document with one race view, `race`, and a field next to it."""
    styles = player_style() + inline_styles(COMPARE / "compare.css")
    markup = (COMPARE / "compare.html").read_text()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>race</title>'
        f"<style>{styles}</style></head><body><main><input aria-label='beside'>"
        f'{markup}</main><script type="module">{inline_modules(PAGES / script)}</script></body></html>'
    )


ROOT = "[data-logitspec-race]"
LANE = f"{ROOT} .lr-lane"
ORDINALS = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th"}


def steps_shown(page: Page) -> list[int]:
    return [int(each.get_attribute("data-shown") or -1) for each in page.locator(LANE).all()]


def going(page: Page, more_than: int) -> int:
    """The number of steps of the running race, once there are more than `more_than`."""
    steps: int = page.wait_for_function(
        """([root, lane, least]) => {
          const steps = [...document.querySelectorAll(lane)].map((each) => +each.dataset.steps);
          const state = document.querySelector(root)?.dataset.state;
          const waiting = document.querySelector(root + " .ls-waiting"); // the race before is there meanwhile
          const sum = steps.reduce((a, b) => a + b, 0);
          return state === "running" && waiting.hidden && sum > least && sum;
        }""",
        arg=[ROOT, LANE, more_than],
        timeout=90_000,
    ).json_value()
    return steps


def saved_race(page: Page) -> Any:
    """What the page saves of its race."""
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save race").click()
    return json.loads(saved.value.path().read_text())
