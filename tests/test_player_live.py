"""Runs that arrive bit by bit, are replaced, fail or come back after a reload, in the player in a real Chromium."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from support import player_driver
from support.player_driver import (
    HOSTILE,
    READ_TOKENS,
    ROOT,
    STORY,
    expected_tokens,
    painted,
    press,
    resting_step,
    send,
    show,
    state,
)
from support.player_page import gradio_page_html, steps_between

from logitspec import Trace
from logitspec.serving.wire import reset_message, steps_message
from logitspec.trace.records import dumps

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

page = player_driver.page


def test_a_run_goes_on_while_a_file_is_refused(page: Page) -> None:
    steps = len(STORY.steps)
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 4, 1))
    page.evaluate("player.open('no trace')")
    painted(page)
    expect(page.get_by_role("alert")).to_contain_text("not a trace")
    assert state(page) == (4, 4, "running")
    send(page, steps_between(STORY, 4, steps, 2))
    assert state(page) == (steps, steps, "running")
    last = json.loads(steps_between(STORY, steps, steps, 3)) | {"finish": "length"}
    send(page, json.dumps(last))
    assert state(page) == (steps, resting_step(STORY), "done")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_live_run_is_followed_until_the_viewer_looks_back(page: Page) -> None:
    send(page, reset_message(STORY, 0))
    assert state(page) == (0, 0, "running")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, 0)
    send(page, steps_between(STORY, 0, 1, 1), steps_between(STORY, 1, 6, 2))
    assert state(page) == (6, 6, "running")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, 6)
    page.get_by_label("Previous step").click()
    assert state(page) == (6, 5, "paused")
    send(page, steps_between(STORY, 6, 9, 3))
    assert state(page) == (9, 5, "paused")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, 5)
    page.get_by_role("button", name="Live").click()
    assert state(page) == (9, 9, "running")
    page.locator(ROOT).focus()
    press(page, "Space")
    send(page, steps_between(STORY, 9, 10, 4))
    assert state(page) == (10, 9, "paused")
    send(page, STORY.to_json())
    assert state(page) == (len(STORY.steps), 9, "done")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, 9)


def test_a_followed_run_rests_at_its_last_typical_step(page: Page) -> None:
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 3, 1), STORY.to_json())
    steps, rest = len(STORY.steps), resting_step(STORY)
    assert len(STORY.steps[rest - 1].path) >= 2
    assert state(page) == (steps, rest, "done")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, rest)
    page.locator(ROOT).focus()
    press(page, "End")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, steps)


def test_play_catches_up_with_a_live_run(page: Page) -> None:
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 8, 1))
    show(page, 2)
    page.locator("select").select_option("60")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_selector(f"{ROOT}[data-state=running][data-playing=false][data-cursor='8']")
    send(page, steps_between(STORY, 8, 9, 2))
    assert state(page) == (9, 9, "running")


def test_a_new_run_replaces_the_old_one(page: Page) -> None:
    send(page, STORY.to_json(), reset_message(HOSTILE, 0), steps_between(HOSTILE, 0, 2, 1))
    assert state(page) == (2, 2, "running")
    assert page.evaluate(READ_TOKENS) == expected_tokens(HOSTILE, 2)
    send(page, steps_between(STORY, len(STORY.steps), len(STORY.steps), 9))  # late, of the old run
    assert state(page) == (2, 2, "running")


def test_steps_twice_count_once_and_a_gap_is_asked_for(page: Page) -> None:
    page.evaluate("reply => replies.push(reply)", steps_between(STORY, 2, 5, 7))
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 2, 1))
    send(page, steps_between(STORY, 0, 2, 1), steps_between(STORY, 1, 2, 2))
    assert state(page)[0] == 2
    send(page, steps_between(STORY, 4, 6, 3), steps_between(STORY, 6, 7, 4))
    page.wait_for_selector(f"{ROOT}[data-steps='7']")
    painted(page)
    assert page.evaluate("asked") == [[STORY.run, 2]]
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, 7)


def test_a_gap_without_help_is_healed_by_the_whole_trace(page: Page) -> None:
    send(page, reset_message(STORY, 0), steps_between(STORY, 3, 4, 1))
    assert state(page) == (0, 0, "running")
    send(page, STORY.to_json())
    assert state(page) == (len(STORY.steps), resting_step(STORY), "done")


def test_an_error_is_told_and_the_steps_stay(page: Page) -> None:
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 5, 1))
    error = {"run": STORY.run, "seq": 2, "kind": "error", "message": "The <b>GPU</b> is gone."}
    send(page, dumps(error))
    assert state(page) == (5, 5, "error")
    assert page.get_by_role("alert").inner_text() == "The <b>GPU</b> is gone."
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, 5)
    send(page, reset_message(HOSTILE, 0))
    assert state(page) == (0, 0, "running")
    assert page.get_by_role("alert").is_hidden()


def test_a_run_that_failed_for_no_known_reason_says_so_at_every_step(page: Page) -> None:
    failed = replace(STORY, steps=STORY.steps[:5], finish="error")
    send(page, failed.to_json())
    for key in "Home", "ArrowRight", "End":
        press(page, key)
        assert state(page)[2] == "error"
        expect(page.get_by_role("alert")).to_have_text("The run failed.")


def test_a_live_run_is_saved_with_what_it_found_out_about_the_machine(page: Page) -> None:
    costs = {"forward_costs": {"rows": [1, 64], "milliseconds": [10, 20]}}
    known = replace(STORY, environment=costs)
    send(page, reset_message(STORY, 0), steps_message(known, 1, 0, STORY.vocabulary))
    assert Trace.from_json(page.evaluate("player.snapshot()")) == known
    expect(page.locator(ROOT)).to_contain_text("64 rows takes 2.0 times as long here")


@pytest.mark.parametrize("end", ["cancelled", "error"])
def test_a_run_that_ended_before_its_first_step_no_longer_reads_the_prompt(
    page: Page, end: str
) -> None:
    none = replace(STORY, steps=[])
    send(page, reset_message(replace(none, finish=None), 0))
    expect(page.locator(ROOT)).to_contain_text("No step yet: the model is reading the prompt.")
    send(page, steps_message(replace(none, finish=end), 1, 0, {}))
    expect(page.locator(ROOT)).to_contain_text("The run ended before its first step.")
    expect(page.locator(ROOT)).not_to_contain_text("No step yet")


def test_what_is_no_trace_is_refused_in_words(page: Page) -> None:
    alert = page.locator(f"{ROOT} [role=alert]")
    for message, sentence in [
        (json.dumps({"kind": "trace", "schema": 2}), "schema 2"),
        ("no json", "This is not a trace"),
        (json.dumps({"kind": "nonsense"}), "neither a trace"),
        (json.dumps({"kind": "trace", "schema": 1, "prompt_ids": [1], "steps": [{}]}), "damaged"),
    ]:
        expect(alert).not_to_contain_text(sentence)
        send(page, message)
        assert state(page) == (0, 0, "error")
        assert sentence in alert.inner_text()


def test_the_adapter_keeps_trace_and_place_over_a_reload(visitor: BrowserContext) -> None:
    page = visitor.new_page()
    body = gradio_page_html()
    page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("http://player.test/")
    page.evaluate("message => send(message)", STORY.to_json())
    page.get_by_label("First step").click()
    page.get_by_label("Next step").click()
    page.reload()
    painted(page)
    assert state(page) == (len(STORY.steps), 2, "done")
    page.evaluate("message => send(message)", reset_message(HOSTILE, 0))
    page.evaluate("message => send(message)", steps_between(HOSTILE, 0, 4, 1))
    page.reload()
    painted(page)
    assert state(page)[:2] == (4, 4)
    page.evaluate("message => send(message)", steps_between(HOSTILE, 4, 6, 2))
    painted(page)
    assert state(page) == (6, 6, "running")
    page.close()


def test_the_value_that_a_page_begins_with_does_not_undo_a_run(visitor: BrowserContext) -> None:
    page = visitor.new_page()
    body = gradio_page_html()
    page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.add_init_script(f"window.startValue = {json.dumps(STORY.to_json())}")
    page.goto("http://player.test/")
    painted(page)
    assert state(page)[0] == len(STORY.steps)
    page.evaluate("message => send(message)", HOSTILE.to_json())
    page.reload()
    painted(page)
    assert state(page)[0] == len(HOSTILE.steps)
    page.close()


def test_a_run_that_was_asked_for_makes_room_and_an_error_brings_the_old_one_back(
    page: Page,
) -> None:
    send(page, STORY.to_json())
    steps = len(STORY.steps)
    assert state(page) == (steps, steps, "done")
    page.evaluate("() => player.expect()")
    painted(page)
    chips = page.locator("[data-token], [data-node]")
    before = chips.count()
    assert state(page) == (0, 0, "running")
    assert before > steps
    expect(page.get_by_text("Starting: the first step")).to_be_visible()
    send(page, dumps({"kind": "waiting", "ahead": 2, "seconds": 8.4}))
    expect(
        page.get_by_text("Waiting: 2 runs are ahead of yours, for about 8 seconds.")
    ).to_be_visible()
    send(page, STORY.to_json())  # its end comes late, and it is not the requested run
    assert state(page) == (0, 0, "running")
    send(page, dumps({"kind": "error", "run": "", "message": "The prompt is empty."}))
    assert state(page) == (steps, steps, "error")
    assert page.get_by_role("alert").inner_text() == "The prompt is empty."
    page.evaluate("() => player.expect()")
    send(page, reset_message(HOSTILE, 0))
    assert state(page) == (0, 0, "running")
    assert chips.count() == before  # until the first step
    send(page, steps_message(HOSTILE, 1, 0, HOSTILE.vocabulary))
    assert chips.count() != before
    page.evaluate("() => player.expect()")
    send(page, reset_message(replace(STORY, run="early"), 0))
    early = dumps(
        {
            "run": "early",
            "kind": "steps",
            "from": 0,
            "steps": [],
            "finish": "error",
            "error": "No.",
        }
    )
    send(page, early)
    assert state(page)[2] == "error"
    assert state(page)[0] > 0  # what was shown before is back
    page.evaluate("() => player.expect()")
    send(page, replace(STORY, run="next").to_json())
    assert state(page)[2] == "done"
