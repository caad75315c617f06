"""Races in a bare page, checked against their traces; test_compare_tab.py has them in the app."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, product
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.accessibility import OPTIONS, SETTLED, violations
from support.race_page import (
    FIELD,
    LANE,
    ORDINALS,
    ROOT,
    TEXT,
    make_race,
    page_html,
    steps_from,
    steps_shown,
)
from support.watching import visit, watched

from logitspec.decoding.race import Race
from logitspec.trace.records import StepRecord, Trace

NAMES = {"root": "root", "logit": "runner-up", "retrieved": "retrieved", "recycled": "recycled"}


@cache
def finished() -> tuple[Race, list[str]]:
    return make_race()


@pytest.fixture(scope="module")
def race_tab(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page()
    yield opened
    opened.context.close()


@pytest.fixture
def page(race_tab: Page) -> Iterator[Page]:
    """A page with an empty race, in a tab that tests reuse."""
    with watched(race_tab):
        visit(race_tab, page_html)
        yield race_tab


def give(page: Page, *messages: str) -> None:
    page.evaluate("messages => messages.forEach((each) => race.receive(each))", messages)
    painted(page)


def open_race(page: Page, text: str) -> None:
    page.evaluate("text => race.open(text)", text)
    painted(page)


def painted(page: Page) -> None:
    page.evaluate(
        """async () => {
          for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
          await new Promise((done) => setTimeout(done));
        }"""
    )


def data(page: Page, name: str) -> str | None:
    return page.locator(ROOT).get_attribute(f"data-{name}")


def spent(trace: Trace, clock: str) -> list[float]:
    """What is spent after 0, 1, 2 ... steps: seconds or steps."""
    each = [step.seconds.wall if clock == "time" else 1 for step in trace.steps]
    return [0.0, *accumulate(each)]


def done_at(race: Race, at: float, clock: str) -> list[int]:
    return [sum(each <= at + 1e-9 for each in spent(trace, clock)) - 1 for trace in race.traces]


def expected_places(race: Race, clock: str) -> list[str]:
    """Places found by sorting, not by counting as the page does."""
    totals = [round(spent(trace, clock)[-1], 6) for trace in race.traces]
    return [ORDINALS[1 + sorted(totals).index(total)] for total in totals]


def origins(steps: list[StepRecord]) -> list[str]:
    """The origin of every emitted token, in order."""
    return [provenance.origin.value for step in steps for provenance in step.provenance]


def seconds_words(seconds: float) -> str:
    if seconds >= 0.9995:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.{1 if seconds < 0.1 else 0}f} ms"


def switch(page: Page, clock: str) -> None:
    title = {"time": "Measured time", "forwards": "Forward passes"}[clock]
    page.get_by_role("button", name=title).click()
    expect(page.locator(ROOT)).to_have_attribute("data-clock", clock)


def test_places_and_finishes_are_those_of_the_traces(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    for clock in ("time", "forwards"):
        switch(page, clock)
        painted(page)
        assert page.locator(f"{LANE} .lr-place").all_text_contents() == expected_places(race, clock)
        took = page.locator(f"{LANE} .lr-took").all_text_contents()
        if clock == "time":
            assert took == [seconds_words(spent(trace, clock)[-1]) for trace in race.traces]
        else:
            assert took == [f"{len(trace.steps)} passes" for trace in race.traces]
    assert len(set(expected_places(race, "time"))) > 2
    assert page.locator(f"{LANE} .lr-title").all_text_contents() == race.titles


def test_at_every_moment_the_lanes_are_where_their_traces_say(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    for clock, share in product(("time", "forwards"), (0, 137, 500, 999, 1000)):
        if data(page, "clock") != clock:
            switch(page, clock)
        page.locator(".lr-slider").fill(str(share))
        painted(page)
        at = float(data(page, "at") or -1)
        assert at == pytest.approx(share / 1000 * max(spent(t, clock)[-1] for t in race.traces))
        assert steps_shown(page) == done_at(race, at, clock)
        for lane, steps, trace in zip(
            page.locator(LANE).all(), steps_shown(page), race.traces, strict=True
        ):
            steps_so_far = trace.steps[:steps]
            tokens = lane.locator("[data-lane-token]")
            lane_origins = tokens.evaluate_all("all => all.map((each) => each.dataset.origin)")
            assert lane_origins == origins(steps_so_far)
            home = lane.get_attribute("data-place")
            assert (home is None) == (steps < len(trace.steps))


def test_the_text_is_shown_as_text(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    whole = race.traces[0].output_bytes.decode().replace("\u202e", "⟨202e⟩")
    for lane in page.locator(LANE).all():
        assert "".join(lane.locator("[data-lane-token]").all_text_contents()) == whole
    assert "<script>" in whole
    assert "café" in whole
    # Token by token, a character that comes in two tokens is whole again once both are there.
    grown = page.evaluate(
        """async () => {
          for (let at = 70; at <= 90; at += 1) {
            race.show({ at, clock: "forwards", follow: false });
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
          }
          const spans = [...document.querySelectorAll(".lr-text")].pop().querySelectorAll("[data-lane-token]");
          return [...spans].map((each) => each.textContent).join("");
        }"""
    )
    assert grown == whole
    assert page.locator(f"{ROOT} script, {ROOT} img").count() == 0


def test_the_bars_carry_the_numbers_of_the_traces(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    totals = [trace.counts() for trace in race.traces]
    plain = totals[FIELD.index("autoregressive")].tokens_per_second

    def numbers(kind: str) -> list[str]:
        return page.locator(f"[data-bars={kind}] .lr-number").all_text_contents()

    rates = [re.match(r"([\d.,]+)/s(?:, ([\d.]+) ×)?$", each) for each in numbers("rate")]
    for rate, total in zip(rates, totals, strict=True):
        assert rate
        assert float(rate[1].replace(",", "")) == pytest.approx(total.tokens_per_second, rel=0.006)
        if total.tokens_per_second != plain:
            assert rate[2] == f"{total.tokens_per_second / plain:.2f}"
    assert numbers("mean") == [f"{each.mean_accepted_tokens:.2f}" for each in totals]
    for number, each in zip(numbers("drafts"), totals, strict=True):
        expected = f"{each.accepted} of {each.drafted} (" if each.drafted else "none drafted"
        assert number.startswith(expected)
    for number, trace in zip(numbers("origins"), race.traces, strict=True):
        counts = Counter(origins(trace.steps))
        assert dict(part.split(" ") for part in number.split(", ")) == {
            NAMES[origin]: str(count) for origin, count in counts.items()
        }
    widths = page.locator("[data-bars=rate] .lr-part").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().width)"
    )
    most = max(each.tokens_per_second for each in totals)
    for width, each in zip(widths, totals, strict=True):
        assert width / max(widths) == pytest.approx(each.tokens_per_second / most, abs=0.01)


def test_it_says_that_outputs_are_identical_and_how_the_times_were_taken(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    assert len({tuple(trace.output_ids) for trace in race.traces}) == 1
    verdict = page.locator(".lr-verdict")
    expect(verdict).to_have_text("All outputs are identical, token for token (90 tokens).")
    timing = page.locator(".lr-timing").inner_text()
    for words in ("took turns", "one device", "4 tokens untimed", "made-up, float32", "torch 0"):
        assert words in timing


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ({"differs_at": 6, "margin": 0.3}, "The outputs differ from new token 7 on."),
        ({"differs_at": 6, "margin": 0.0001}, "two best tokens were tied to within 0.01%"),
        ({"complete": False, "tokens": 1}, "Up to where all lanes got (1 token)"),
    ],
)
def test_it_says_where_outputs_differ(page: Page, verdict: dict[str, Any], words: str) -> None:
    _, messages = finished()
    last = json.loads(messages[-1])
    last["verdict"] |= verdict
    give(page, *messages[:-1], json.dumps(last))
    expect(page.locator(".lr-verdict")).to_contain_text(words)


def test_a_running_race_shows_no_more_than_all_its_lanes_have_reached(page: Page) -> None:
    race, messages = finished()
    switch(page, "time")
    give(page, messages[0])
    assert data(page, "state") == "running"
    assert steps_shown(page) == [0, 0, 0, 0]
    for count in (5, 38, 120):
        give(page, *messages[1 : 1 + count])
        so_far = [race.order[:count].count(lane) for lane in range(4)]
        going = [
            spent(trace, "time")[steps]
            for trace, steps in zip(race.traces, so_far, strict=True)
            if steps < len(trace.steps)
        ]
        at = float(data(page, "at") or -1)
        assert at <= min(going, default=1e9) + 1e-9
        known = [min(a, b) for a, b in zip(done_at(race, at, "time"), so_far, strict=True)]
        assert steps_shown(page) == known
    expect(page.locator(f"{ROOT} .lr-results")).to_be_hidden()
    give(page, *messages[1:])  # those that came already change nothing
    assert data(page, "state") == "done"
    assert steps_shown(page) == [len(trace.steps) for trace in race.traces]
    expect(page.locator(f"{ROOT} .lr-results")).to_be_visible()


def test_lost_steps_are_told(page: Page) -> None:
    _, messages = finished()
    give(page, messages[0], messages[1], *messages[9:])
    assert data(page, "state") == "error"
    expect(page.get_by_role("alert")).to_contain_text("lost on the way")


def test_missing_steps_are_asked_for_and_come_once(page: Page) -> None:
    race, messages = finished()
    page.evaluate("reply => { replies = [reply]; }", steps_from(race, 30))
    give(page, *messages[:31], *messages[40:60])
    give(page, *messages[10:20], *messages[60:])
    assert page.evaluate("asked") == [[race.name, 30]]
    assert data(page, "state") == "done"
    assert steps_shown(page) == [len(trace.steps) for trace in race.traces]
    texts = [
        "".join(lane.locator("[data-lane-token]").all_text_contents())
        for lane in page.locator(LANE).all()
    ]
    assert texts == [race.traces[0].output_bytes.decode().replace("\u202e", "⟨202e⟩")] * 4


def test_a_message_that_comes_late_takes_nothing_back(page: Page) -> None:
    _, messages = finished()
    ended = next(
        number
        for number, message in enumerate(messages)
        if any(lane.get("finish") for lane in json.loads(message).get("lanes", [])) and number
    )
    assert ended < len(messages) - 1
    give(page, *messages[: ended + 1])
    snapshot = json.loads(page.evaluate("race.snapshot()"))
    assert any(lane["finish"] for lane in snapshot["lanes"])
    give(page, *messages[1:ended])
    assert json.loads(page.evaluate("race.snapshot()")) == snapshot


def test_a_race_comes_back_from_what_was_kept_of_it(page: Page) -> None:
    race, messages = finished()
    give(page, *messages[:50])
    snapshot = page.evaluate("race.snapshot()")
    page.reload()
    page.set_content(page_html())
    give(page, snapshot)
    assert page.evaluate("race.place().steps") == 49
    assert page.evaluate("race.place().run") == race.name
    assert data(page, "state") == "running"
    give(page, *messages[50:])
    assert steps_shown(page) == [len(trace.steps) for trace in race.traces]
    whole = json.loads(page.evaluate("race.snapshot()"))
    real = json.loads(race.to_json())
    assert [lane["steps"] for lane in whole["lanes"]] == [lane["steps"] for lane in real["lanes"]]
    switch(page, "forwards")
    page.locator(".lr-slider").fill("500")
    place = page.evaluate("race.place()")
    page.evaluate("race.show({ clock: 'time', at: 0, follow: false })")
    page.evaluate("cursor => race.show(cursor)", place["cursor"])
    painted(page)
    assert data(page, "clock") == "forwards"
    assert float(data(page, "at") or -1) == pytest.approx(place["cursor"]["at"])


def test_the_end_of_a_race_in_which_no_lane_arrived_is_told(page: Page) -> None:
    _, messages = finished()
    last = json.loads(messages[12])
    for lane in last["lanes"]:
        lane["finish"] = "cancelled"
    last["verdict"] = {"tokens": 3, "differs_at": None, "margin": None, "complete": False}
    give(page, *messages[:12], json.dumps(last))
    spoken = page.locator(".ls-spoken[role=status]")
    expect(spoken).to_have_text(re.compile(r"^The race was stopped\. Up to where"))
    document = json.loads(page.evaluate("race.snapshot()")) | {"verdict": None}
    page.evaluate("text => race.open(text)", json.dumps(document))
    expect(page.locator(".lr-timing")).to_be_visible()
    expect(page.locator(".lr-verdict")).to_be_hidden()


def test_a_lane_that_failed_is_told_and_what_was_done_stays(page: Page) -> None:
    _, messages = finished()
    last = json.loads(messages[40])
    for lane in last["lanes"]:
        lane["finish"] = lane.get("finish") or "cancelled"
    last["lanes"][3] |= {"finish": "error", "error": "The memory is full."}
    give(page, *messages[:40], json.dumps(last))
    assert data(page, "state") == "error"
    expect(page.get_by_role("alert")).to_have_text("The memory is full.")
    assert sum(steps_shown(page)) > 20


# Files


def test_a_race_is_saved_whole_and_opened_again(page: Page) -> None:
    race, messages = finished()
    save = page.get_by_role("button", name="Save race")
    give(page, *messages[:60])
    expect(save).to_be_disabled()
    give(page, *messages[60:])
    with page.expect_download() as saved:
        save.click()
    path = saved.value.path()
    document = json.loads(path.read_text())
    real = json.loads(race.to_json())
    for lane, trace in zip(document["lanes"], race.traces, strict=True):
        opened = Trace.from_json(json.dumps(lane))
        assert opened.output_ids == trace.output_ids
        assert [s.to_json() for s in opened.steps] == [s.to_json() for s in trace.steps]
        assert opened.environment == trace.environment
    assert {name: document[name] for name in document if name != "lanes"} == {
        name: real[name] for name in real if name != "lanes"
    }
    page.reload()
    page.set_content(page_html())
    page.get_by_label("A saved race").set_input_files(path)
    page.wait_for_function("s => document.querySelector(s).dataset.playing === 'true'", arg=ROOT)
    page.locator(ROOT).focus()
    page.keyboard.press("End")
    painted(page)
    assert steps_shown(page) == [len(trace.steps) for trace in race.traces]
    expect(page.locator(".lr-verdict")).to_contain_text("identical")


def test_a_race_that_is_dropped_opens(page: Page) -> None:
    race, _ = finished()
    page.evaluate(
        """([root, text]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "race.json"));
          const options = { dataTransfer, bubbles: true, cancelable: true };
          document.querySelector(root).dispatchEvent(new DragEvent("drop", options));
        }""",
        [ROOT, race.to_json()],
    )
    expect(page.locator(LANE)).to_have_count(4)


# No two in a row are refused in the same words.
NO_RACES = [
    ("no json", "it is not JSON; open a file saved here."),
    ("[]", "This is not a race; open a file saved here."),
    ('{"kind":"trace","schema":1}', "open it under Watch."),
    ("null", "This is not a race; open a file saved here."),
    ('{"kind":"race","schema":1}', "This race is damaged (race is missing); save it again."),
    ('{"kind":"race","schema":2}', "schema 2"),
    ('{"kind":"race","schema":1,"titles":["a","b"],"lanes":[{},{}]}', "This race is damaged"),
]


def test_what_is_no_race_is_told_and_what_was_there_stays(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    alert = page.locator(f"{ROOT} [role=alert]")
    for text, words in NO_RACES:
        expect(alert).not_to_contain_text(words)
        page.get_by_label("A saved race").set_input_files(
            {"name": "a.json", "mimeType": "application/json", "buffer": text.encode()}
        )
        expect(alert).to_be_visible()
        expect(alert).to_contain_text(words)
        assert steps_shown(page) == [len(trace.steps) for trace in race.traces]


def test_a_file_that_is_refused_during_a_race_does_not_end_it(page: Page) -> None:
    _, messages = finished()
    alert = page.locator(f"{ROOT} [role=alert]")
    give(page, *messages[:30])
    open_race(page, "{}")
    expect(alert).to_contain_text("This is not a race")
    assert data(page, "state") == "running"
    page.locator(ROOT).focus()
    page.keyboard.press("Home")
    painted(page)
    expect(alert).to_be_hidden()
    assert data(page, "state") == "paused"
    open_race(page, "{}")
    expect(alert).to_be_visible()
    give(page, *messages[30:])
    expect(alert).to_be_hidden()
    assert data(page, "state") == "done"


def test_a_damaged_race_is_told(page: Page) -> None:
    race, _ = finished()
    for without in ("steps", "model", "vocabulary", "finish", "prompt_ids"):
        damaged = json.loads(race.to_json())
        del damaged["lanes"][2][without]
        open_race(page, json.dumps(damaged))
        expect(page.get_by_role("alert")).to_have_text(
            f"This race is damaged (lanes[2].{without} is missing); save it again."
        )
        assert page.locator(LANE).count() == 0


def test_a_lane_is_handed_on_as_a_run(page: Page) -> None:
    race, messages = finished()
    give(page, *messages[:30])
    expect(page.locator(".lr-open").first).to_be_hidden()
    give(page, *messages[30:])
    page.get_by_role("button", name=f"Watch the steps of {race.titles[1]}").click()
    (text,) = page.evaluate("opened")
    trace = Trace.from_json(text)
    assert trace.output_ids == race.traces[1].output_ids
    assert trace.method == race.traces[1].method


def test_the_keys_work_where_the_focus_is_and_nowhere_else(page: Page) -> None:
    race, messages = finished()
    switch(page, "time")
    give(page, *messages)
    end = steps_shown(page)
    page.get_by_label("beside").focus()
    for key in ("Home", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    painted(page)
    assert steps_shown(page) == end
    page.locator(ROOT).focus()
    page.keyboard.press("Home")
    painted(page)
    assert steps_shown(page) == [0, 0, 0, 0]
    page.keyboard.press("ArrowRight")
    painted(page)
    first = min(spent(trace, "time")[1] for trace in race.traces)
    assert float(data(page, "at") or 0) == pytest.approx(first)
    assert sum(steps_shown(page)) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    painted(page)
    assert float(data(page, "at") or 0) == pytest.approx(first)
    page.keyboard.press("Shift+ArrowRight")
    painted(page)
    moments = sorted(each for trace in race.traces for each in spent(trace, "time")[1:])
    assert float(data(page, "at") or 0) == pytest.approx(moments[10])
    expect(page.locator(".ls-spoken[role=status]")).to_contain_text("After ")
    page.keyboard.press("End")
    painted(page)
    assert steps_shown(page) == end
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    painted(page)
    assert data(page, "playing") == "true"
    page.wait_for_function("s => +document.querySelector(s).dataset.at > 0.02", arg=ROOT)
    page.keyboard.press("Space")
    painted(page)
    assert data(page, "playing") == "false"
    steps = steps_shown(page)
    page.wait_for_timeout(300)
    assert steps_shown(page) == steps


def test_playing_ends_at_the_end_and_tells_who_came_in(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    switch(page, "forwards")
    page.locator(".ls-speed select").select_option("100")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("s => document.querySelector(s).dataset.playing === 'true'", arg=ROOT)
    expect(page.locator(ROOT)).to_have_attribute("data-playing", "false", timeout=15_000)
    assert steps_shown(page) == [len(trace.steps) for trace in race.traces]
    spoken = page.locator(".ls-spoken[role=status]")
    best = expected_places(race, "forwards").index("1st")
    expect(spoken).to_contain_text(
        f"1st {race.titles[best]}, {len(race.traces[best].steps)} passes"
    )
    # Played again, it goes from the start.
    assert page.evaluate("() => (race.play(), race.place().cursor.at)") == 0


def recorded() -> str:
    race, _ = make_race(30)
    race.recorded = "a cat"
    return race.to_json()


def test_a_recorded_race_plays_and_says_so(page: Page) -> None:
    open_race(page, recorded())
    assert data(page, "playing") == "true"
    expect(page.locator(ROOT)).to_contain_text("Recorded: a cat")


def test_nothing_plays_by_itself_for_who_wants_no_motion(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_race(page, recorded())
    assert data(page, "playing") == "false"
    assert data(page, "state") == "done"
    page.locator(ROOT).focus()
    page.keyboard.press("Space")
    painted(page)
    assert data(page, "playing") == "true"


def faults(page: Page) -> list[Any]:
    page.evaluate(SETTLED)
    return [
        (rule["id"], node["target"], node["html"][:120])
        for rule in violations(page, OPTIONS, ROOT)
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing_and_nothing_sticks_out(page: Page, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("name => { document.documentElement.dataset.theme = name; }", theme)
    ground = "#0d0f12" if theme == "dark" else "#fff"
    page.evaluate("ground => { document.body.style.background = ground; }", ground)
    assert faults(page) == []
    _, messages = finished()
    give(page, *messages)
    assert faults(page) == []
    page.locator(".lr-slider").fill("400")
    painted(page)
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "e => [...e.querySelectorAll('*')].filter((i) => i.scrollWidth > i.clientWidth + 1 && getComputedStyle(i).overflowX === 'auto').length"
    assert page.locator(ROOT).evaluate(inside) == 0


def test_origins_differ_by_more_than_colour(page: Page) -> None:
    race, messages = finished()
    give(page, *messages)
    lane_origins = {origin for trace in race.traces for origin in origins(trace.steps)}
    heights = page.locator(".lr-item:not([hidden]) .lr-swatch").evaluate_all(
        "all => all.map((each) => getComputedStyle(each).backgroundSize)"
    )
    assert len(heights) == len(set(heights)) == len(lane_origins) >= 3
    lines = page.locator(".lr-item:not([hidden]) .ls-token").evaluate_all(
        "all => all.map((each) => getComputedStyle(each).borderBottomStyle)"
    )
    assert len(set(lines)) == len(lane_origins)


def test_text_lies_still(page: Page) -> None:
    """Tokens that stay are the same elements: nothing is redrawn while a race plays."""
    _, messages = finished()
    give(page, *messages)
    first = f"{LANE}:first-child [data-lane-token='{len(TEXT[:20])}']"
    page.locator(first).evaluate("each => { each.seen = true; }")
    page.locator(".lr-slider").fill("500")
    painted(page)
    page.locator(".lr-slider").fill("900")
    painted(page)
    assert page.locator(first).evaluate("each => each.seen") is True
