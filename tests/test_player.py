"""The player in a real Chromium, checked against the trace by independent derivations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support import player_driver
from support.player_driver import (
    HOSTILE,
    READ_BOXES,
    READ_TOKENS,
    ROOT,
    STORY,
    expected_nodes,
    expected_tokens,
    painted,
    press,
    send,
    show,
    state,
)
from support.player_page import steps_between

from logitspec.paths import ASSETS
from logitspec.publish.export import player_markup, player_style
from logitspec.publish.modules import graph
from logitspec.serving.wire import reset_message
from logitspec.trace.records import StepRecord, Trace, dumps

if TYPE_CHECKING:
    from playwright.sync_api import Page

page = player_driver.page


PLAYER = ASSETS / "player"

TRACES = {"story": STORY, "hostile": HOSTILE}


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
