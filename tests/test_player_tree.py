"""The draft tree of the player in a real Chromium: its nodes, what they say, and how a viewer walks, moves and zooms it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from support import player_driver
from support.player_driver import (
    READ_BOXES,
    READ_NODES,
    STORY,
    expected_nodes,
    painted,
    press,
    send,
    show,
    shown_text,
    state,
)
from support.player_page import story

if TYPE_CHECKING:
    from playwright.sync_api import Page

page = player_driver.page


def spelt_word(token: int) -> str:
    """A token of the story in a sentence: without the space before it."""
    return shown_text([STORY.vocabulary[token]])[0].strip()


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
