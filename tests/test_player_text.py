"""The text, the last logits, the detail card and the ties, checked against the trace in a real Chromium."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support import player_driver
from support.player_driver import (
    HOSTILE,
    READ_TOKENS,
    ROOT,
    STORY,
    expected_tokens,
    painted,
    press,
    send,
    show,
    state,
)
from support.player_page import STORY as WORDS
from support.player_page import MadeUp, words

from logitspec.trace.records import StepRecord, Trace

if TYPE_CHECKING:
    from playwright.sync_api import Page

page = player_driver.page

LONG = MadeUp([*words(WORDS) * 80, *HOSTILE.vocabulary.values()], words(WORDS), ranks=4).trace
KINDS = {"accepted": "accepted", "rejected": "rejected", "uncompared": "not compared"}


def shown_text(page: Page) -> str:
    """All that the text panel holds, without the token that comes next."""
    text: str = page.evaluate(
        """() => {
          const copy = document.querySelector(".ls-text").cloneNode(true);
          copy.querySelectorAll(".ls-ghost, .ls-fold").forEach((each) => each.remove());
          return copy.textContent;
        }"""
    )
    return text


def scroll(page: Page, place: str) -> None:
    page.evaluate(
        f"() => {{ const e = document.querySelector('.ls-text'); e.scrollTop = {place}; }}"
    )
    painted(page)


def positions(page: Page, selector: str) -> list[int]:
    read = f"() => [...document.querySelectorAll('{selector}')].map((e) => Number(e.dataset.token))"
    result: list[int] = page.evaluate(read)
    return result


def stretches(step: StepRecord) -> int:
    """The number of copies whose first token does not continue its parent's copy."""
    tree = step.tree
    count = 0
    for node, source in enumerate(tree.provenance):
        above = tree.provenance[tree.parents[node]]
        goes_on = (above.copied_from, above.match_length) == (
            None if source.copied_from is None else source.copied_from - 1,
            source.match_length,
        )
        count += source.copied_from is not None and not goes_on
    return count


def test_a_long_text_is_drawn_token_by_token_only_where_it_is_looked_at(page: Page) -> None:
    send(page, LONG.to_json())
    steps = len(LONG.steps)
    everything = expected_tokens(LONG, steps)
    for place in ("0", "e.scrollHeight / 3", "e.scrollHeight", "e.scrollHeight / 2"):
        scroll(page, place)
        if place == "0":
            page.get_by_role("button", name="tokens folded").click()
            painted(page)
        spans = page.evaluate(READ_TOKENS)
        assert 50 < len(spans) < 1500
        assert spans == everything[spans[0][0] : spans[-1][0] + 1]
    assert shown_text(page) == "".join(token[4] for token in everything)
    show(page, 2)
    assert shown_text(page) == "".join(token[4] for token in expected_tokens(LONG, 2))
    assert page.evaluate(READ_TOKENS)[-1] == expected_tokens(LONG, 2)[-1]


def test_a_long_prompt_is_folded_until_it_is_asked_for(page: Page) -> None:
    send(page, LONG.to_json())
    scroll(page, "0")
    fold = page.get_by_role("button", name="tokens folded")
    folded = int(fold.inner_text().split()[1].replace(",", ""))
    texts = [token[4] for token in expected_tokens(LONG, len(LONG.steps))]
    text = shown_text(page)
    assert folded > 5000
    start = next(
        at for at in range(len(texts)) if "".join([*texts[:at], *texts[at + folded :]]) == text
    )
    assert texts[start - 1].endswith("\n")
    fold.focus()
    press(page, "Enter")
    assert shown_text(page) == "".join(texts)
    assert page.get_by_role("button", name="tokens folded").count() == 0
    send(page, STORY.to_json())
    assert page.evaluate(READ_TOKENS) == expected_tokens(STORY, len(STORY.steps))


def test_the_step_is_framed_and_the_certain_token_stands_behind_it(page: Page) -> None:
    send(page, STORY.to_json())
    for cursor in (1, 5, len(STORY.steps)):
        show(page, cursor)
        step = STORY.steps[cursor - 1]
        end = step.position + len(step.path)
        assert positions(page, "[data-now]") == list(range(step.position, end))
        ghost = page.locator(".ls-ghost")
        if cursor == len(STORY.steps):
            assert ghost.is_hidden()
            continue
        certain = STORY.vocabulary[STORY.steps[cursor].tree.tokens[0]].decode()
        assert ghost.text_content() == certain


def test_a_caret_walks_the_text_by_keys(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 9)
    start = STORY.steps[8].position
    page.locator(".ls-text").focus()
    press(page, "ArrowDown")
    assert positions(page, "[data-token][data-pointed]") == [start]
    press(page, "ArrowUp", "ArrowUp")
    assert positions(page, "[data-token][data-pointed]") == [start - 2]
    number = int(page.locator(f"[data-token='{start - 2}']").get_attribute("data-step") or "")
    assert (
        f"{number} of {len(STORY.steps)}, position {start - 2}"
        in page.locator(".ls-detail").inner_text()
    )
    spoken = page.locator(".ls-panel-text [role=status]").inner_text()
    assert spoken.startswith(f"Token {start - 2}, ")
    assert spoken.endswith(f"step {number}")
    press(page, "Enter")
    assert state(page)[1] == number
    press(page, "ArrowRight")
    assert state(page)[1] == number + 1
    page.evaluate("document.activeElement.blur()")
    assert page.locator("[data-pointed]").count() == 0


def test_spaces_and_what_has_no_shape_are_shown_on_demand(page: Page) -> None:
    send(page, HOSTILE.to_json())
    steps = len(HOSTILE.steps)
    assert page.locator(".ls-text .ls-space").count() == 0
    newline = page.locator("[data-step='0'] .ls-newline").first
    assert newline.is_hidden()
    page.locator(ROOT).focus()
    press(page, "w")
    text = "".join(token[4] for token in expected_tokens(HOSTILE, steps))
    spaces = re.sub("⟨.*?⟩", "", text).count(" ")
    assert page.locator("[data-token] .ls-space").count() == spaces
    assert newline.is_visible()
    assert page.evaluate(READ_TOKENS) == expected_tokens(HOSTILE, steps)
    part = "span => getComputedStyle(span, '::before').content"
    continued = page.locator(".ls-continued").first
    assert continued.evaluate(part) == f'"+{continued.get_attribute("data-hex")}"'
    press(page, "w")
    assert page.locator(".ls-text .ls-space").count() == 0


def test_a_box_shows_every_kind_of_space_and_what_has_no_shape(page: Page) -> None:
    spaces, shapeless = [" ", "\u3000", "\u00a0"], ["\u2060", "\u3164"]
    tokens = [each.encode() for each in ["x", *spaces, *shapeless]]
    send(page, MadeUp(tokens * 2, tokens, ranks=4).trace.to_json())
    show(page, 1)
    copies = page.locator("[data-origin='retrieved'] > .ls-node-text")
    assert copies.locator(".ls-space").all_text_contents()[:3] == spaces
    assert copies.locator(".ls-control").all_text_contents()[:2] == ["⟨2060⟩", "⟨3164⟩"]


def test_last_logits(page: Page) -> None:
    send(page, STORY.to_json())
    cursor = 5
    show(page, cursor)
    step = STORY.steps[cursor - 1]
    rows = page.locator("[data-rank]")
    assert rows.count() == 16
    assert "next, certain" in rows.nth(step.last.ids.index(step.tree.tokens[0])).inner_text()
    fates = {p.rank: fate for p, fate in zip(step.tree.provenance, step.states(), strict=True)}
    for rank in range(1, 16):
        label = rows.nth(rank).inner_text()
        assert (KINDS[fates[rank]] in label) if rank in fates else ("ed" not in label.split("%")[1])
    widths = "rows => rows.map((row) => row.querySelector('.ls-bar-length').getBoundingClientRect().width)"
    lengths = rows.evaluate_all(widths)
    assert abs(lengths[4] / lengths[0] - step.last.probs[4] / step.last.probs[0]) < 0.02
    page.get_by_role("button", name="log", exact=True).click()
    steps = rows.evaluate_all(widths)
    # Probabilities fall by a constant factor from rank to rank.
    assert abs((steps[0] - steps[4]) - (steps[4] - steps[8])) < 2
    page.get_by_role("button", name=f"all {len(step.last)}").click()
    assert [row.get_attribute("data-rank") for row in rows.all()] == [
        str(rank) for rank in range(len(step.last))
    ]


def test_a_draft_is_judged_only_when_it_was_compared(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 5)
    row = page.locator("[data-rank='1']")
    words = []
    for beat in (1, 2, 3, 4, 5):
        page.evaluate("beat => player.beat(beat)", beat)
        painted(page)
        words.append(row.inner_text().split("%")[1].strip())
    fate = KINDS[STORY.steps[4].states()[_node_of(STORY.steps[4], 1)]]
    assert words == ["", "drafted", "drafted", fate, fate]


def _node_of(step: StepRecord, rank: int) -> int:
    return next(node for node, p in enumerate(step.tree.provenance) if p.rank == rank and node)


def test_a_rank_a_node_and_a_token_are_one_thing(page: Page) -> None:
    send(page, STORY.to_json())
    cursor, node = next(
        (number, node)
        for number, step in enumerate(STORY.steps, start=1)
        for node in step.path
        if step.tree.provenance[node].origin == "logit"
    )
    show(page, cursor)
    step = STORY.steps[cursor - 1]
    rank, position = step.tree.provenance[node].rank, step.position + step.path.index(node)
    things = [f"[data-rank='{rank}']", f"[data-node='{node}']", f"[data-token='{position}']"]
    for thing in things:
        page.locator(thing).hover()
        painted(page)
        assert positions(page, "[data-token][data-pointed]") == [position]
        assert page.locator(f"[data-rank='{rank}'][data-pointed]").count() == 1
        assert page.locator(f"[data-node='{node}'][data-pointed]").count() == 1
        detail = page.locator(".ls-detail").inner_text()
        assert rank is not None
        place = {1: "2nd", 2: "3rd"}.get(rank, f"{rank + 1}th")  # ranks begin with 0, the root's
        assert f"\n{place} choice of the last logits" in detail
        assert f"position {position} of the text" in detail


def test_the_root_s_alternatives_have_probabilities(page: Page) -> None:
    send(page, STORY.to_json())
    show(page, 5)
    page.locator("[data-node='0']").hover()
    painted(page)
    others = page.locator(".ls-alternative").all_inner_texts()
    assert len(others) == 6
    assert others[0].endswith(f"{STORY.steps[4].last.probs[1] * 100:.1f}%")


def test_copies_are_tied_to_their_sources(page: Page) -> None:
    send(page, STORY.to_json())
    cursor = max(range(10, len(STORY.steps)), key=lambda n: stretches(STORY.steps[n - 1]))
    show(page, cursor)
    page.evaluate("player.beat(2)")
    page.wait_for_function(
        "wanted => document.querySelectorAll('.ls-tie[data-tie=source]').length === wanted",
        arg=stretches(STORY.steps[cursor - 1]),
    )
    page.evaluate("player.beat(1)")
    painted(page)
    assert page.locator(".ls-tie").count() == 0
    page.set_viewport_size({"width": 400, "height": 800})
    page.evaluate("player.beat(2)")
    painted(page)
    assert page.locator(".ls-ties").is_hidden()


def test_a_source_out_of_sight_is_told_at_the_edge_of_the_text(page: Page) -> None:
    send(page, LONG.to_json())
    cursor, source = _far_copy(LONG)
    show(page, cursor)
    page.wait_for_selector(".ls-pill")
    pill = page.locator(".ls-pill[data-side=above]")
    assert f"position {source:,} " in pill.inner_text()
    # It covers the note beside the panel's title, but never the title, however long that is in another language.
    title = page.locator(".ls-panel-text .ls-title")
    title.evaluate("each => (each.textContent = 'Der bisherige Text')")
    page.set_viewport_size({"width": 1024, "height": 768})
    page.wait_for_function(
        """() => {
          const [pill, title] = [".ls-pill", ".ls-panel-text .ls-title"].map((each) => document.querySelector(each));
          return pill && title.getBoundingClientRect().right < pill.getBoundingClientRect().left;
        }"""
    )
    pill.click()
    painted(page)
    inside = """at => {
      const outer = document.querySelector(".ls-text").getBoundingClientRect();
      const inner = document.querySelector(`[data-token="${at}"][data-source]`).getBoundingClientRect();
      return inner.top >= outer.top && inner.bottom <= outer.bottom;
    }"""
    assert page.evaluate(inside, source)


def _far_copy(trace: Trace) -> tuple[int, int]:
    for number, step in enumerate(trace.steps, start=1):
        for node in step.path:
            source = step.tree.provenance[node].copied_from
            if source is not None and source < step.position - 120:
                return number, source
    raise AssertionError("no accepted copy from far away")
