"""The player's adapter for Gradio in a blank page: what it keeps, requests from the server, and passes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.player_page import gradio_page_html, hostile, steps_between, story
from support.view_tab import ADDRESS, ViewTab, comes_to

from logitspec import Trace
from logitspec.serving.wire import autoplay_message, pack, reset_message, steps_message

PLAYER = "[data-logitspec-player]"
STORY = story()
OTHER = hostile()


class Server:
    """Stands in for the server functions: it has `have` steps of STORY, and `grows` more after every request."""

    def __init__(self, have: int, grows: int = 0) -> None:
        self.have, self.grows = have, grows
        self.knows = True
        self.fails = 0
        self.asked: list[Any] = []
        self.stopped: list[Any] = []

    def fetch_steps(self, request: dict[str, Any]) -> str | None:
        self.asked.append(request)
        if self.fails:
            self.fails -= 1
            raise OSError("no connection")
        if not self.knows or request["run"] != STORY.run:
            return None
        trace = part(STORY, self.have)
        self.have = min(len(STORY.steps), self.have + self.grows)
        first = request["from"]
        if first > len(trace.steps):
            return None
        return pack(steps_message(trace, -1, first, trace.vocabulary) if first else trace.to_json())

    def stop_run(self, request: dict[str, Any]) -> None:
        self.stopped.append(request)


def part(trace: Trace, steps: int) -> Trace:
    """The trace when it had `steps` steps."""
    whole = steps >= len(trace.steps)
    return replace(trace, steps=trace.steps[:steps], finish=trace.finish if whole else None)


@pytest.fixture
def server() -> Server:
    return Server(4)


@pytest.fixture(scope="module")
def view(chromium: Browser) -> Iterator[ViewTab]:
    opened = ViewTab(chromium, gradio_page_html())
    yield opened
    opened.close()


@pytest.fixture
def page(view: ViewTab, server: Server) -> Iterator[Page]:
    with view.visit(server) as opened:
        yield opened


def send(page: Page, *messages: str) -> None:
    page.evaluate("all => all.forEach((each) => send(each))", list(messages))


def shows(page: Page, **expected: str | int) -> None:
    for name, value in expected.items():
        expect(page.locator(PLAYER)).to_have_attribute(f"data-{name}", str(value), timeout=30_000)


def begun(page: Page, steps: int = 4) -> None:
    """A run of which `steps` steps have arrived."""
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, steps, 1))
    shows(page, steps=steps, state="running")


def test_packed_messages_are_taken_one_after_the_other(page: Page, server: Server) -> None:
    count = len(STORY.steps)
    messages = [reset_message(part(STORY, 0), 0)]
    messages += [steps_between(STORY, n, n + 6, n + 1) for n in range(0, count, 6)]
    messages.append(steps_message(STORY, count + 1, count, {}))
    sent = [pack(each) for each in messages]
    assert any(not each.startswith("{") for each in sent)
    send(page, *sent)
    shows(page, steps=count, state="done")
    assert server.asked == []


def test_python_hears_of_the_step_that_the_viewer_stays_at(page: Page) -> None:
    send(page, STORY.to_json())
    shows(page, steps=len(STORY.steps))
    assert page.evaluate("window.told") is None
    for _ in range(3):
        page.get_by_label("Previous step", exact=True).click()
    page.wait_for_function("window.told")
    page.wait_for_timeout(300)
    last = ["step_select", {"run": STORY.run, "step": len(STORY.steps) - 3}]
    reports = page.evaluate("told")
    assert reports[-1] == last
    assert reports.count(last) == 1


def test_a_reload_in_mid_run_asks_on_until_the_run_has_ended(page: Page, server: Server) -> None:
    begun(page)
    assert server.asked == []
    server.grows = 12
    page.reload()
    shows(page, steps=len(STORY.steps), state="done")
    assert server.asked[0] == {"run": STORY.run, "from": 4}
    saved = page.evaluate("JSON.stringify(sessionStorage)")
    assert STORY.run in saved
    questions = len(server.asked)
    page.wait_for_timeout(500)
    assert len(server.asked) == questions
    page.reload()
    shows(page, steps=len(STORY.steps), state="done")
    page.wait_for_timeout(500)
    assert len(server.asked) == questions
    assert server.stopped == []


def test_the_beat_and_a_run_without_a_name_are_kept(page: Page) -> None:
    send(page, STORY.to_json())
    shows(page, steps=len(STORY.steps))
    page.get_by_label("A saved trace").set_input_files(
        {
            "name": "run.json",
            "mimeType": "application/json",
            "buffer": replace(OTHER, run="").to_json().encode(),
        }
    )
    shows(page, steps=len(OTHER.steps))
    page.wait_for_function("(window.told || []).some(([name]) => name === 'opened')")
    page.get_by_label("First step").click()
    page.keyboard.press(".")
    page.keyboard.press(".")
    shows(page, cursor=2, beat=2)
    page.reload()
    shows(page, cursor=2, beat=2, steps=len(OTHER.steps))


def test_a_scene_that_nobody_has_left_is_told_again(page: Page, view: ViewTab) -> None:
    value = pack(autoplay_message(STORY.to_json(), 4, scene=True))
    view.script = f"window.startValue = {json.dumps(value)}"
    page.reload()
    for _ in range(2):
        shows(page, cursor=4, scene="true")
        page.reload()
    page.locator(PLAYER).focus()
    page.keyboard.press("ArrowRight")
    shows(page, cursor=5)
    page.reload()
    shows(page, cursor=5)
    expect(page.locator(PLAYER)).not_to_have_attribute("data-scene", "true")


def test_the_place_is_kept_while_the_run_goes_on(page: Page, server: Server) -> None:
    begun(page)
    page.get_by_label("First step").click()
    shows(page, cursor=1, state="paused")
    server.grows = 12
    page.reload()
    shows(page, steps=len(STORY.steps), cursor=1)


def test_a_server_that_is_away_for_a_while_is_asked_again(page: Page, server: Server) -> None:
    begun(page)
    server.grows, server.fails = 12, 2
    page.reload()
    shows(page, steps=len(STORY.steps), state="done")


def test_a_run_that_the_server_keeps_no_longer_shows_what_there_is(
    page: Page, server: Server
) -> None:
    begun(page)
    server.knows = False
    page.reload()
    shows(page, steps=4)
    expect(page.locator(PLAYER)).to_contain_text("Interrupted", timeout=30_000)


@pytest.mark.parametrize("event", ["logitspec-stop", "logitspec-waiting"])
def test_stop_and_a_new_run_end_one_that_goes_on_after_a_reload(
    page: Page, server: Server, event: str
) -> None:
    begun(page)
    page.evaluate(f"dispatchEvent(new Event('{event}'))")
    page.wait_for_timeout(300)
    assert server.stopped == []  # while the page is connected, the button stops the run
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 4, 1))
    shows(page, steps=4)
    page.reload()
    shows(page, steps=4, state="running")
    page.evaluate(f"dispatchEvent(new Event('{event}'))")
    comes_to(page, lambda: server.stopped != [])
    page.wait_for_timeout(100)
    assert server.stopped == [{"run": STORY.run}]


def test_a_trace_that_does_not_fit_is_asked_for(page: Page, view: ViewTab, server: Server) -> None:
    view.script = (
        "const set = Storage.prototype.setItem; Storage.prototype.setItem = function (name, text) {"
        " if (text.length > 3000) throw new Error('full'); set.call(this, name, text); }"
    )
    page.reload()
    begun(page)
    server.grows = 12
    page.reload()
    shows(page, steps=len(STORY.steps), state="done")
    assert server.asked[0] == {"run": STORY.run, "from": 0}


def test_a_recorded_run_plays_once_and_comes_back_where_it_was_left(
    page: Page, view: ViewTab
) -> None:
    page.emulate_media(reduced_motion="no-preference")
    value = pack(autoplay_message(STORY.to_json()))
    view.script = f"window.startValue = {json.dumps(value)}"
    page.reload()
    shows(page, playing="true", steps=len(STORY.steps))
    page.get_by_label("Last step").click()
    shows(page, playing="false", cursor=len(STORY.steps))
    page.get_by_label("Previous step").click()
    page.reload()
    shows(page, playing="false", cursor=len(STORY.steps) - 1)
    send(page, pack(autoplay_message(STORY.to_json())))  # an example that is chosen again
    shows(page, playing="true")
    send(page, pack(autoplay_message(OTHER.to_json())))
    shows(page, playing="true", steps=len(OTHER.steps))


def test_a_link_opens_its_step_once(page: Page, server: Server) -> None:
    server.have = len(STORY.steps)
    page.goto(f"{ADDRESS}?run={STORY.run}&step=3&lang=en")
    shows(page, cursor=3, steps=len(STORY.steps))
    send(page, OTHER.to_json())
    shows(page, steps=len(OTHER.steps))
    page.reload()
    shows(page, steps=len(OTHER.steps))
    page.goto(f"{ADDRESS}?run={STORY.run}&step=2")
    shows(page, cursor=2, steps=len(STORY.steps))
    send(page, OTHER.to_json())
    shows(page, steps=len(OTHER.steps))
    page.goto(f"{ADDRESS}?run={STORY.run}&step=2")  # pasted again, or pressed again in a message
    shows(page, cursor=2, steps=len(STORY.steps))


def test_a_link_to_a_run_that_goes_on_follows_it_and_does_not_end_it(
    page: Page, server: Server
) -> None:
    server.grows = 12
    page.goto(f"{ADDRESS}?run={STORY.run}&step=2")
    shows(page, cursor=2, state="paused")
    page.evaluate("dispatchEvent(new Event('logitspec-stop'))")
    shows(page, steps=len(STORY.steps), state="done", cursor=2)
    assert server.stopped == []


def test_a_link_to_a_run_that_is_gone_says_so(page: Page, server: Server) -> None:
    server.knows = False
    page.goto(f"{ADDRESS}?run={STORY.run}&step=2")
    expect(page.locator(PLAYER)).to_contain_text("no longer kept", timeout=30_000)


def test_links_are_for_runs_that_the_server_has(page: Page, server: Server) -> None:
    page.evaluate(
        "document.execCommand = () => { window.copied = document.activeElement.value; return true }"
    )
    send(page, STORY.to_json())
    server.have = len(STORY.steps)
    page.get_by_label("First step").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".ls-said")).to_have_text("Link to step 1 copied.", timeout=30_000)
    assert page.evaluate("copied") == f"{ADDRESS}?run={STORY.run}&step=1&beat=5"
    server.knows = False
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".ls-said")).to_contain_text("This run has no address", timeout=30_000)
