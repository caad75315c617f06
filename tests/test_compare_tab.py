"""The tab "Compare" of the app: races of the built-in model, their options, and what they survive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from support.accessibility import THEME_OPTIONS
from support.app_page import press
from support.race_page import LANE, ORDINALS, ROOT, saved_race, steps_shown

from logitspec.publish.demos import RACES, demo_run, opening_race, read_demo
from logitspec.trace.records import Trace

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

PROMPT = "Write a short story about a fox who found a red kite near the river."
METHODS = ["Plain decoding", "LogitSpec (ours)", "LogitSpec (paper)", "Prompt lookup"]


class Opened:
    """A page of the app; nothing may be fetched from elsewhere and nothing may go wrong in it."""

    def __init__(self, visitor: BrowserContext, url: str, theme: str) -> None:
        self._url = url
        self._wrong: list[str] = []
        self.page = visitor.new_page()
        self.page.on("pageerror", lambda error: self._wrong.append(str(error)))
        self.page.on("request", lambda request: self._see(request.url))
        self.page.goto(f"{url}?__theme={theme}")

    @contextmanager
    def compare(self) -> Iterator[Page]:
        """The page with the tab Compare in sight, as it was left."""
        self.page.bring_to_front()  # the other page is drawn once a second at most
        self.page.get_by_role("tab", name="Compare").click()
        self.page.wait_for_selector(ROOT)
        # Gradio's messages of earlier errors would cover the button.
        toasts = self.page.get_by_test_id("toast-close")
        toasts.evaluate_all("all => all.forEach((each) => each.click())")
        yield self.page
        assert self._wrong == []

    def _see(self, address: str) -> None:
        if not address.startswith((self._url, "data:", "blob:")):
            self._wrong.append(address)


@pytest.fixture(scope="module")
def shared(visitor: BrowserContext, url: str) -> Iterator[Opened]:
    opened = Opened(visitor, url, "light")
    yield opened
    opened.page.close()


@pytest.fixture
def tab(shared: Opened) -> Iterator[Page]:
    """The app's tab, which tests reuse."""
    with shared.compare() as page:
        yield page


@pytest.fixture(scope="module")
def fresh(visitor: BrowserContext, url: str) -> Iterator[Opened]:
    opened = Opened(visitor, url, "dark")
    yield opened
    opened.page.close()


@pytest.fixture
def dark(fresh: Opened) -> Iterator[Page]:
    """The tab in dark colours, in which only one test runs a race."""
    with fresh.compare() as page:
        yield page


def start(tab: Page, length: int, *methods: str) -> None:
    """Race these methods, or those that a race begins with."""
    field = [*(methods or METHODS[:2]), "–", "–"][:4]
    for lane, title in enumerate(field, 1):
        choose(tab, lane, title)
    tab.get_by_label("Prompt of the race").fill(PROMPT)
    if not tab.get_by_label("Max new tokens per lane").is_visible():
        tab.get_by_role("button", name="Examples, model and length").click()
        expect(tab.get_by_label("Max new tokens per lane")).to_be_visible()
        tab.wait_for_timeout(500)  # Gradio sets a field once more just after showing it
    tab.get_by_label("Max new tokens per lane").fill(str(length))
    press(tab, "Race", "logitspec-race")


def choose(tab: Page, lane: int, title: str) -> None:
    chosen = tab.get_by_label(f"Lane {lane}", exact=True)
    if chosen.input_value() == title:
        return
    chosen.click()
    option = tab.get_by_role("option", name=title, exact=True)
    option.click()
    expect(option).to_have_count(0)  # the list is closed, so that the next one is the only one open


def state(tab: Page, expected: str) -> None:
    expect(tab.locator(ROOT)).to_have_attribute("data-state", expected, timeout=90_000)


def test_a_race_runs_to_its_end_behind_another_tab_and_a_lane_opens_in_the_player(
    tab: Page,
) -> None:
    start(tab, 40, *METHODS)
    state(tab, "running")
    tab.get_by_role("tab", name="Watch").click()
    player = tab.locator("[data-logitspec-player]")
    expect(player).to_be_visible()
    state(tab, "done")
    tab.get_by_role("tab", name="Compare").click()
    assert tab.locator(f"{LANE} .lr-title").all_text_contents() == METHODS
    places = tab.locator(f"{LANE} .lr-place").all_text_contents()
    assert "1st" in places
    assert set(places) <= set(ORDINALS.values())
    expect(tab.locator(".lr-verdict")).to_have_text(
        "All outputs are identical, token for token (40 tokens)."
    )
    texts = [
        "".join(lane.locator("[data-lane-token]").all_text_contents())
        for lane in tab.locator(LANE).all()
    ]
    assert texts == [texts[0]] * 4
    assert steps_shown(tab)[0] == 40
    expect(tab.locator(".lr-timing")).to_contain_text("Model builtin, float32, on cpu")
    race = saved_race(tab)
    tab.get_by_role("button", name="Watch the steps of Prompt lookup").click()
    expect(player).to_be_visible()
    expect(player).to_have_attribute("data-steps", str(len(race["lanes"][3]["steps"])))


def test_what_can_not_be_raced_is_told_and_the_next_race_runs(tab: Page) -> None:
    tab.get_by_label("Prompt of the race").fill("")
    press(tab, "Race", "logitspec-race")
    state(tab, "error")
    expect(tab.get_by_role("alert").filter(has_text="prompt is empty").first).to_be_visible()
    start(tab, 5, METHODS[0], "Token recycling")
    state(tab, "done")
    assert tab.locator(f"{LANE} .lr-title").all_text_contents() == [METHODS[0], "Token recycling"]


def test_a_method_races_itself_with_other_options(tab: Page) -> None:
    field = ["LogitSpec (paper)", "LogitSpec (paper)", "–", "–"]
    for lane, title in enumerate(field, 1):
        choose(tab, lane, title)
    expect(tab.get_by_role("button", name="Options of lane 4")).to_be_hidden()
    tab.get_by_role("button", name="Options of lane 1").click()
    capacity = tab.get_by_role("spinbutton", name="Draft tree capacity")
    expect(capacity).to_be_visible()
    tab.wait_for_timeout(500)  # Gradio sets a field once more just after showing it
    capacity.fill("9")
    start(tab, 12, *field)
    state(tab, "done")
    titles = tab.locator(f"{LANE} .lr-title").all_text_contents()
    assert titles == ["LogitSpec (paper), draft tree capacity 9", "LogitSpec (paper)"]
    drafted = tab.locator("[data-bars=drafts] .lr-number").all_text_contents()
    spent = [int(each.split(" of ")[1].split(" ")[0]) for each in drafted]
    assert spent[0] < spent[1]
    capacity.fill("64")
    tab.get_by_role("button", name="Options of lane 1").click()


def test_a_live_race_takes_the_place_of_the_recorded_one(dark: Page) -> None:
    tab = dark
    root = tab.locator(ROOT)
    opening = opening_race()
    assert opening is not None
    expect(root).to_contain_text(f"Recorded: {opening.title} (SmolLM2-135M-Instruct:Q4_1)")
    expect(tab.get_by_label("Prompt of the race")).to_have_value(opening.text)
    tab.get_by_role("button", name="Race", exact=True).click()
    state(tab, "running")
    expect(root).not_to_contain_text("Recorded")
    state(tab, "done")
    expect(root).not_to_contain_text("Recorded")
    live = saved_race(tab)
    assert live["recorded"] == ""
    assert not live["race"].startswith("recorded-")
    rates = tab.locator("[data-bars=rate] .lr-number").all_text_contents()
    for rate, lane in zip(rates, live["lanes"], strict=True):
        own = Trace.from_json(json.dumps(lane)).counts().tokens_per_second
        assert float(rate.split("/")[0]) == pytest.approx(own, rel=0.006)
    recorded = json.loads(read_demo(demo_run(opening), RACES) or "")
    times = [
        [sum(step["seconds"]["verify"] for step in lane["steps"]) for lane in race["lanes"]]
        for race in (live, recorded)
    ]
    assert times[0] != times[1]


def test_only_a_chosen_example_takes_the_place_of_prompt_and_race(tab: Page) -> None:
    opening = opening_race()
    assert opening is not None
    start(tab, 12)
    state(tab, "done")
    own = saved_race(tab)
    prompt, example = tab.get_by_label("Prompt of the race"), tab.get_by_label("Example")
    example.focus()
    for key in ("Tab", "Shift+Tab", "Escape", "Tab"):
        tab.keyboard.press(key)
        tab.wait_for_timeout(300)
    expect(prompt).to_have_value(PROMPT)
    assert saved_race(tab) == own
    for _ in range(2):  # the same one, though nothing else was chosen between
        example.click()
        tab.get_by_role("option", name=opening.title).first.click()
        expect(prompt).to_have_value(opening.text)
        expect(tab.locator(ROOT)).to_contain_text(f"Recorded: {opening.title}")
        expect(example).to_have_value("")
        prompt.fill(PROMPT)


@pytest.mark.parametrize(("theme", "width"), [("light", 400), ("dark", 1280)])
def test_axe_finds_nothing_in_the_tab(
    request: pytest.FixtureRequest, theme: str, width: int
) -> None:
    tab: Page = request.getfixturevalue({"light": "tab", "dark": "dark"}[theme])
    tab.set_viewport_size({"width": width, "height": 800})
    tab.wait_for_selector(LANE)
    choose(tab, 2, METHODS[1])
    fold = tab.get_by_role("button", name="Options of lane 2")
    fold.click()
    tab.get_by_role("spinbutton", name="Draft tree capacity").wait_for()
    tab.wait_for_timeout(600)  # parts are pale while they unfold
    report = Axe().run(tab, options=THEME_OPTIONS[theme]).response["violations"]
    sticks_out = tab.evaluate("document.documentElement.scrollWidth") > width
    tab.set_viewport_size({"width": 1280, "height": 900})
    fold.click()
    assert [(rule["id"], node["target"]) for rule in report for node in rule["nodes"]] == []
    assert not sticks_out


STOP = """() => {
  const at = document.activeElement;
  const { left, top, width, height } = at.getBoundingClientRect();
  const seen = document.elementFromPoint(left + width / 2, top + height / 2);
  return [at.matches("footer *"), (at.ariaLabel || at.textContent || at.tagName).trim().slice(0, 40),
    at !== document.body && (at.contains(seen) || height > innerHeight)];
}"""


LISTS_SETTLED = """() => document.querySelectorAll("[role=listbox]").length ===
  document.querySelectorAll("input[aria-expanded=true]").length"""


@pytest.mark.parametrize("size", [(1280, 720), (768, 900)])
def test_every_stop_of_tab_is_in_sight_there_and_back(tab: Page, size: tuple[int, int]) -> None:
    tab.wait_for_selector(LANE)
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    tab.get_by_role("textbox", name="Prompt of the race").focus()
    stops = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(60):
            tab.keyboard.press(key)
            tab.wait_for_function(LISTS_SETTLED)  # a drop-down's list stays for a third of a second
            stops.append(tab.evaluate(STOP))
            if stops[-1][0] if key == "Tab" else stops[-1][1].startswith("Why"):
                break
        else:
            pytest.fail(f"{key} leads past its end: {[name for _, name, _ in stops]}")
    tab.set_viewport_size({"width": 1280, "height": 900})
    assert [name for _, name, seen in stops if not seen] == []
    assert len(stops) > 40
