"""The player for every viewer and view: axe, keyboard, forced colours, no motion, lecture hall, paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from support.accessibility import OPTIONS, SETTLED, THEME_OPTIONS, violations
from support.app_page import try_your_own
from support.player_page import hostile, page_html, story
from support.watching import visit, watched

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = "[data-logitspec-player]"
TRACES = {"story": story(), "hostile": hostile(), "full": story(ranks=46, prompt_words=60)}
STILLS = [2, 3, 4]


# Everything in a chip's look that is not a colour.
SHAPE = """(chip) => {
  const style = getComputedStyle(chip);
  const filled = style.backgroundColor !== getComputedStyle(chip.closest(".ls-frame")).backgroundColor;
  return [style.borderStyle, style.borderWidth, style.borderRadius, style.fontWeight, filled].join(" ");
}"""


CONTRAST = """(names) => {
  const root = document.querySelector("[data-logitspec-player]");
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (name) => {
    const probe = root.appendChild(document.createElement("i"));
    probe.style.color = `var(${name})`;
    context.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = luminance("--ls-ground");
  return names.map((name) => {
    const [dark, light] = [luminance(name), ground].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  });
}"""

INKS = ["text", "soft", "accent", "root", "logit", "retrieved", "recycled", "suffix", "error"]


@pytest.fixture
def page(player_tab: Page) -> Iterator[Page]:
    """A page with an empty player and reduced motion, so that all that is checked here is at rest."""
    with watched(player_tab):
        visit(player_tab, page_html)
        player_tab.set_viewport_size({"width": 1280, "height": 800})
        player_tab.emulate_media(reduced_motion="reduce")
        yield player_tab


def load(page: Page, name: str, cursor: int) -> None:
    page.evaluate("message => player.receive(message)", TRACES[name].to_json())
    show(page, cursor)


def show(page: Page, cursor: int) -> None:
    page.evaluate("cursor => player.show(cursor)", cursor)
    painted(page)


def painted(page: Page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def theme(page: Page, name: str) -> None:
    page.evaluate("name => { document.documentElement.dataset.theme = name; }", name)
    ground = "#0d0f12" if name == "dark" else "#fff"
    page.evaluate("ground => { document.body.style.background = ground; }", ground)


def press(page: Page, *keys: str) -> None:
    page.focus(ROOT)
    for key in keys:
        page.keyboard.press(key)
    painted(page)


def faults(page: Page, options: Any = OPTIONS) -> list[tuple[str, Any, str]]:
    """What axe finds wrong once nothing moves any more: the rule, the place and the HTML."""
    page.evaluate(SETTLED)
    return [
        (rule["id"], node["target"], node["html"][:120])
        for rule in violations(page, options, ROOT)
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("name", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing(page: Page, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    theme(page, name)
    assert faults(page) == []
    for trace in TRACES:
        load(page, trace, 5)
        assert faults(page) == []
    press(page, "?")
    assert faults(page) == []
    press(page, "Escape", "l")
    assert faults(page) == []


@pytest.mark.parametrize("name", ["light", "dark"])
def test_axe_finds_nothing_in_any_view_and_beat(page: Page, name: str) -> None:
    theme(page, name)
    options = THEME_OPTIONS[name]
    load(page, "full", 4)
    for beat in STILLS:
        page.evaluate("beat => player.beat(beat)", beat)
        painted(page)
        assert faults(page, options) == []
    for _ in ("rows", "mask"):
        press(page, "m")
        assert faults(page, options) == []
    press(page, "m", "w")
    assert faults(page, options) == []
    page.evaluate("""player.receive({ kind: "error", message: "Something is wrong." })""")
    painted(page)
    assert faults(page, options) == []


def test_every_ink_stands_out_from_the_ground(page: Page) -> None:
    contrasts: list[tuple[Any, float]] = [("no-preference", 4.5), ("more", 7)]
    for name, (more, least) in product(("light", "dark"), contrasts):
        page.emulate_media(contrast=more)
        theme(page, name)
        ratios = page.evaluate(CONTRAST, [f"--ls-{ink}" for ink in INKS])
        weak = {ink: ratio for ink, ratio in zip(INKS, ratios, strict=True) if ratio < least}
        assert weak == {}, (name, more)


def test_shapes_and_lines_say_what_colours_say(page: Page) -> None:
    load(page, "story", 5)
    for kind in ("origin", "state"):
        chips = page.locator(f".ls-legend .ls-chip[data-legend-{kind}]")
        shapes = [chip.evaluate(SHAPE) for chip in chips.all()]
        assert len(shapes) == len(set(shapes)) >= 3
    lines = page.locator(".ls-legend-word").evaluate_all(
        """(words) => words.map((word) => {
          const style = getComputedStyle(word);
          return style.borderBottomStyle + " " + style.textDecorationStyle + " " + style.borderBottomColor.includes("0)");
        })"""
    )
    assert len(lines) == len(set(lines)) == 5


def test_forced_colours_leave_bars_and_marks_to_see(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    load(page, "full", 12)
    drawn = """(each) => {
      const style = getComputedStyle(each);
      return style.backgroundColor !== getComputedStyle(document.body).backgroundColor;
    }"""
    for selector in (".ls-bar span", ".ls-node[data-state='accepted']"):
        assert page.locator(selector).first.evaluate(drawn), selector
    under = "each => getComputedStyle(each).borderBottomStyle"
    prompt, copied = (
        page.locator(f".ls-text .ls-token[data-origin='{each}']").first.evaluate(under)
        for each in ("prompt", "retrieved")
    )
    assert prompt != copied
    assert (
        page.locator(".ls-token[data-now]").first.evaluate(
            "each => getComputedStyle(each).borderTopStyle"
        )
        == "solid"
    )
    assert faults(page) == []


INKS_OF_NODES = """(nodes) => nodes.map((node) => [node, ...node.querySelectorAll(".ls-rank, .ls-node-text")]
  .flatMap((each) => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor, getComputedStyle(each).borderColor])
  .join(" "))"""


@pytest.mark.parametrize("view", ["tree", "rows"])
def test_forced_colours_tell_no_verdict_before_it_falls(page: Page, view: str) -> None:
    page.emulate_media(forced_colors="active")
    load(page, "full", 12)
    if view == "rows":
        press(page, "m")
    nodes = page.locator(".ls-branches .ls-node[data-origin='logit']")
    assert nodes.and_(page.locator("[data-state='accepted']")).count()
    for beat in (2, 3, 4):
        page.evaluate("beat => player.beat(beat)", beat)
        painted(page)
        assert (len(set(nodes.evaluate_all(INKS_OF_NODES))) > 1) == (beat > 3), beat
    newline = page.locator("[data-state='accepted'] > .ls-node-text > .ls-newline")
    ground = "each => getComputedStyle(each).backgroundColor"
    assert newline.evaluate(ground) != newline.locator("xpath=ancestor::*[@data-node]").evaluate(
        ground
    )


def test_nothing_moves_when_no_motion_is_wanted(page: Page) -> None:
    load(page, "full", 1)
    moving = "() => document.getAnimations().filter((each) => each.playState === 'running').length"
    for key in ("ArrowRight", ".", ".", ".", "ArrowRight", " ", " "):
        press(page, key)
        assert page.evaluate(moving) == 0
        assert page.get_attribute(ROOT, "data-moving") is None


def test_tab_goes_through_the_player_and_out_and_each_stop_is_seen(page: Page) -> None:
    load(page, "full", 6)
    page.evaluate(
        """() => {
          for (const where of ["prepend", "append"]) {
            const button = document.createElement("button");
            button.textContent = where;
            document.body[where](button);
          }
        }"""
    )
    page.focus("body > button:first-child")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "append":
            break
        stops.append(
            page.evaluate(
                """() => {
                  const at = document.activeElement;
                  const root = document.querySelector("[data-logitspec-player]");
                  const outlined = at === root ? at.querySelector(".ls-frame") : at;
                  const style = getComputedStyle(outlined);
                  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                  const name = at.getAttribute("aria-label") || at.title || at.textContent
                    || (at.labels && at.labels.length && at.labels[0].textContent) || "";
                  const box = at.getBoundingClientRect();
                  const inside = box.bottom > 0 && box.top < innerHeight;
                  return { inside: root.contains(at), seen, name: name.trim().slice(0, 40), sight: inside };
                }"""
            )
        )
    else:
        pytest.fail(f"Tab does not get out: {[stop['name'] for stop in stops]}")
    assert [stop for stop in stops if not all(stop.values())] == []
    assert 5 < len(stops) < 40


def test_lecture_size_fills_the_window_with_large_type(page: Page) -> None:
    load(page, "full", 6)
    size = "parseFloat(getComputedStyle(document.querySelector('.ls-summary')).fontSize)"
    for width, height in [(1280, 720), (1920, 1080), (400, 800)]:
        page.set_viewport_size({"width": width, "height": height})
        painted(page)
        before = page.evaluate(size)
        press(page, "l")
        assert page.evaluate(size) >= 1.25 * before
        box = page.locator(ROOT).bounding_box()
        assert box == {"x": 0, "y": 0, "width": width, "height": height}
        assert page.evaluate(f"document.querySelector('{ROOT}').scrollWidth") <= width
        press(page, "l")
        assert page.evaluate(size) == before


def test_the_legend_is_in_sight_wherever_one_looks(page: Page) -> None:
    load(page, "full", 6)
    bottom = "document.querySelector('.ls-legend').getBoundingClientRect().bottom"
    for top in (0, 200, 5000):
        page.evaluate("top => scrollTo(0, top)", top)
        assert 0 < page.evaluate(bottom) <= 800


def test_the_legend_covers_nothing_still_to_be_read(page: Page) -> None:
    load(page, "full", 6)
    edges = """() => [".ls-legend", ".ls-panels"].map((each) => document.querySelector(each).getBoundingClientRect())
      .flatMap(({ top, bottom }) => [top, bottom])"""
    for width in (900, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        painted(page)
        for top in range(0, 1200, 100):
            page.evaluate("top => scrollTo(0, top)", top)
            legend_top, legend_bottom, panels_top, _ = page.evaluate(edges)
            # Above the panels, or at the window's top once they scroll past.
            assert legend_bottom <= panels_top or legend_top <= 0, (width, top)


def test_in_the_narrowest_window_only_figures_scroll_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    steps = [(each, at) for each in TRACES for at in range(1, len(TRACES[each].steps) + 1)]
    for name, cursor in steps:
        load(page, name, cursor) if cursor == 1 else show(page, cursor)
        wide = page.evaluate(
            """() => [...document.querySelectorAll(".ls-player *:not(.ls-tree)")]
              .filter((each) => each.clientWidth > 1 && each.scrollWidth > each.clientWidth && each.checkVisibility())
              .filter((each) => ["auto", "scroll"].includes(getComputedStyle(each).overflowX))
              .map((each) => each.className)"""
        )
        assert wide == [], (name, cursor)
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_print_shows_the_step_whole_and_no_buttons(page: Page) -> None:
    load(page, "full", 6)
    page.emulate_media(media="print")
    assert not page.locator(".ls-transport").is_visible()
    assert page.locator(".ls-legend").is_visible()
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".ls-panel-body, .ls-ranks")]
          .filter((each) => each.checkVisibility() && each.scrollHeight > each.clientHeight + 1)
          .map((each) => each.className)"""
    )
    assert cut == []
    assert (
        page.evaluate(f"getComputedStyle(document.querySelector('{ROOT}')).colorScheme") == "light"
    )


def test_axe_finds_nothing_on_the_page(newcomer: Page, url: str) -> None:
    page = newcomer
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{url}?__theme=dark")
    page.wait_for_selector(f"{ROOT} .ls-scene")
    try_your_own(page)
    for title in ("Length and sampling", "Options of the method"):
        page.get_by_role("button", name=title).click()
    page.get_by_text("Temperature").first.wait_for()
    page.wait_for_timeout(600)  # parts are pale while they unfold
    dark = violations(page, THEME_OPTIONS["dark"])
    page.set_viewport_size({"width": 400, "height": 800})
    page.evaluate("document.body.classList.remove('dark')")  # as in Gradio's light theme
    page.evaluate(SETTLED)
    light = violations(page, THEME_OPTIONS["light"])
    faults = [(rule["id"], node["target"]) for rule in dark + light for node in rule["nodes"]]
    assert faults == []
