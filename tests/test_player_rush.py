"""Steps that rush by: the player keeps up by leaving out the small print, but never which step it is."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from support.player_driver import READ_NODES, ROOT, STORY, expected_nodes
from support.player_page import page_html

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Drags the scrubber over these steps, one per frame, and notes after each what is shown.
DRAG = """async (cursors) => {
  const root = document.querySelector("[data-logitspec-player]");
  const range = document.querySelector(".ls-range");
  const seen = [];
  for (const cursor of cursors) {
    await new Promise((done) => requestAnimationFrame(done));
    // On a busy machine a frame may last so long that the tree is drawn, and another rush begins.
    const rested = root.dataset.hurried !== "true";
    range.value = String(cursor);
    range.dispatchEvent(new Event("input", { bubbles: true }));
    const canvas = document.querySelector(".ls-sketch");
    const step = document.querySelector("[data-count=step]").textContent;
    const nodes = document.querySelectorAll("[data-node]").length;
    seen.push({ rested, hurried: root.dataset.hurried, cursor: Number(root.dataset.cursor), step, nodes,
      picture: canvas && canvas.toDataURL() });
  }
  return seen;
}"""

# Drags over the steps within one frame, and over the last one twice: since it stays, all is painted.
RUSH = """(cursors) => {
  const range = document.querySelector(".ls-range");
  for (const cursor of [...cursors, cursors.at(-1)]) {
    range.value = String(cursor);
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""
LET_GO = "document.querySelector('.ls-range').dispatchEvent(new Event('change', {bubbles: true}))"

# How many points of the canvas have each colour that isn't a mixture, as "r,g,b".
COLOURS = """() => {
  const canvas = document.querySelector(".ls-sketch");
  if (!canvas) return {};
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const counts = {};
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] !== 255) continue;
    const key = [data[at], data[at + 1], data[at + 2]].join();
    counts[key] = (counts[key] || 0) + 1;
  }
  return counts;
}"""

# Drags over the steps, one per frame, and notes for each frame how many tokens are in the text and how
# many rows the cache says there are; then, every few ms, when both were first right and when it rested.
TURNS = """async (cursors) => {
  const root = document.querySelector("[data-logitspec-player]");
  const range = document.querySelector(".ls-range");
  const look = () => ({
    tokens: document.querySelector(".ls-panel-text .ls-note").textContent,
    cache: document.querySelector(".ls-cache-bar").getAttribute("aria-label"),
    hurried: root.dataset.hurried === "true",
  });
  const seen = [];
  for (const cursor of cursors) {
    await new Promise((done) => requestAnimationFrame(done));
    // On a busy machine a frame may last so long that the rest of the picture is drawn meanwhile.
    const rested = root.dataset.hurried !== "true";
    range.value = String(cursor);
    range.dispatchEvent(new Event("input", { bubbles: true }));
    seen.push({ ...look(), rested });
  }
  // What each task has drawn, however late it came: observers are called at its end.
  const after = [look()];
  await new Promise((done) => {
    const changes = new MutationObserver(() => {
      after.push(look());
      if (!after.at(-1).hurried) done(changes.disconnect());
    });
    changes.observe(root, { attributes: true, characterData: true, childList: true, subtree: true });
  });
  return [seen, after];
}"""


@pytest.fixture
def page(blank: Page) -> Page:
    blank.set_content(page_html())
    blank.evaluate("text => player.receive(text)", STORY.to_json())
    blank.wait_for_function(f"document.querySelector('{ROOT}').dataset.steps !== '0'")
    return blank


def at_rest(page: Page) -> None:
    page.wait_for_function(f"!('hurried' in document.querySelector('{ROOT}').dataset)")


def test_each_dragged_step_is_told_and_its_tree_drawn_in_its_turn(page: Page) -> None:
    cursors = list(range(1, 13))
    seen = page.evaluate(DRAG, [cursors[-1], *cursors])[1:]
    rushing = [each for each in seen if each["hurried"]]
    assert rushing
    assert [each["cursor"] for each in seen] == cursors
    assert [each["step"] for each in seen] == [
        f"{cursor} of {len(STORY.steps)}" for cursor in cursors
    ]
    rushes: list[list[Any]] = [[]]
    for each in rushing:
        if each["rested"]:
            rushes.append([])
        rushes[-1].append(each)
    for rush in rushes:
        waiting = [each["nodes"] > 0 for each in rush]
        assert sum(waiting) <= 2  # until its first turn, the tree is the previous one
        assert waiting == sorted(waiting, reverse=True)
    sketched = [each for each in rushing if each["nodes"] == 0]
    pictures = [each["picture"] for each in sketched]
    drawn = sum(one != other for one, other in pairwise([None, *pictures]))
    assert drawn >= len(sketched) // 3
    assert len(set(pictures)) == drawn


def test_a_sketch_has_the_colours_of_what_it_shows(page: Page) -> None:
    cursor = next(
        number
        for number, step in enumerate(STORY.steps, start=1)
        if {"logit", "retrieved"} <= {origin for _, origin, _ in expected_nodes(step)}
    )
    look = f"(cursors) => {{ ({RUSH})(cursors); return ({COLOURS})(); }}"
    # On a machine that takes too long to paint, nothing rushes by: then try again.
    looks = (page.evaluate(look, [1, cursor]) for _ in range(9))
    result: dict[str, int] = next((each for each in looks if each), {})
    # --ls-logit and --ls-retrieved in the light theme.
    assert result.get("153,87,0", 0) > 20
    assert result.get("0,105,168", 0) > 20


def test_the_step_that_stays_is_drawn_whole(page: Page) -> None:
    cursor = len(STORY.steps) // 2
    page.evaluate(DRAG, [1, 2, cursor])
    at_rest(page)
    assert sorted(page.evaluate(READ_NODES)) == expected_nodes(STORY.steps[cursor - 1])
    assert page.locator(".ls-sketch").count() == 0


def test_letting_go_draws_at_once(page: Page) -> None:
    cursor = len(STORY.steps) // 2
    page.evaluate(DRAG, [1, 2, cursor])
    page.evaluate(LET_GO)
    assert sorted(page.evaluate(READ_NODES)) == expected_nodes(STORY.steps[cursor - 1])


def test_keys_and_calls_always_draw_the_whole_step(page: Page) -> None:
    page.focus(ROOT)
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
        assert page.get_attribute(ROOT, "data-hurried") is None
    page.evaluate("() => [1, 2, 3].forEach((step) => player.show(step))")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert sorted(page.evaluate(READ_NODES)) == expected_nodes(STORY.steps[2])


def test_text_and_cache_take_turns_and_are_both_there_when_a_step_stays(page: Page) -> None:
    last = len(STORY.steps)
    page.evaluate("() => player.show(1)")
    page.locator(".ls-cache").scroll_into_view_if_needed()  # what is out of sight has no turn
    for part in (".ls-cache", ".ls-panel-text .ls-note"):
        expect(page.locator(part)).to_be_in_viewport()
    seen, after = page.evaluate(TURNS, list(range(last - 12, last + 1)))
    assert all(each["hurried"] for each in seen)
    changes = [
        (one["tokens"] != two["tokens"], one["cache"] != two["cache"])
        for one, two in pairwise(seen)
        if not two["rested"]
    ]
    assert (True, False) in changes
    assert (False, True) in changes
    assert (True, True) not in changes
    new = sum(len(step.path) for step in STORY.steps)
    rows = STORY.steps[-1].position + len(STORY.steps[-1].path)
    right = [
        f" + {new} new" in each["tokens"] and f"{rows} in all" in each["cache"] for each in after
    ]
    assert right[-1], after[-1]
    assert not after[-1]["hurried"]
    first = after[right.index(True)]
    assert first["hurried"]
