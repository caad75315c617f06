"""The player in a real Chromium, checked against the trace by independent derivations."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from support import player_driver
from support.player_driver import (
    HOSTILE,
    READ_NODES,
    READ_TOKENS,
    ROOT,
    STORY,
    expected_nodes,
    expected_tokens,
    painted,
    press,
    resting_step,
    send,
    show,
    shown_text,
    state,
)
from support.player_page import gradio_page_html, steps_between, story

from logitspec.paths import ASSETS
from logitspec.publish.export import player_markup, player_style
from logitspec.publish.modules import graph
from logitspec.serving.wire import reset_message, steps_message
from logitspec.trace.records import StepRecord, Trace, dumps

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

page = player_driver.page

PLAYER = ASSETS / "player"
TRACES = {"story": STORY, "hostile": HOSTILE}


READ_BOXES = """() => [...document.querySelectorAll("[data-node]")].map((node) => {
  const box = node.getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom];
})"""


def spelt_word(token: int) -> str:
    """A token of the story in a sentence: without the space before it."""
    return shown_text([STORY.vocabulary[token]])[0].strip()


def has_rejection(step: StepRecord) -> bool:
    """Whether the target chose something else in the place of a draft."""
    return any(state == "rejected" for _, _, state in expected_nodes(step))


def test_the_made_up_runs_hold_what_the_tests_are_about() -> None:
    states = {fate for step in STORY.steps for fate in step.states()}
    origins = {p.origin.value for step in STORY.steps for p in step.tree.provenance}
    twins = [
        step
        for step in STORY.steps
        if len(set(zip(step.tree.parents, step.tree.tokens, strict=True))) < len(step.tree)
    ]
    assert states == {"accepted", "rejected", "uncompared"}
    assert origins == {"root", "logit", "retrieved"}
    assert twins
    assert any(len(step.path) > 3 for step in STORY.steps)
    ends = [expected_tokens(HOSTILE, cursor)[-1][4] for cursor in range(len(HOSTILE.steps))]
    assert any("⟨" in end for end in ends)
    assert " 日" in [token[4] for token in expected_tokens(HOSTILE, len(HOSTILE.steps))]


def test_idle(page: Page) -> None:
    assert state(page) == (0, 0, "idle")
    assert page.get_by_text("No run yet").is_visible()
    assert page.get_by_role("button", name="Play", exact=True).is_disabled()
    assert page.get_by_role("group", name="Legend").is_visible()


@pytest.mark.parametrize("name", TRACES)
def test_text_at_any_step(page: Page, name: str) -> None:
    trace = TRACES[name]
    send(page, trace.to_json())
    steps = len(trace.steps)
    assert state(page) == (steps, steps, "done")
    for cursor in [steps, 1, *range(2, 12), steps, steps // 2, 3, steps - 1]:
        show(page, cursor)
        assert state(page)[1] == cursor
        assert page.evaluate(READ_TOKENS) == expected_tokens(trace, cursor)


def test_hostile_text_stays_text(page: Page) -> None:
    send(page, HOSTILE.to_json())
    for cursor in (1, len(HOSTILE.steps)):
        show(page, cursor)
        for token in page.locator("[data-token], [data-node]").all()[:120:12]:
            token.hover()
        assert page.locator(f"{ROOT} :is(script, img, b)").count() == 0
    text = "".join(page.locator("[data-token]").all_text_contents())
    for literal in (
        "<script>alert(1)</script>",
        "&lt;b&gt;",
        "${alert(3)}",
        "{{alert(4)}}",
        "`\\n`",
    ):
        assert literal in text
    assert "⟨202e⟩txt.exe" in text
    assert " \U0001f600!" in text
    assert " café is" in text
    isolated = "span => getComputedStyle(span).unicodeBidi"
    assert page.locator("[data-token]").first.evaluate(isolated) == "isolate"


def test_tree_of_every_other_step(page: Page) -> None:
    send(page, STORY.to_json())
    for cursor, step in list(enumerate(STORY.steps, start=1))[::2]:
        show(page, cursor)
        assert sorted(page.evaluate(READ_NODES)) == expected_nodes(step)


def test_a_full_tree_has_no_two_nodes_in_one_place(page: Page) -> None:
    trace = story(ranks=40, prompt_words=60)
    send(page, trace.to_json())
    sizes = [len(step.tree) for step in trace.steps]
    show(page, sizes.index(max(sizes)) + 1)
    areas = page.evaluate(READ_BOXES)
    assert len(areas) == max(sizes) > 45
    for number, a in enumerate(areas):
        assert all(
            a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1] for b in areas[:number]
        )
    assert min(areas)[:2] == areas[0][:2]  # the root is the leftmost


def test_counts_and_sentence(page: Page) -> None:
    send(page, STORY.to_json())
    cursor = next(n for n, step in enumerate(STORY.steps, start=1) if len(step.path) > 3)
    show(page, cursor)
    steps = STORY.steps[:cursor]
    step = steps[-1]
    tokens = sum(len(each.path) for each in steps)
    drafted = sum(len(each.tree) - 1 for each in steps)
    seconds = sum(each.seconds.wall for each in steps)
    device = sum(each.seconds.device for each in steps)

    def counts() -> dict[str | None, str]:
        return {
            each.get_attribute("data-count"): each.inner_text()
            for each in page.locator("[data-count]:visible").all()
        }

    passes = {
        "step": f"{cursor} of {len(STORY.steps)}",
        "tokens": str(tokens),
        "forwards": str(cursor),
        "mean": f"{tokens / cursor:.2f}",
        "acceptance": f"{(tokens - cursor) / drafted * 100:.1f}%",
    }
    assert counts() == passes  # seconds are this machine's, and one click away
    page.get_by_text("Seconds, on this machine only").click()
    assert counts() == passes | {
        "wall": f"{seconds * 1000:.1f} ms",
        "device": f"{device * 1000:.1f} ms",
        "rate": f"{tokens / seconds:.0f}",
    }
    fates = [node[2] for node in expected_nodes(step)]
    refused, unseen = fates.count("rejected"), fates.count("uncompared")
    assert page.get_by_text(
        f"{len(step.tree) - 1} drafted = {len(step.path) - 1} accepted"
        f" + {refused} rejected + {unseen} not compared"
    ).is_visible()
    sentence = (
        f"Step {cursor}: {len(step.tree) - 1} drafted, {len(step.path) - 1} accepted,"
        f" {len(step.path)} tokens from one forward pass ({step.seconds.wall * 1000:.1f} ms)."
    )
    assert page.get_by_text(sentence).is_visible()
    assert page.get_by_text(
        "tokens per target forward, root included, prefill excluded"
    ).is_visible()


def test_only_the_viewer_s_own_steps_are_spoken(page: Page) -> None:
    spoken = page.locator("[aria-live=polite]")
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 4, 1))
    assert spoken.inner_text() == ""
    page.locator(ROOT).focus()
    press(page, "ArrowLeft")
    assert spoken.inner_text().startswith("Step 3: ")
    send(page, steps_between(STORY, 4, 6, 2))
    assert spoken.inner_text().startswith("Step 3: ")


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


def test_keys(page: Page) -> None:
    send(page, STORY.to_json())
    steps = len(STORY.steps)
    rejections = [n for n, step in enumerate(STORY.steps, start=1) if has_rejection(step)]
    page.locator(ROOT).focus()
    for key, cursor in [
        ("Home", 1),
        ("ArrowLeft", 1),
        ("ArrowRight", 2),
        ("Shift+ArrowRight", 12),
        ("ArrowLeft", 11),
        ("j", min(n for n in rejections if n > 11)),
        ("k", max(n for n in rejections if n < min(n for n in rejections if n > 11))),
        ("End", steps),
        ("ArrowRight", steps),
        ("Shift+ArrowLeft", steps - 10),
    ]:
        press(page, key)
        assert (key, state(page)[1]) == (key, cursor)
    press(page, "Home", "]", "]")
    assert page.locator("select").input_value() == "2"
    press(page, "Alt+]")  # Option on a Mac, where many keyboards have brackets only with it
    press(page, "Control+Alt+]")  # AltGr on Windows
    assert page.locator("select").input_value() == "10"
    press(page, "Meta+[", "Control+[", "Alt+j")  # the browser's
    assert (page.locator("select").input_value(), state(page)[1]) == ("10", 1)
    press(page, "[", "[", "[")
    assert page.locator("select").input_value() == "1"
    press(page, "?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    press(page, "Escape")
    assert page.get_by_role("dialog", name="Keys").is_hidden()


def expected_visible(trace: Trace, cursor: int, beat: int) -> int:
    """The number of tokens in the text: those of a step join it with its last beat."""
    return len(expected_tokens(trace, cursor if beat == 5 else cursor - 1))


def beat_of(page: Page) -> tuple[int, int, bool]:
    """Cursor, beat, and whether the motion towards it is under way."""
    data = page.evaluate(f"() => ({{...document.querySelector('{ROOT}').dataset}})")
    return int(data["cursor"]), int(data["beat"]), "moving" in data


WATCH_STILLS = """() => {
  const root = document.querySelector("[data-logitspec-player]");
  window.stills = [];
  const note = () => {
    const shown = document.querySelectorAll("[data-token]").length;
    const still = [+root.dataset.cursor, +root.dataset.beat, shown, "moving" in root.dataset];
    if (JSON.stringify(still) !== JSON.stringify(window.stills.at(-1))) window.stills.push(still);
  };
  new MutationObserver(note).observe(root, {attributes: true});
}"""


def test_beats_by_key_and_by_button(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 7)
    page.locator(ROOT).focus()
    assert beat_of(page) == (7, 5, False)
    page.evaluate(WATCH_STILLS)
    for beat in (1, 2, 3, 4, 5):
        press(page, ".")
        assert beat_of(page)[:2] == (8, beat)
        assert len(page.evaluate(READ_TOKENS)) == expected_visible(STORY, 8, beat)
        assert page.locator(".ls-beats [aria-current=step]").inner_text().startswith(str(beat))
    page.wait_for_selector(f"{ROOT}:not([data-moving])")
    assert [still[1] for still in page.evaluate("stills") if still[3]] == [1, 2, 3, 4, 5]
    press(page, ",", ",")
    assert beat_of(page) == (8, 3, False)
    press(page, "Escape")
    assert beat_of(page) == (8, 5, False)
    page.get_by_role("button", name="1 Last logits", exact=True).click()
    assert beat_of(page)[:2] == (8, 1)
    press(page, ",")
    assert beat_of(page)[:2] == (7, 5)
    press(page, ".", ".", "ArrowRight")  # from within a step to its end
    assert beat_of(page) == (8, 5, False)
    press(page, ".", "ArrowLeft")
    assert beat_of(page) == (8, 5, False)
    page.evaluate("player.beat(4)")
    painted(page)
    assert beat_of(page) == (8, 4, False)
    press(page, "Home", ",")
    assert beat_of(page) == (1, 4, False)
    press(page, ",", ",", ",", ",")
    assert beat_of(page) == (1, 1, False)


def test_a_recorded_run_plays_at_once_beat_by_beat(page: Page) -> None:
    recorded = {**json.loads(STORY.to_json()), "recorded": "a story", "autoplay": True}
    page.evaluate(WATCH_STILLS)
    send(page, dumps(recorded))
    assert page.get_by_text("a story", exact=True).is_visible()
    assert page.locator(ROOT).get_attribute("data-moving") == "true"
    page.wait_for_selector(f"{ROOT}[data-cursor='2'][data-playing=true]", timeout=30_000)
    page.locator(ROOT).focus()
    press(page, "Space")
    assert page.locator(ROOT).get_attribute("data-moving") is None
    stills = [still[:3] for still in page.evaluate("stills") if still[3]]
    expected = [(cursor, beat) for cursor in range(1, len(STORY.steps)) for beat in (1, 2, 3, 4, 5)]
    begins = [tuple(still[:2]) for still in stills].index((1, 1))
    assert [tuple(still[:2]) for still in stills[begins:]] == expected[: len(stills) - begins]
    assert all(
        visible == expected_visible(STORY, cursor, beat)
        for cursor, beat, visible in stills[begins:]
    )
    cursor, beat, _ = beat_of(page)
    send(page, dumps(recorded))  # again the same run: the viewer's place stays
    assert beat_of(page) == (cursor, beat, False)
    snapshot = json.loads(page.evaluate("player.snapshot()"))
    assert snapshot["recorded"] == "a story"
    assert "autoplay" not in snapshot


def test_a_recorded_run_can_begin_at_a_step_of_its_own_and_names_its_model(page: Page) -> None:
    model = {"id": "somebody/small-model", "dtype": "float32", "device": "cpu"}
    about = {"recorded": "a story", "model": model, "autoplay": True, "at": 3}
    first = page.evaluate(  # within the page, before the next beat
        """async ([root, text]) => {
          player.open(text);
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          return { ...document.querySelector(root).dataset };
        }""",
        [ROOT, dumps({**json.loads(STORY.to_json()), **about})],
    )
    assert (first["cursor"], first["beat"], first["playing"]) == ("3", "1", "true")
    assert page.get_by_text("small-model, recorded").is_visible()
    page.locator(ROOT).focus()
    press(page, "Space")
    assert "at" not in json.loads(page.evaluate("player.snapshot()"))


def test_a_trace_from_a_file_plays_from_its_start_and_what_is_none_changes_nothing(
    page: Page,
) -> None:
    send(page, HOSTILE.to_json())
    page.evaluate("text => player.open(text)", "{}")
    painted(page)
    assert state(page) == (len(HOSTILE.steps), len(HOSTILE.steps), "error")
    assert "neither a trace" in page.get_by_role("alert").inner_text()
    page.evaluate("text => player.open(text)", STORY.to_json())
    painted(page)
    assert page.locator(ROOT).get_attribute("data-playing") == "true"
    steps, cursor, name = state(page)
    assert (steps, name) == (len(STORY.steps), "done")
    assert cursor < steps


def test_reduced_motion_jumps_between_stills(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    try:
        send(page, dumps({**json.loads(STORY.to_json()), "recorded": "a story", "autoplay": True}))
        assert beat_of(page) == (1, 5, False)
        assert page.locator(ROOT).get_attribute("data-playing") == "false"
        page.locator(ROOT).focus()
        press(page, ".")
        assert beat_of(page) == (2, 1, False)
    finally:
        page.emulate_media(reduced_motion="no-preference")


def test_settings_by_key_and_by_button(page: Page) -> None:
    send(page, STORY.to_json())
    page.locator(ROOT).focus()
    press(page, "l", "w", "m")
    root = page.locator(ROOT)
    assert root.get_attribute("data-lecture") == "true"
    assert root.get_attribute("data-whitespace") == "true"
    assert root.get_attribute("data-tree-view") == "rows"
    page.get_by_role("button", name="Lecture size").click()
    assert root.get_attribute("data-lecture") is None
    press(page, "m", "m")
    assert root.get_attribute("data-tree-view") == "tree"


def test_the_cache_bar_holds_a_row_for_every_node(page: Page) -> None:
    send(page, STORY.to_json())
    cursor = next(n for n, step in enumerate(STORY.steps, start=1) if len(step.path) > 3)
    step = STORY.steps[cursor - 1]
    show(page, cursor)
    read = "rows => rows.map((row) => [Number(row.dataset.row), row.dataset.fate])"
    rows = page.locator("[data-row]").evaluate_all(read)
    assert rows == [[node, state] for node, state in enumerate(step.states())]
    places = (
        "rows => rows.map((row) => [row.getBoundingClientRect().left, Number(row.dataset.row)])"
    )
    nodes = [node for _, node in sorted(page.locator("[data-row]").evaluate_all(places))]
    assert nodes[: len(step.path)] == step.path
    label = page.get_by_role("img", name="accepted rows stay").get_attribute("aria-label")
    assert label is not None
    assert label.endswith(f"{step.cache_length} in all")


def test_keys_that_are_not_the_player_s(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 5)
    page.locator(ROOT).focus()
    press(page, "Control+ArrowRight", "Alt+End", "Meta+Home")
    assert state(page)[1] == 5
    page.locator("select").focus()
    press(page, "Home", "j")
    assert state(page)[1] == 5
    page.locator("summary").focus()
    press(page, "Space")
    assert page.locator("details").get_attribute("open") is not None
    assert page.locator(ROOT).get_attribute("data-playing") == "false"
    page.evaluate("document.activeElement.blur()")
    press(page, "ArrowRight", "Space")
    assert state(page)[1] == 5
    assert page.locator(ROOT).get_attribute("data-playing") == "false"


def test_the_tree_keeps_the_focus_and_is_walked_with_arrows(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 3)
    page.locator("[data-node='0']").focus()
    press(page, "ArrowDown")
    focused = "() => Number(document.activeElement.dataset.node)"
    assert page.evaluate(focused) > 0
    press(page, "ArrowRight")
    assert state(page)[1] == 4
    assert page.evaluate(focused) == 0


def test_buttons_and_scrubber(page: Page) -> None:
    send(page, STORY.to_json())
    steps = len(STORY.steps)
    for label, cursor in [
        ("First step", 1),
        ("Next step", 2),
        ("Next step", 3),
        ("Previous step", 2),
        ("Last step", steps),
    ]:
        page.get_by_label(label).click()
        assert state(page)[1] == cursor
    scrubber = page.locator("input[type=range]")
    scrubber.fill("7")
    assert state(page)[1] == 7
    box = scrubber.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    assert abs(state(page)[1] - (steps + 1) / 2) <= 1
    scrubber.focus()
    at = state(page)[1]
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft")
    assert state(page)[1] == at + 1
    page.locator("[data-step='4']").first.click()
    assert state(page)[1] == 4


def test_play_runs_to_the_end_and_starts_again(page: Page) -> None:
    send(page, STORY.to_json())
    steps = len(STORY.steps)
    page.locator("select").select_option("60")
    page.get_by_role("button", name="Play", exact=True).click()
    assert state(page)[1] < steps
    assert page.locator(ROOT).get_attribute("data-playing") == "true"
    page.wait_for_selector(f"{ROOT}[data-playing=false][data-cursor='{steps}']")
    page.locator("select").select_option("as it ran")
    page.locator(ROOT).focus()
    press(page, "Space")
    page.wait_for_selector(f"{ROOT}[data-playing=false][data-cursor='{steps}']")
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, steps)
    page.locator("select").select_option("1")
    page.locator(ROOT).focus()
    press(page, "Space", "Space")
    assert page.locator(ROOT).get_attribute("data-playing") == "false"
    assert state(page)[1] == 1


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


def test_a_copied_node_shows_its_source(page: Page) -> None:
    send(page, STORY.to_json())
    cursor, node, source = next(
        (n, node, p)
        for n, step in enumerate(STORY.steps, start=1)
        for node, p in enumerate(step.tree.provenance)
        if n > 20 and p.copied_from is not None and step.tree.parents[node] > 0
        and step.tree.provenance[step.tree.parents[node]].copied_from == p.copied_from - 1
        and step.tree.provenance[step.tree.parents[step.tree.parents[node]]].copied_from is None
    )  # fmt: skip
    show(page, cursor)
    page.locator(f"[data-node='{node}']").hover()
    copied = [int(at) for at in marked(page, "copy")]
    assert copied == [source.copied_from]
    assert source.copied_from is not None
    assert source.match_length == 2
    # It is the second token of its copy, so the matched pair ends one token earlier.
    assert [int(at) for at in marked(page, "match")] == [
        source.copied_from - 3,
        source.copied_from - 2,
    ]
    brought = next(
        n for n, each in enumerate(STORY.steps, 1) if each.cache_length > source.copied_from
    )
    share = (brought - 1) / (len(STORY.steps) - 1)
    place = page.locator(".ls-source-mark").evaluate("each => each.style.insetInlineStart")
    assert float(place.removesuffix("%")) == pytest.approx(100 * share, abs=0.001)
    detail = page.locator(".ls-detail").inner_text()
    assert f"copied from position {source.copied_from} after the 2-token match" in detail


def marked(page: Page, kind: str) -> list[str]:
    spans = f"[data-token][data-source={kind}]"
    read = f"() => [...document.querySelectorAll('{spans}')].map((span) => span.dataset.token)"
    positions: list[str] = page.evaluate(read)
    return positions


def test_a_rejected_node_tells_what_the_target_wanted(page: Page) -> None:
    send(page, STORY.to_json())
    step = STORY.steps[7]
    show(page, 8)
    node = step.states().index("rejected")
    page.locator(f"[data-node='{node}']").hover()
    expected = STORY.vocabulary[step.choices[step.tree.parents[node]]].decode()
    assert f'the target chose "{expected}"' in page.locator(".ls-detail").inner_text()


def test_the_rank_that_was_accepted_scrolls_into_sight(page: Page) -> None:
    trace = story(ranks=40)
    send(page, trace.to_json())
    far = [
        (number, step.provenance[1].rank)
        for number, step in enumerate(trace.steps, start=1)
        if len(step.path) > 1 and (step.provenance[1].rank or 0) >= 20
    ]
    assert len(far) >= 3
    for number, rank in far[:3]:
        show(page, number)
        row, box = (
            page.locator(selector).bounding_box()
            for selector in (f".ls-ranks [data-rank='{rank}']", ".ls-ranks")
        )
        assert row is not None
        assert box is not None
        assert box["y"] <= row["y"] <= row["y"] + row["height"] <= box["y"] + box["height"]
    node = trace.steps[far[0][0] - 1].path[1]
    show(page, far[0][0])
    page.locator(f"[data-node='{node}']").hover()
    expect(page.locator(".ls-detail")).to_contain_text("choice of the last logits")


def test_phone_shows_all_in_its_width(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    for trace in TRACES.values():
        send(page, trace.to_json())
        for cursor in (3, len(trace.steps)):
            show(page, cursor)
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
            sideways = "body => body.scrollWidth - body.clientWidth"
            for panel in page.locator(".ls-panel-body").all():
                assert panel.evaluate(sideways) == 0
            tops = [box[1] for box in page.evaluate(READ_BOXES)]
            assert tops[0] == min(tops)
            assert tops.count(tops[0]) < len(tops)


def test_dark_in_a_plain_page_and_in_gradio(page: Page) -> None:
    scheme = f"() => getComputedStyle(document.querySelector('{ROOT}')).colorScheme"
    assert page.evaluate(scheme) == "light"
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(scheme) == "dark"
    page.evaluate("document.documentElement.removeAttribute('data-theme')")
    page.evaluate("document.body.classList.add('dark')")
    assert page.evaluate(scheme) == "dark"
    page.evaluate("document.body.classList.remove('dark')")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(scheme) == "dark"
    page.evaluate("document.body.classList.add('gradio-container')")
    assert page.evaluate(scheme) == "light"


def test_a_step_more_draws_only_itself(page: Page) -> None:
    send(page, reset_message(STORY, 0), steps_between(STORY, 0, 20, 1))
    page.evaluate(
        """() => {
          window.touched = 0;
          const count = (records) => { for (const r of records) if (!r.target.matches(".ls-ghost"))
            window.touched += r.addedNodes.length + r.removedNodes.length; };
          new MutationObserver(count).observe(document.querySelector(".ls-text"), {childList: true, subtree: true});
        }"""
    )
    send(page, steps_between(STORY, 20, 21, 2))
    assert 0 < page.evaluate("touched") <= len(STORY.steps[20].path) + 2


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


def test_scripts_can_stand_in_any_page() -> None:
    """All modules but those that know Gradio or Node are part of an exported page."""
    modules = [path for path in graph(PLAYER / "standalone.js") if path.suffix == ".js"]
    others = {"adapter.js", "gradio.js", "kept.js", "remote.js", "unpack.js"}
    own = {path.name for path in modules if path.parent == PLAYER}
    assert own | others == {path.name for path in PLAYER.glob("*.js")}
    sheets = [path for path in PLAYER.glob("*.css") if path.name != "player.css"]
    assert all(path.read_text() in player_style() for path in sheets)
    for name in modules:
        text = name.read_text()
        for word in ("innerHTML", "insertAdjacentHTML", "gradio", "</script", "import(", "http:"):
            assert word not in text.replace("http://www.w3.org/2000/svg", ""), (name, word)
    assert not set("{}`\\$") & set(player_markup())


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


READ_CHOICES = """() => [...document.querySelectorAll(".ls-node")]
  .sort((a, b) => a.dataset.node - b.dataset.node)
  .map((node) => [...node.querySelectorAll(".ls-choice")]
    .filter((each) => getComputedStyle(each).display !== "none" && getComputedStyle(each).visibility === "visible")
    .map((each) => each.innerText.replace(/\\n/g, "")).join(""))"""


def test_under_each_node_stands_what_the_target_wants_and_then_who_guessed_it(page: Page) -> None:
    send(page, STORY.to_json())
    number, step = next(
        (number, step)
        for number, step in enumerate(STORY.steps, start=1)
        if 2 < len(step.path) < 6 and len(step.tree) > len(step.path)
    )
    show(page, number)
    page.evaluate("player.beat(2)")
    painted(page)
    assert not any(page.evaluate(READ_CHOICES))
    page.evaluate("player.beat(3)")
    painted(page)
    said = page.get_by_role("region", name="Draft tree").locator(".ls-note").inner_text()
    assert said == f"{len(step.tree)} rows at once"
    spelt = [shown_text([STORY.vocabulary[token]])[0] for token in step.choices]
    spelt = [re.sub(r"[\n\t]", "", text) for text in spelt]  # icons in a chip
    assert page.evaluate(READ_CHOICES) == ["→" + choice for choice in spelt]
    page.evaluate("player.beat(4)")
    painted(page)
    *accepted, last = step.path
    verdicts = {**dict.fromkeys(accepted, "✓"), last: "✗"}
    assert len(step.tree) > len(step.path) > 1
    assert page.evaluate(READ_CHOICES) == [
        f"→{spelt[node]}{verdicts[node]}" if node in verdicts else ""
        for node in range(len(step.tree))
    ]
    walk = ", ".join(
        f'"{spelt_word(step.tree.tokens[node])}" wants "{spelt_word(step.choices[node])}"\u00a0{verdict}'
        for node, verdict in verdicts.items()
    )
    assert page.locator(".ls-story").inner_text() == walk + "."


def test_before_the_draft_only_the_root_shows(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 5)
    page.evaluate("player.beat(1)")
    painted(page)
    seen = """() => [...document.querySelectorAll("[data-node]")].map(
      (node) => [Number(node.dataset.node), getComputedStyle(node).visibility])"""
    visible = dict(page.evaluate(seen))
    assert visible.pop(0) == "visible"
    assert set(visible.values()) == {"hidden"}


def test_every_node_is_tied_to_its_parent(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 30)
    edges = "() => [...document.querySelectorAll('[data-edge]')].map((edge) => Number(edge.dataset.edge))"
    nodes = list(range(1, len(STORY.steps[29].tree)))
    assert sorted(page.evaluate(edges)) == nodes
    parents = """() => Object.fromEntries([...document.querySelectorAll('[data-parent]')].map(
      (node) => [node.dataset.node, Number(node.dataset.parent)]))"""
    expected = {str(node): STORY.steps[29].tree.parents[node] for node in nodes}
    assert page.evaluate(parents) == expected


def test_zoom_and_pan_keep_the_root_in_sight(page: Page) -> None:
    trace = story(ranks=40, prompt_words=60)
    send(page, trace.to_json())
    show(page, 3)
    root = page.locator("[data-node='0']")
    body = page.locator(".ls-panel-tree .ls-panel-body")
    before, frame = root.bounding_box(), body.bounding_box()
    assert before is not None
    assert frame is not None
    place = before["x"] - frame["x"], before["y"] - frame["y"]
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    grown = root.bounding_box()
    assert grown is not None
    assert grown["height"] == pytest.approx(before["height"] * 1.5, rel=0.1)
    room = body.bounding_box()
    assert room is not None
    page.mouse.move(room["x"] + 300, room["y"] + 300)
    page.mouse.down()
    page.mouse.move(room["x"] + 100, room["y"] + 80, steps=3)
    page.mouse.up()
    painted(page)
    assert body.evaluate("body => [body.scrollLeft, body.scrollTop]") == [200, 220]
    pinned = root.bounding_box()
    assert pinned is not None
    assert room["x"] <= pinned["x"] <= room["x"] + 24
    assert room["y"] <= pinned["y"] <= room["y"] + 24
    root.focus()  # which may scroll the page, so that the legend does not cover it
    press(page, "0")
    now, frame = root.bounding_box(), body.bounding_box()
    assert now is not None
    assert frame is not None
    assert (now["x"] - frame["x"], now["y"] - frame["y"]) == place
    assert (now["width"], now["height"]) == (before["width"], before["height"])
    assert state(page)[1] == 3


def test_a_button_released_outside_the_tree_ends_its_drag(page: Page) -> None:
    send(page, story(ranks=40, prompt_words=60).to_json())
    show(page, 3)
    body = page.locator(".ls-panel-tree .ls-panel-body")
    room = body.bounding_box()
    assert room is not None
    body.evaluate("body => body.scrollTo(0, 60)")
    page.mouse.move(room["x"] + 2, room["y"] + 200)
    page.mouse.down()
    page.mouse.move(room["x"] - 60, room["y"] + 200)
    page.mouse.up()
    page.mouse.move(room["x"] + 100, room["y"] + 40)
    page.mouse.move(room["x"] + 100, room["y"] + 160)
    assert body.evaluate("body => body.scrollTop") == 60


def test_rows_and_mask_show_the_same_nodes(page: Page) -> None:
    send(page, STORY.to_json())
    cursor = 11
    step = STORY.steps[cursor - 1]
    show(page, cursor)
    page.get_by_role("button", name="Rows").click()
    assert sorted(page.evaluate(READ_NODES)) == expected_nodes(step)
    lefts = [box[0] for box in page.evaluate(READ_BOXES)]
    assert lefts[0] < min(lefts[1:])
    page.get_by_role("button", name="Mask").click()
    assert page.evaluate(READ_NODES) == expected_nodes(step)
    positions = page.locator("[data-node] .ls-mask-position").all_inner_texts()
    assert [int(each) for each in positions] == [
        step.position + depth for depth in step.tree.depths()
    ]
    path = page.locator("[data-node='9'] .ls-mask-cells path").get_attribute("d") or ""
    seen = [int(float(column)) for column in re.findall(r"M(\d+\.\d+) 0\.08", path)]
    assert seen == step.tree.path_to(9)
    page.locator("[data-node='9']").focus()
    pointed = "() => [...document.querySelectorAll('[data-node]:is([data-pointed], [data-way])')].map((row) => Number(row.dataset.node))"
    assert page.evaluate(pointed) == step.tree.path_to(9)
    press(page, "Shift+ArrowUp")
    focused = "() => Number(document.activeElement.dataset.node)"
    assert page.evaluate(focused) == step.tree.parents[9]


def test_a_token_of_the_text_points_at_its_node(page: Page) -> None:
    send(page, STORY.to_json())
    cursor = next(n for n, step in enumerate(STORY.steps, start=1) if len(step.path) > 3)
    show(page, cursor)
    step = STORY.steps[cursor - 1]
    page.locator(f"[data-token='{step.position + 2}']").hover()
    painted(page)
    assert page.locator("[data-node][data-pointed]").get_attribute("data-node") == str(step.path[2])
