"""Presenting: the keys of clickers in every tab, the stage, the speaker's window, in the app and from a file without a
server; and three browsers that follow a lecturer."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from support.accessibility import OPTIONS
from support.cable import Cable
from support.watching import without_clipboard

from logitspec.prompts import examples
from logitspec.publish.demos import demo_file
from logitspec.publish.export import page as export_page
from logitspec.trace.records import Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

STAGE = "[data-logitspec-stage]"
TITLE = ".lp-title"
PLAYER = "[data-logitspec-player]"
LESSON = "[data-logitspec-lesson]"
RACE = "[data-logitspec-race]"
RENATA = next(prompt for prompt in examples() if prompt.question_id == 20)
TIMEOUT = 60_000


@pytest.fixture(scope="module")
def trace() -> Trace:
    return Trace.open(demo_file(RENATA))


@pytest.fixture(scope="module")
def files(trace: Trace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "run.html").write_text(export_page(trace), encoding="utf-8")
    short = replace(trace, steps=trace.steps[:5], finish="cancelled")
    (folder / "short.html").write_text(export_page(short), encoding="utf-8")
    (folder / "empty.html").write_text("<!doctype html>", encoding="utf-8")
    return folder


@pytest.fixture
def file_page(blank: Page, files: Path) -> Page:
    """An exported page, opened from disk."""
    blank.set_default_timeout(TIMEOUT)
    blank.emulate_media(reduced_motion="reduce")
    blank.goto((files / "empty.html").as_uri())
    blank.evaluate("sessionStorage.clear()")  # an earlier test may have left the stage
    blank.goto((files / "run.html").as_uri())
    blank.wait_for_function("document.querySelector('[data-logitspec-player]').dataset.steps > 0")
    return blank


def wait_for_stage(page: Page) -> None:
    """Wait until the page is on its stage."""
    page.wait_for_selector(f"{STAGE}:not([hidden])", state="attached")


def begin_presenting(page: Page) -> None:
    page.get_by_role("button", name="Present").click()
    wait_for_stage(page)


def wait_for_beat(page: Page, step: int, beat: int) -> None:
    """Wait until the player is at a beat of a step."""
    page.wait_for_selector(f"{PLAYER}[data-cursor='{step}'][data-beat='{beat}']")


def title(page: Page) -> str:
    return page.locator(TITLE).inner_text()


def test_clicker_keys_lead_from_cue_to_cue(file_page: Page) -> None:
    begin_presenting(file_page)
    for key in "4", "Enter":
        file_page.keyboard.press(key)
    wait_for_beat(file_page, 4, 1)
    for key, beat in ("PageDown", 2), ("ArrowRight", 3), (" ", 4), ("PageUp", 3), ("ArrowLeft", 2):
        file_page.keyboard.press(key)
        wait_for_beat(file_page, 4, beat)
    file_page.keyboard.press("ArrowRight")
    wait_for_beat(file_page, 4, 3)
    assert "63" in title(file_page)
    assert title(file_page).endswith("?")
    for key in ("b", "."):
        file_page.keyboard.press(key)
        file_page.wait_for_selector(".lp-black", state="visible")
        file_page.keyboard.press("PageDown")  # only brings the picture back
        file_page.wait_for_selector(".lp-black", state="hidden")
        wait_for_beat(file_page, 4, 3)
    file_page.keyboard.press("Escape")
    file_page.wait_for_selector(STAGE, state="hidden")
    file_page.keyboard.press("PageDown")
    wait_for_beat(file_page, 4, 3)


@pytest.mark.parametrize(("size", "least"), [((1920, 1080), 36), ((1024, 768), 28)])
def test_the_stage_shows_one_panel_a_few_large_nodes_and_their_legend(
    file_page: Page, trace: Trace, size: tuple[int, int], least: int
) -> None:
    file_page.set_viewport_size({"width": size[0], "height": size[1]})
    begin_presenting(file_page)
    for key in "4", "Enter":
        file_page.keyboard.press(key)
    wait_for_beat(file_page, 4, 1)
    nodes = len(trace.steps[3].tree.tokens)
    assert nodes == 64
    for beat in range(1, 6):
        wait_for_beat(file_page, 4, beat)
        # A panel is first measured when it comes into sight, and then drawn.
        file_page.wait_for_timeout(100)
        seen: dict[str, Any] = file_page.evaluate(
            """() => {
              const seen = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length);
              const height = (each) => parseFloat(getComputedStyle(each).fontSize);
              const tokens = ".ls-rank-token, .ls-node-text, .ls-text .ls-token";
              return {
                panels: seen(".ls-panels > *").length,
                nodes: seen("[data-node]").length,
                outside: seen("[data-node]").filter((e) => e.getBoundingClientRect().bottom > innerHeight).length,
                least: Math.min(...seen(tokens).map(height)),
                more: seen(".ls-more-nodes").map((e) => e.textContent).join(),
                signs: seen("[data-legend]").map((e) => e.dataset.legend),
                transport: seen(".ls-transport").length,
                inside: document.documentElement.scrollWidth <= innerWidth,
              };
            }"""
        )
        assert (seen["panels"], seen["transport"], seen["inside"]) == (1, 0, True)
        assert seen["least"] >= least, beat
        if beat in (2, 3, 4):
            assert 4 <= seen["nodes"] <= 12
            assert seen["outside"] == 0
            assert seen["more"] == f"+ {nodes - seen['nodes']} more"
        assert ("rejected" in seen["signs"]) == (beat == 4)
        assert ("retrieved" in seen["signs"]) == (beat > 1)
        file_page.keyboard.press("PageDown")


def test_a_reload_resumes_at_the_same_cue(file_page: Page) -> None:
    begin_presenting(file_page)
    for key in "7", "Enter", "PageDown", "PageDown":
        file_page.keyboard.press(key)
    wait_for_beat(file_page, 7, 3)
    before = title(file_page)
    file_page.reload()
    wait_for_stage(file_page)
    wait_for_beat(file_page, 7, 3)
    assert title(file_page) == before
    file_page.keyboard.press("b")
    file_page.reload()
    expect(file_page.locator(".lp-black")).to_be_visible()
    file_page.keyboard.press("b")
    expect(file_page.locator(".lp-black")).to_be_hidden()
    file_page.keyboard.press("Escape")
    file_page.reload()
    file_page.wait_for_function(
        "document.querySelector('[data-logitspec-player]').dataset.steps > 0"
    )
    assert file_page.locator(STAGE).is_hidden()


def test_what_does_not_come_back_after_a_reload_is_not_resumed_later(
    file_page: Page, files: Path, trace: Trace
) -> None:
    begin_presenting(file_page)
    file_page.keyboard.press("End")
    wait_for_beat(file_page, len(trace.steps), 5)
    file_page.goto((files / "short.html").as_uri())  # as when the run is gone
    file_page.wait_for_selector(f"{PLAYER}[data-steps='5']")
    begin_presenting(file_page)
    file_page.keyboard.press("Escape")
    file_page.wait_for_selector(STAGE, state="hidden")
    file_page.evaluate(
        """([root, text]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "run.json"));
          document.querySelector(root).dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }""",
        [PLAYER, trace.to_json()],
    )
    file_page.wait_for_selector(f"{PLAYER}[data-steps='{len(trace.steps)}']")
    file_page.wait_for_timeout(600)  # a resumption is tried every half a second
    assert file_page.locator(STAGE).is_hidden()


def test_the_speakers_window_of_a_file_shows_the_next_cue_and_takes_keys(file_page: Page) -> None:
    begin_presenting(file_page)
    file_page.keyboard.press("4")
    file_page.keyboard.press("Enter")
    with file_page.expect_popup() as popup:
        file_page.keyboard.press("s")
    desk = popup.value
    desk.wait_for_selector(".lp-desk")
    desk.keyboard.press("PageDown")
    desk.keyboard.press("PageDown")
    wait_for_beat(file_page, 4, 3)
    part = ".lp-part-{} > div"
    now = desk.locator(part.format("now"))
    expect(now).to_have_text(re.compile(r"\?$"))
    assert "3 of 63" in desk.locator(part.format("answer")).inner_text()
    assert "3 of 63" in desk.locator(part.format("next")).inner_text()
    assert desk.locator(part.format("notes")).inner_text() != ""
    assert re.search(r"\d:\d\d of 1:10", desk.locator("[data-clock=budget]").inner_text())
    desk.get_by_role("button", name="Stop the clock").click()
    desk.get_by_role("button", name="Start the clock").click()
    # The audience doesn't see the answer.
    assert "3 of 63" not in file_page.locator(STAGE).inner_text()
    with file_page.expect_popup() as popup:
        file_page.reload()  # after which a page on the disk can't reach the old window
    wait_for_beat(file_page, 4, 3)
    file_page.keyboard.press("PageDown")
    now = popup.value.locator(part.format("now"))
    expect(now).to_contain_text("3 of 63")
    expect(popup.value.locator(".lp-clocks")).to_have_css("font-size", "28px")
    assert desk.is_closed()
    with popup.value.expect_event("close"):
        file_page.keyboard.press("Escape")


def test_a_spotlight_dims_and_focus_stays_on_the_stage(file_page: Page) -> None:
    begin_presenting(file_page)
    file_page.keyboard.press("d")
    file_page.mouse.move(400, 300)
    file_page.wait_for_selector(".lp-light", state="visible")
    assert (
        file_page.locator(".lp-light").evaluate("e => e.style.getPropertyValue('--lp-x')")
        == "400px"
    )
    for _ in range(30):
        file_page.keyboard.press("Tab")
        assert file_page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('[data-stage], [data-logitspec-stage]')"
        )
    file_page.keyboard.press("d")
    file_page.wait_for_selector(".lp-light", state="hidden")


# In the app


@pytest.fixture(scope="module")
def faults() -> list[str]:
    """Errors of scripts, in any page of the app."""
    return []


@pytest.fixture(scope="module")
def lectern(visitor: BrowserContext, url: str, faults: list[str]) -> Iterator[Page]:
    """The lecturer's page, which tests reuse; its address leads into the lesson."""
    page = open_page(visitor, f"{url}?lesson=1&cue=1", faults)
    page.set_viewport_size({"width": 1280, "height": 800})
    yield page
    page.close()


@pytest.fixture
def lecturer(lectern: Page, faults: list[str]) -> Iterator[Page]:
    """The lecturer's page off the stage, with the tab Watch in sight."""
    lectern.evaluate("document.activeElement.blur()")
    for _ in range(5):
        if lectern.locator("[data-stage]").count():
            lectern.keyboard.press("Escape")
    open_tab(lectern, "watch")
    lectern.locator(PLAYER).wait_for()
    yield lectern
    assert faults == []


def open_tab(page: Page, name: str) -> None:
    page.locator(f"[role=tab][data-tab-id={name}]:visible").first.click()


def open_page(context: BrowserContext, address: str, faults: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(TIMEOUT)
    page.goto(address)
    page.wait_for_selector(".lp-begin")
    page.wait_for_function("document.querySelector('[data-logitspec-player]')?.dataset.steps > 0")
    return page


@pytest.mark.parametrize(
    ("tab", "view"),
    [("watch", "player"), ("compare", "race"), ("learn", "lesson"), ("why", "why")],
)
def test_the_same_keys_present_every_tab(lecturer: Page, tab: str, view: str) -> None:
    open_tab(lecturer, tab)
    lecturer.wait_for_function(
        "view => "
        "import(document.getElementById('logitspec-page').src).then(({ modules }) => {"
        " const now = modules['page/cues.js'].currentSource();"
        " return now && now[1].name === view && now[1].length() > 1; })",
        arg=view,
    )
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    lecturer.keyboard.press("Home")
    assert lecturer.locator("[data-stage=true]").first.is_visible()
    words = (
        "[...document.querySelectorAll('.lp-station, .lp-title')].map((e) => e.innerText).join()"
    )
    seen = []
    for _ in range(3):
        seen.append(lecturer.evaluate(words))
        lecturer.keyboard.press("PageDown")
        lecturer.wait_for_function(f"before => {words} !== before", arg=seen[-1])
    assert len(set(seen)) == 3
    for before in reversed(seen):
        lecturer.keyboard.press("PageUp")
        lecturer.wait_for_function(f"before => {words} === before", arg=before)
    lecturer.keyboard.press("b")
    lecturer.wait_for_selector(".lp-black", state="visible")
    lecturer.keyboard.press("b")
    lecturer.keyboard.press("f")
    lecturer.wait_for_function("document.fullscreenElement !== null")
    lecturer.keyboard.press("Escape")
    lecturer.wait_for_function(
        "!document.querySelector('[data-stage=true]') && document.fullscreenElement === null"
    )


def test_no_headline_is_cut_off_on_a_phone(lecturer: Page) -> None:
    open_tab(lecturer, "learn")
    lecturer.locator(f"{LESSON} h3").wait_for()
    lecturer.set_viewport_size({"width": 400, "height": 800})
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    cut = lecturer.evaluate(
        """async () => {
          const { modules } = await import(document.getElementById("logitspec-page").src);
          const [, source] = modules["page/cues.js"].currentSource();
          const headline = document.querySelector(".lp-title");
          const cues = Array.from({ length: source.length() }, (_, cue) => cue);
          const isCut = (cue) => {
            source.go(cue);
            return headline.scrollHeight > headline.clientHeight + 1;
          };
          return [cues.length, cues.filter(isCut)];
        }"""
    )
    tools = lecturer.locator(".lp-foot")
    height = tools.evaluate("each => each.offsetHeight")
    lecturer.keyboard.press("q")
    hall = lecturer.locator(".lp-hall").bounding_box()
    lecturer.wait_for_function("document.querySelector('.lp-qr').naturalWidth > 0")
    expect(lecturer.locator(".lp-hall [data-act=close]")).to_be_in_viewport(ratio=1)
    lecturer.keyboard.press("Escape")
    lecturer.set_viewport_size({"width": 1280, "height": 800})
    assert cut == [31, []]
    assert height < 60  # one row of tools
    assert hall is not None
    assert 0 <= hall["x"] <= hall["x"] + hall["width"] <= 400
    assert 0 <= hall["y"] <= hall["y"] + hall["height"] <= 800


def test_stage_link_and_desk_are_accessible(lecturer: Page) -> None:
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    open_lecture(lecturer)
    for key in "4", "Enter", "PageDown", "PageDown", "q":
        lecturer.keyboard.press(key)
    with lecturer.expect_popup() as popup:
        lecturer.keyboard.press("s")
    popup.value.wait_for_selector(".lp-desk")
    for each in lecturer, popup.value:
        found = Axe().run(each, options=OPTIONS).response["violations"]
        assert [(one["id"], one["nodes"][0]["target"]) for one in found] == []
    lecturer.keyboard.press("PageDown")
    counted = popup.value.locator(".lp-choices[data-counted] li")
    counted.first.wait_for()
    # A word as long as in other languages, and a hall full of people.
    wide = counted.evaluate_all(
        """(all) => all.map((each) => {
          each.querySelector(".lp-count").textContent = "1.234 Stimmen";
          return [each.textContent, each.scrollWidth > each.clientWidth];
        })"""
    )
    assert len(wide) > 2
    assert [text for text, is_wider in wide if is_wider] == []


def test_the_focus_comes_back_from_the_link_at_once_and_never_later(lecturer: Page) -> None:
    """While others follow, the lecture reports its place every few seconds, which must not interrupt typing."""
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    open_lecture(lecturer)
    assert lecturer.evaluate("document.activeElement.matches('[data-stage=true]')")
    lecturer.keyboard.press("Escape")
    lecturer.wait_for_selector(STAGE, state="hidden")
    prompt = lecturer.locator("textarea").first
    prompt.click()
    prompt.fill("")
    with lecturer.expect_response(re.compile("/lead$")) as response:
        pass
    response.value.finished()
    lecturer.keyboard.type("a")
    assert prompt.input_value() == "a"


def test_the_link_is_copied_where_the_page_has_no_clipboard(lecturer: Page) -> None:
    """As in a lecture hall's network, over plain HTTP."""
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    link = open_lecture(lecturer)
    lecturer.keyboard.press("q")
    with without_clipboard(lecturer):
        lecturer.locator(".lp-hall [data-act=copy]").click()
        with lecturer.expect_response(re.compile("/lead$")) as response:
            pass
        response.value.finished()
        lecturer.evaluate("new Promise(requestAnimationFrame)")  # the report is shown by now
        expect(lecturer.locator(".lp-hall .lp-said")).to_have_text("The link is copied.")
    assert lecturer.evaluate("copied") == link


def test_a_network_that_falters_never_takes_the_hall_back(lecturer: Page) -> None:
    """Of two reports on their way at once, it could deliver the older one last."""
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    open_lecture(lecturer)
    lecturer.evaluate(
        """() => {
          const gate = Promise.withResolvers();
          Object.assign(globalThis, { goOn: gate.resolve, real: fetch, underway: 0, most: 0, reported: null });
          globalThis.fetch = async (address, about) => {
            if (!String(address).endsWith("/lead")) return real(address, about);
            most = Math.max(most, ++underway);
            await gate.promise;
            reported = JSON.parse(about.body).place ?? reported;
            return real(address, about).finally(() => --underway);
          };
        }"""
    )
    try:
        lecturer.wait_for_function("underway > 0")
        lecturer.keyboard.press("PageDown")
        lecturer.keyboard.press("PageDown")
        lecturer.evaluate("new Promise((resolve) => setTimeout(resolve, 3000))")  # reports are due
        lecturer.evaluate("goOn()")
        lecturer.wait_for_function("reported !== null && underway === 0")
        assert lecturer.evaluate("most") == 1
    finally:
        lecturer.evaluate("goOn(), fetch = real")


def test_keys_are_left_to_a_text_field(lecturer: Page) -> None:
    prompt = lecturer.locator("textarea").first
    prompt.click()
    prompt.fill("")
    lecturer.keyboard.type("a b.c f s 1")
    assert prompt.input_value() == "a b.c f s 1"


# Following


class Followers:
    """The followers, each in a browser of their own, which tests reuse."""

    def __init__(self, chromium: Browser, port: int, faults: list[str]) -> None:
        self._chromium, self._port, self._faults = chromium, port, faults
        self._pages: dict[int, Page] = {}
        self._links: dict[int, str] = {}
        self.cable = Cable(port)

    def follow(self, link: str, count: int) -> list[Page]:
        """The pages of `count` followers of the lecture with this link; the third one connects by the cable."""
        for number in range(count):
            if self._links.get(number) != link:
                self.come_anew(number, link)
        return [self._pages[number] for number in range(count)]

    def come_anew(self, number: int, link: str) -> Page:
        """The page of a follower who has only just opened the link."""
        if number in self._pages:
            self._pages[number].context.close()
        context = self._chromium.new_context(reduced_motion="reduce", locale="en")
        address = link.replace(str(self._port), str(self.cable.port)) if number == 2 else link
        self._pages[number] = open_page(context, address, self._faults)
        self._links[number] = link
        return self._pages[number]

    def close(self) -> None:
        for page in self._pages.values():
            page.context.close()
        self.cable.close()


@pytest.fixture(scope="module")
def followers(chromium: Browser, url: str, faults: list[str]) -> Iterator[Followers]:
    followers = Followers(chromium, urlsplit(url).port or 0, faults)
    yield followers
    followers.close()


def open_lecture(page: Page) -> str:
    """Open a lecture for followers, unless the page has one; returns its link."""
    page.keyboard.press("q")
    page.wait_for_function("document.querySelector('.lp-link').textContent.includes('follow=')")
    link = page.locator(".lp-link").inner_text()
    page.wait_for_function("document.querySelector('.lp-qr').naturalWidth > 0")
    page.keyboard.press("Escape")
    return link


def test_followers_are_led_to_the_tab_of_a_race(lecturer: Page, followers: Followers) -> None:
    open_tab(lecturer, "compare")
    lecturer.wait_for_selector(
        f"{RACE}[data-lanes='2'], {RACE}[data-lanes='3'], {RACE}[data-lanes='4']"
    )
    lecturer.locator(".lp-begin").click()
    ann = followers.come_anew(0, f"{open_lecture(lecturer)}).")  # as a message may end
    lecturer.keyboard.press("End")
    ann.wait_for_selector(f"{RACE}:visible[data-clock=time]")
    expected = lecturer.locator(RACE).get_attribute("data-at")
    ann.wait_for_selector(f"{RACE}[data-at='{expected}']")


def test_numbers_rows_and_nodes_are_voted_on_with_the_lesson_s_own_controls(
    lecturer: Page, followers: Followers, tmp_path: Path
) -> None:
    open_tab(lecturer, "learn")
    lecturer.locator(f"{LESSON} h3").wait_for()
    lecturer.locator(".lp-begin").click()
    wait_for_stage(lecturer)
    for key in "1", "Enter":
        lecturer.keyboard.press(key)
    crowd = ann, ben = followers.follow(open_lecture(lecturer), 2)

    def at(page: Page, station: int, cue: int) -> None:
        expect(page.locator(f"{LESSON} h3")).to_contain_text(f"{station}. ")
        expect(page.locator(".learn-reveal .learn-answer")).to_have_count(int(cue > 1))

    def check(page: Page) -> None:
        with page.expect_response("**/vote"):  # what an earlier one said may still be there
            page.locator(".learn-form [type=submit]").click()
        page.get_by_text("Your prediction counts").wait_for()

    def counts(page: Page, place: str, counted: list[str]) -> None:
        """The latest vote may come just after the answer."""
        page.wait_for_function(
            """([place, counted]) => {
              const items = [...document.querySelectorAll(`${place} [data-values] li`)];
              const shown = items.map(({ children }) => [...children].map((each) => each.textContent).join(" "));
              return JSON.stringify(shown.map((each) => each.trim().replace(/\\s+/g, " "))) === JSON.stringify(counted);
            }""",
            arg=[place, counted],
        )

    def reveal(station: int, counted: list[str]) -> None:
        expect(lecturer.locator(".lp-here")).to_contain_text("2 votes")
        assert lecturer.locator("[data-values]").count() == 0  # not before the answer shows
        lecturer.keyboard.press("PageDown")
        for page, place in (lecturer, STAGE), (ann, ".lp-follow"), (ben, ".lp-follow"):
            counts(page, place, counted)
        at(ann, station, 2)
        expect(ann.locator(".learn-form [type=submit]")).to_be_hidden()  # it stays from now on

    for page, number in (ann, "7"), (ben, "90.5"), (ann, "202"):  # one predicts again
        at(page, 1, 1)
        page.locator(".learn-number input").fill(number)
        check(page)
        at(page, 1, 1)  # not ahead of the lecturer
        expect(page.locator(".lp-follow")).to_contain_text(f"Your prediction: {number}")
    reveal(1, ["90.5 1 vote", "202 ✓ right 1 vote"])
    for key in "3", "Enter":
        lecturer.keyboard.press(key)
    for page, rank in (ann, 3), (ben, 2), (ann, 1):
        at(page, 3, 1)
        page.locator(f".learn-player [data-rank='{rank}']").click()
        check(page)
    reveal(3, ['"a" ✓ right 1 vote', '"story" 1 vote'])
    for key in "7", "Enter":
        lecturer.keyboard.press(key)
    for page in crowd:
        at(page, 7, 1)
        page.locator(".learn-player [data-node='1']").click()
        check(page)
    reveal(7, ['"a" 2 votes'])
    lecturer.keyboard.press("q")
    with lecturer.expect_download() as download:
        lecturer.locator(".lp-hall [data-act=votes]").click()
    download.value.save_as(tmp_path / "votes.csv")
    votes = (tmp_path / "votes.csv").read_text().splitlines()
    ends = [row[-3:] for row in csv.reader(votes) if row[0].startswith("lesson:")]
    assert ends == [["90.5", "no", "1"], ["202", "yes", "1"], ['"a"', "yes", "1"], ['"story"', "no", "1"], ['"a"', "no", "2"]]  # fmt: skip
    # The name of a value is text, whatever it holds.
    hostile = "<img src=x onerror=alert(1)>"
    shown = lecturer.evaluate(
        """async (words) => {
          const { modules } = await import(document.getElementById("logitspec-page").src);
          const { voteList } = modules["present/votes.js"];
          const values = { write: () => words, isRight: () => false };
          const list = voteList({ values }, [[1, 2], [2, 1], [null, 9]], true);
          const shares = [...list.children].map(({ style }) => style.getPropertyValue("--lp-share"));
          return [list.querySelectorAll("img").length, list.querySelector(".lp-choice").textContent, ...shares];
        }""",
        hostile,
    )
    assert shown == [0, f"{hostile} (1)", "22.2%", "11.1%", "100.0%"]


def test_a_run_of_the_lecturers_own_is_not_shared(
    lecturer: Page, followers: Followers, trace: Trace
) -> None:
    lecturer.locator(".lp-begin").click()
    (ann,) = followers.follow(open_lecture(lecturer), 1)
    bodies: list[str] = []

    def seen(request: Request) -> None:
        if "/follow" in request.url:
            bodies.append(request.post_data or "")

    def show(run: str) -> None:
        lecturer.evaluate(
            "text => dispatchEvent(new CustomEvent('logitspec-open', { detail: text }))", run
        )

    lecturer.on("request", seen)
    try:
        show(trace.to_json().replace('"recorded":', '"was":', 1))
        ann.get_by_text("not shared").wait_for()
        assert bodies
        assert all(len(each) < 1000 and "Renata" not in each for each in bodies)
    finally:
        lecturer.remove_listener("request", seen)
        show(trace.to_json())


def test_three_browsers_follow_a_lecturer(
    lecturer: Page, followers: Followers, tmp_path: Path
) -> None:
    lecturer.locator(".lp-begin").click()
    ann, ben, cleo = everybody = followers.follow(open_lecture(lecturer), 3)
    cable = followers.cable
    try:
        lecturer.wait_for_function(
            "document.querySelector('.lp-here').textContent.includes('3 follow')"
        )
        for key in "4", "Enter", "PageDown", "PageDown":
            lecturer.keyboard.press(key)
        for each in everybody:
            wait_for_beat(each, 4, 3)
        # Everybody votes once; one changes the vote.
        for each, choice in zip(everybody, (0, 1, 1), strict=True):
            each.locator(f"[data-choice='{choice}']").click()
            each.get_by_text("Your vote counts").wait_for()
        first, second = (ann.locator(f"[data-choice='{choice}']") for choice in (0, 1))
        ann.route("**/vote", lambda route: route.abort())
        second.click()
        expect(ann.locator(".lp-follow .lp-said")).to_contain_text("does not answer")
        expect(first).to_have_attribute("aria-pressed", "true")  # it is the one that counts
        expect(second).to_have_attribute("aria-pressed", "false")
        ann.unroute("**/vote")
        with ann.expect_response("**/vote"):
            second.click()
        ann.get_by_text("Your vote counts").wait_for()
        ann.reload()
        expect(second).to_have_attribute("aria-pressed", "true", timeout=TIMEOUT)
        lecturer.wait_for_function(
            "document.querySelector('.lp-here').textContent.includes('3 votes')"
        )
        assert lecturer.locator(".lp-count").count() == 0
        # One leaves the lecturer's place and comes back; another loses the connection.
        ben.locator(PLAYER).focus()
        ben.keyboard.press("End")
        ben.get_by_role("button", name="Back to the lecturer").wait_for()
        cable.cut()
        lecturer.keyboard.press("PageDown")
        wait_for_beat(ann, 4, 4)
        ann.locator(".lp-follow .lp-count", has_text="3 votes").wait_for()
        lecturer.locator(f"{STAGE} .lp-count", has_text="3 votes").wait_for()
        assert ben.locator(PLAYER).get_attribute("data-cursor") != "4"
        ben.get_by_role("button", name="Back to the lecturer").click()
        wait_for_beat(ben, 4, 4)
        lecturer.reload()
        wait_for_stage(lecturer)
        wait_for_beat(lecturer, 4, 4)
        lecturer.keyboard.press("PageDown")
        wait_for_beat(ann, 4, 5)
        wait_for_beat(ben, 4, 5)
        wait_for_beat(cleo, 4, 3)
        cable.mend()
        wait_for_beat(cleo, 4, 5)
        ann.reload()
        wait_for_beat(ann, 4, 5)
        lecturer.wait_for_function(
            "document.querySelector('.lp-here').textContent.includes('3 follow')"
        )
        for key in "5", "Enter", "PageDown", "PageDown", "q":
            lecturer.keyboard.press(key)
        for each in everybody:
            each.locator(".lp-ballot").wait_for()
        with lecturer.expect_download() as download:
            lecturer.locator(".lp-hall [data-act=votes]").click()
        download.value.save_as(tmp_path / "votes.csv")
        votes = (tmp_path / "votes.csv").read_text().splitlines()
        about = [line for line in votes if line.startswith("player:")]  # others ask in the lesson
        assert [line.rpartition(",")[2] for line in about[:2]] == ["0", "3"]
        lecturer.route("**/end", lambda route: route.abort())
        lecturer.locator(".lp-hall [data-act=end]").click()
        expect(lecturer.locator(".lp-hall .lp-said")).to_contain_text("goes on for the others")
        lecturer.unroute("**/end")
        lecturer.locator(".lp-hall [data-act=end]").click()
        for each in everybody:
            each.locator(".lp-follow[data-state=over]").wait_for()
            expect(each.locator(".lp-ballot")).to_have_count(0)
    finally:
        cable.mend()


def test_the_last_vote_counts_however_slow_the_one_before(
    lecturer: Page, followers: Followers
) -> None:
    lecturer.locator(".lp-begin").click()
    (ann,) = followers.follow(open_lecture(lecturer), 1)
    for key in "3", "Enter", "PageDown", "PageDown":
        lecturer.keyboard.press(key)
    wait_for_beat(ann, 3, 3)
    first, second = (ann.locator(f"[data-choice='{choice}']") for choice in (0, 1))
    ann.evaluate(
        """() => {
          const gate = Promise.withResolvers();
          Object.assign(globalThis, { goOn: gate.resolve, real: fetch, sent: [] });
          globalThis.fetch = async (address, about) => {
            if (!String(address).endsWith("/vote")) return real(address, about);
            sent.push(JSON.parse(about.body).choice);
            await gate.promise;
            return real(address, about);
          };
        }"""
    )
    try:
        first.click()
        second.click()
        ann.evaluate(
            "new Promise((resolve) => setTimeout(resolve, 500))"
        )  # it would be sent by now
        assert ann.evaluate("sent") == [0]
        ann.evaluate("goOn()")
        ann.wait_for_function("sent.length === 2")
        ann.get_by_text("Your vote counts").wait_for()
        assert ann.evaluate("sent") == [0, 1]
        expect(second).to_have_attribute("aria-pressed", "true")
    finally:
        ann.evaluate("goOn(), fetch = real")
