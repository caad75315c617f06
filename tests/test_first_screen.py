"""The first screen: one step, told automatically, without scrolling, with motion and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support.app_page import PLAYER, try_your_own
from support.watching import forget, look_as_at_first, watched

from logitspec import METHODS
from logitspec.publish.demos import opening_scene

SIZES = [(1440, 900, 30), (1024, 768, 28), (1920, 1080, 36), (768, 1024, 20)]
"""Width and height of a window, and the least height of a node in it, in px."""


@pytest.fixture
def still(app_tab: Page, url: str, language: str) -> Iterator[Page]:
    """The first screen with reduced motion, in a tab that tests reuse: it is loaded again only in another
    language, or after a test has left the scene, which nothing brings back."""
    with watched(app_tab):
        look_as_at_first(app_tab)
        app_tab.set_viewport_size({"width": 1440, "height": 900})
        app_tab.emulate_media(reduced_motion="reduce")
        app_tab.mouse.move(0, 0)
        address = f"{url}/?lang={language}"
        if app_tab.url != address or not app_tab.locator(f"{PLAYER}[data-scene]").count():
            forget(app_tab)
            app_tab.goto(address)
        app_tab.locator("[data-tab-id=watch]").click()
        expect(app_tab.locator(f"{PLAYER} .ls-scene[data-done]")).to_be_visible()
        app_tab.evaluate("scrollTo(0, 0)")
        yield app_tab


@pytest.fixture
def language() -> str:
    return "en"


def sized(page: Page, width: int, height: int) -> None:
    """Resize the window, and wait until everything has found its place."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(
        """async () => {
          for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
          await new Promise((done) => setTimeout(done));
        }"""
    )


def parts(page: Page) -> dict[str, Locator]:
    """The elements that tell the story."""
    return {
        "prompt": page.locator("#prompt textarea"),
        "run": page.get_by_role("button", name="Run", exact=True),
        "try": page.get_by_role("button", name="Try your own"),
        "headline": page.locator(f"{PLAYER} .ls-summary"),
        "story": page.locator(f"{PLAYER} .ls-story"),
        "text": page.locator(f"{PLAYER} .ls-panel-text"),
        "tree": page.locator(f"{PLAYER} .ls-panel-tree"),
        "result": page.locator(f"{PLAYER} .ls-result"),
        "badge": page.locator(f"{PLAYER} .ls-scene .ls-badge"),
        "why": page.locator(f"{PLAYER} [data-action=why]"),
        "again": page.locator(f"{PLAYER} [data-action=again]"),
        "whole": page.locator(f"{PLAYER} [data-action=whole]"),
    }


@pytest.mark.parametrize(("width", "height", "tall"), SIZES)
def test_all_of_it_is_in_sight_without_scrolling(
    still: Page, width: int, height: int, tall: int
) -> None:
    page = still
    sized(page, width, height)
    for name, part in parts(page).items():
        box = part.bounding_box()
        assert box is not None, name
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width, name
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height, name
    tree = parts(page)["tree"].bounding_box()
    assert tree is not None
    for node in page.locator(f"{PLAYER} [data-node]").all():
        box = node.bounding_box()
        assert box is not None
        assert tall <= box["height"]
        assert tree["x"] <= box["x"] <= box["x"] + box["width"] <= tree["x"] + tree["width"]
        assert tree["y"] <= box["y"] <= box["y"] + box["height"] <= tree["y"] + tree["height"]
    assert page.evaluate("scrollY") == 0
    # A label stands for what was copied where that is out of sight.
    expect(page.locator(f"{PLAYER} .ls-pill")).to_have_count(0)


def test_without_motion_it_rests_on_a_success_with_notes(still: Page) -> None:
    opening = opening_scene()
    assert opening is not None
    _, trace, number = opening
    step = trace.steps[number - 1]
    page = still
    player = page.locator(PLAYER)
    expect(player).to_have_attribute("data-cursor", str(number))
    expect(player).to_have_attribute("data-beat", "5")
    expect(player).to_have_attribute("data-playing", "false")
    assert len(step.path) >= 4
    accepted = page.locator(f"{PLAYER} [data-node][data-state=accepted]")
    expect(accepted).to_have_count(len(step.path))
    assert page.locator(f"{PLAYER} .ls-notes li").count() == 4
    numbers = page.locator(f"{PLAYER} [data-note]").evaluate_all(
        "all => all.map((each) => [each.dataset.note, Number(each.dataset.node)])"
    )
    assert sorted(numbers) == [["1", 0], ["2", step.path[1]], ["4", step.path[-1]]]


def test_it_is_told_once_and_rests_with_a_question(newcomer: Page, url: str) -> None:
    opening = opening_scene()
    assert opening is not None
    prompt, trace, number = opening
    step = trace.steps[number - 1]
    page = newcomer
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(reduced_motion="no-preference")
    page.goto(url)
    page.wait_for_selector(f"{PLAYER}[data-scene]")
    player = page.locator(PLAYER)
    expect(page.locator("textarea").first).to_have_value(prompt.text)
    beats = page.evaluate_handle(
        """(selector) => {
          const seen = [];
          const look = () => {
            const { beat } = document.querySelector(selector).dataset;
            if (seen[seen.length - 1] !== beat) seen.push(beat);
          };
          look();
          new MutationObserver(look).observe(document.querySelector(selector), { attributes: true });
          return seen;
        }""",
        PLAYER,
    )
    expect(player).to_have_attribute("data-playing", "true")
    expect(player).to_have_attribute("data-playing", "false", timeout=60_000)
    shown = beats.json_value()
    assert shown == ["1", "2", "3", "4", "5"][-len(shown) :]
    expect(player).to_have_attribute("data-cursor", str(number))
    title = METHODS[trace.method].title
    expect(parts(page)["badge"]).to_have_text(f"{title}, built-in model, recorded")
    result = f"1 pass, {len(step.path)} tokens, the same text as without drafting"
    expect(parts(page)["result"]).to_have_text(result)
    expect(parts(page)["why"]).to_have_text("Why four?")
    parts(page)["again"].click()
    expect(player).to_have_attribute("data-playing", "true")
    parts(page)["whole"].click()
    expect(player).not_to_have_attribute("data-scene", "true")
    expect(page.locator(f"{PLAYER} [data-node]")).to_have_count(len(step.tree))
    expect(player).to_have_attribute("data-cursor", str(number))


def test_who_leaves_a_long_prompt_by_a_press_hits_what_is_pressed(
    chromium: Browser, url: str
) -> None:
    """The prompt is one line again by then, and everything below moves up."""
    context = chromium.new_context(
        has_touch=True, reduced_motion="reduce", viewport={"width": 1024, "height": 1400}
    )
    page = context.new_page()
    with watched(page):
        page.goto(url)
        page.wait_for_selector(f"{PLAYER}[data-scene]")
        try_your_own(page)
        field, fold = parts(page)["prompt"], page.get_by_role("button", name="Length and sampling")
        for by in ("mouse", "touch"):
            field.fill("A line, and ten more of them.\n" * 10)
            field.focus()
            low = fold.bounding_box()
            fold.tap() if by == "touch" else fold.click(delay=100)
            expect(page.get_by_label("Max new tokens")).to_be_visible()
            high = fold.bounding_box()
            assert low is not None
            assert high is not None
            assert high["y"] < low["y"] - 20, by
            fold.click()
            expect(page.get_by_label("Max new tokens")).to_be_hidden()
    context.close()


def test_the_question_leads_to_the_lesson(still: Page) -> None:
    parts(still)["why"].click()
    expect(still.get_by_role("tab", name="Learn")).to_have_attribute("aria-selected", "true")


def test_on_a_phone_it_is_stacked(still: Page) -> None:
    sized(still, 400, 850)
    text, tree = (parts(still)[name].bounding_box() for name in ("text", "tree"))
    assert text is not None
    assert tree is not None
    assert text["y"] + text["height"] <= tree["y"]
    assert still.evaluate("document.documentElement.scrollWidth") <= 400


def test_every_tab_is_within_reach_on_the_narrowest_phone(still: Page) -> None:
    """Not only by hand: a lecture opens its followers' tabs, and a reload the last one."""
    sized(still, 320, 850)
    tabs = still.locator("[role=tablist]:visible [role=tab][data-tab-id]")
    expect(tabs).to_have_text(["Learn", "Watch", "Compare", "Why it works"])


@pytest.mark.parametrize("language", ["en", "de", "zh-Hans"])
def test_what_belongs_on_one_line_stands_on_one(still: Page) -> None:
    """Buttons of the scene in a projector's smallest window, the player's transport in a laptop's, and the dots of
    the footer on a phone."""
    sized(still, 1024, 768)
    shapes = still.locator(f"#ask button, #real-model, {PLAYER} .ls-scene button").evaluate_all(
        """(buttons) => buttons.map((each) => {
          const words = document.createRange();
          words.selectNodeContents(each);
          const [text, box] = [words, each].map((part) => part.getBoundingClientRect());
          const inside = box.left <= text.left && text.right <= box.right && box.right <= innerWidth && box.bottom <= innerHeight;
          const oneLine = text.height < 2 * parseFloat(getComputedStyle(each).fontSize);
          return [each.textContent.trim(), inside, oneLine];
        })"""
    )
    assert len(shapes) == 7
    assert [each for each in shapes if not all(each)] == []
    parts(still)["whole"].click()
    sized(still, 1280, 900)
    transport = still.locator(f"{PLAYER} .ls-transport > :visible")
    rows = transport.evaluate_all(
        """(all) => all.map((each) => each.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"""
    )
    assert len(rows) == 4
    assert max(top for top, _ in rows) < min(bottom for _, bottom in rows)
    sized(still, 400, 900)
    entries = still.locator("footer > :visible").evaluate_all(
        "(all) => all.map((each) => [each.textContent.trim(), each.getBoundingClientRect().top])"
    )
    assert entries
    for at, (text, top) in enumerate(entries):
        if text == "·":
            beside = entries[max(0, at - 1) : at + 2]
            assert len(beside) == 3
            assert max(abs(other - top) for _, other in beside) < 12


def test_a_step_by_key_leaves_the_scene_and_the_method_that_plays_is_chosen(still: Page) -> None:
    opening = opening_scene()
    assert opening is not None
    _, trace, number = opening
    try_your_own(still)
    expect(still.get_by_label(METHODS[trace.method].title, exact=True)).to_be_checked()
    still.locator(PLAYER).focus()
    still.keyboard.press("ArrowRight")
    expect(still.locator(PLAYER)).to_have_attribute("data-cursor", str(number + 1))
    expect(still.locator(f"{PLAYER} .ls-transport")).to_be_visible()
