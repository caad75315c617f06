"""The race as a component in a blank page: what it keeps, requests from the server, and comes back to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.race_page import gradio_page_html, make_race, steps_from
from support.view_tab import ViewTab, comes_to

from logitspec.decoding.race import Race
from logitspec.serving.wire import autoplay_message, error_message, pack

ROOT = "[data-logitspec-race]"
LANE = f"{ROOT} .lr-lane"


@cache
def finished() -> tuple[Race, list[str]]:
    return make_race()


def part(steps: int) -> Race:
    """The race when its lanes had `steps` steps together."""
    race, _ = finished()
    order = race.order[:steps]
    done = steps >= len(race.order)
    traces = [
        replace(
            trace,
            steps=trace.steps[: order.count(lane)],
            finish=trace.finish if done else None,
        )
        for lane, trace in enumerate(race.traces)
    ]
    return replace(race, traces=traces, order=order)


class Server:
    """Stands in for the server functions: it has `have` steps, and `grows` more after every request."""

    def __init__(self) -> None:
        self.have, self.grows = 20, 0
        self.asked: list[Any] = []
        self.stopped: list[Any] = []

    def fetch_steps(self, request: dict[str, Any]) -> str | None:
        self.asked.append(request)
        race, first = part(self.have), request["from"]
        self.have = min(len(finished()[0].order), self.have + self.grows)
        if request["run"] != race.name or first > len(race.order):
            return None
        return pack(steps_from(race, first) if first else race.to_json())

    def stop_run(self, request: dict[str, Any]) -> None:
        self.stopped.append(request)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(scope="module")
def view(chromium: Browser) -> Iterator[ViewTab]:
    opened = ViewTab(chromium, gradio_page_html())
    yield opened
    opened.close()


@pytest.fixture
def page(view: ViewTab, server: Server) -> Iterator[Page]:
    with view.visit(server) as opened:
        yield opened


def begun(page: Page, server: Server) -> None:
    """A race of which as many steps have arrived as the server has."""
    _, messages = finished()
    page.evaluate("all => all.forEach((each) => send(each))", messages[: server.have + 1])
    has(page, part(server.have))


def has(page: Page, race: Race) -> None:
    """Wait until the page has each lane's steps, and no more."""
    for lane, trace in zip(page.locator(LANE).all(), race.traces, strict=True):
        expect(lane).to_have_attribute("data-steps", str(len(trace.steps)), timeout=60_000)


def is_(page: Page, state: str) -> None:
    expect(page.locator(ROOT)).to_have_attribute("data-state", state, timeout=60_000)


def test_a_reload_in_mid_race_asks_on_until_it_has_ended(page: Page, server: Server) -> None:
    race, _ = finished()
    begun(page, server)
    assert server.asked == []
    server.grows = 30
    page.reload()
    is_(page, "done")
    has(page, race)
    assert server.asked[0] == {"run": race.name, "from": 20}
    texts = [
        lane.locator("[data-lane-token]").evaluate_all(
            "all => all.map((e) => e.textContent).join('')"
        )
        for lane in page.locator(LANE).all()
    ]
    assert texts == [race.traces[0].output_bytes.decode().replace("\u202e", "⟨202e⟩")] * 4
    expect(page.locator(".lr-verdict")).to_contain_text("identical")
    questions = len(server.asked)
    page.reload()
    is_(page, "done")
    page.wait_for_timeout(500)
    assert len(server.asked) == questions
    assert server.stopped == []


def test_a_reload_before_the_first_step_comes_back_to_the_race(page: Page, server: Server) -> None:
    """Until then the previous race is in sight."""
    race, messages = finished()
    before = race.to_json().replace(race.name, "c0ffee")
    page.evaluate("text => send(text)", autoplay_message(before))
    has(page, race)
    page.evaluate("dispatchEvent(new Event('logitspec-race'))")
    page.evaluate("text => send(text)", messages[0])
    server.have, server.grows = 0, 30
    page.reload()
    is_(page, "done")
    has(page, race)
    assert {each["run"] for each in server.asked} == {race.name}


def test_a_race_that_failed_before_its_first_step_leaves_the_one_before_it(
    page: Page, server: Server
) -> None:
    race, messages = finished()
    begun(page, server)
    page.evaluate("dispatchEvent(new Event('logitspec-race'))")
    page.evaluate("text => send(text)", messages[0].replace(race.name, "c0ffee"))
    page.evaluate("text => send(text)", error_message("There is no room."))
    page.reload()
    has(page, part(20))
    assert {each["run"] for each in server.asked} == {race.name}


def test_a_race_that_does_not_fit_is_asked_for(page: Page, view: ViewTab, server: Server) -> None:
    view.script = (
        "const set = Storage.prototype.setItem; Storage.prototype.setItem = function (name, text) {"
        " if (text.length > 3000) throw new Error('full'); set.call(this, name, text); }"
    )
    page.reload()
    begun(page, server)
    server.grows = 60
    page.reload()
    is_(page, "done")
    has(page, finished()[0])
    expect(page.locator(".lr-verdict")).to_contain_text("All outputs are identical")
    assert {"run": finished()[0].name, "from": 0} in server.asked


def test_stop_ends_a_race_that_goes_on_after_a_reload(page: Page, server: Server) -> None:
    begun(page, server)
    page.reload()
    has(page, part(20))
    is_(page, "running")
    page.evaluate("dispatchEvent(new Event('logitspec-stop'))")  # the player's event
    page.wait_for_timeout(300)
    assert server.stopped == []
    page.evaluate("dispatchEvent(new Event('logitspec-stop-race'))")
    comes_to(page, lambda: server.stopped != [])
    page.wait_for_timeout(100)
    assert server.stopped == [{"run": finished()[0].name}]


def test_the_clock_and_its_moment_are_kept(page: Page, server: Server) -> None:
    _, messages = finished()
    page.evaluate("all => all.forEach((each) => send(each))", messages)
    is_(page, "done")
    page.get_by_role("button", name="Forward passes").click()
    page.locator(".lr-slider").fill("400")
    reading = page.locator(".lr-reading").inner_text()
    page.reload()
    expect(page.locator(ROOT)).to_have_attribute("data-clock", "forwards")
    expect(page.locator(".lr-reading")).to_have_text(reading)
    assert server.asked == []


def test_a_live_race_comes_back_before_the_recorded_one(
    page: Page, view: ViewTab, server: Server
) -> None:
    recorded, _ = make_race(30)
    recorded.name, recorded.recorded = "recorded-18", "a cat"
    value = pack(autoplay_message(recorded.to_json()))
    page.emulate_media(reduced_motion="no-preference")
    view.script = f"window.startValue = {json.dumps(value)}"
    page.reload()
    expect(page.locator(ROOT)).to_contain_text("Recorded: a cat")
    expect(page.locator(ROOT)).to_have_attribute("data-playing", "true")
    server.grows = 60
    begun(page, server)
    expect(page.locator(ROOT)).not_to_contain_text("Recorded")
    page.reload()
    is_(page, "done")
    has(page, finished()[0])
    expect(page.locator(ROOT)).not_to_contain_text("Recorded")
