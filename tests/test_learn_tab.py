"""The lesson in a real Chromium: by keyboard alone, from links, with a lecturer's file; by itself and in the app."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from support.accessibility import OPTIONS, SETTLED, violations
from support.lessons import example, run, shipped, values
from support.player_page import page_html
from support.watching import watched, without_clipboard

from logitspec.paths import ASSETS
from logitspec.publish.lesson_page import lesson_page
from logitspec.publish.modules import inline_styles

LESSON = "[data-logitspec-lesson]"
HEADING = ".learn-station h3"
NEXT = ".learn-actions [data-next]"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def lesson_html() -> str:
    """A page with nothing but the lesson and the runs that its stations show."""
    names = ("renata", "docstring", "facts")
    runs = json.dumps({shipped()["runs"][name]: json.dumps(run(name)) for name in names})
    body = (
        f"<style>{inline_styles(ASSETS / 'learn' / 'learn.css')}</style>"
        '<main><h1>Lesson</h1><section data-logitspec-lesson class="ls-player learn" aria-label="Lesson"></section></main>'
        f'<script type="application/json" id="runs">{runs.replace("<", chr(92) + "u003c")}</script>'
    )
    return page_html("light", "lesson.js", body)


@pytest.fixture(scope="module")
def stand(visitor: BrowserContext) -> Iterator[Page]:
    page = visitor.new_page()
    with watched(page):
        page.set_content(lesson_html())
    yield page
    page.close()


@pytest.fixture
def page(stand: Page) -> Iterator[Page]:
    """The lesson at its first question, in a page that tests reuse."""
    with watched(stand):
        stand.set_viewport_size({"width": 1280, "height": 900})
        stand.mouse.move(0, 0)
        stand.evaluate("window.kept = {}; window.chance = 0")
        coloured(stand, "light")
        stand.evaluate("visit()")
        expect(stand.locator(HEADING)).to_be_visible()
        yield stand


def coloured(page: Page, theme: str) -> None:
    page.evaluate(
        """theme => {
          document.documentElement.dataset.theme = theme;
          document.body.style.background = theme === "dark" ? "#0d0f12" : "#fff";
        }""",
        theme,
    )


def go(page: Page, station: int, cue: int) -> None:
    page.evaluate("index => window.lesson.source.go(index)", 3 * (station - 1) + cue - 1)
    at_rest(page)


def at_rest(page: Page) -> None:
    """Wait for the frame that paints, for the next one, which ties what is pointed at, and for what follows."""
    page.evaluate(
        """async () => {
          for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
          await new Promise((done) => setTimeout(done));
        }"""
    )


def tab_to(page: Page, target: str) -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(40):
        if page.evaluate("target => document.activeElement.matches(target)", target):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} can't be reached by Tab")


def pointed(page: Page, name: str) -> int | None:
    script = (
        "name => { const e = document.querySelector(`.learn-player [data-${name}][data-pointed]`);"
    )
    found: int | None = page.evaluate(script + " return e && Number(e.dataset[name]) }", name)
    return found


def walk_to(page: Page, name: str, number: int, key: str) -> None:
    """Press `key` in a panel of the player until the node, rank or token is pointed at, and pick it."""
    for _ in range(70):
        page.keyboard.press(key)
        at = page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => done(0)))"
        ) or pointed(page, name)
        if at == number:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} {number} can't be reached by {key}")


def answer(page: Page, predict: dict[str, Any]) -> None:
    """Give the right prediction, by keyboard."""
    kind, right = predict["kind"], predict.get("right")
    value = values()[predict["answer"]] if "answer" in predict else 2
    if kind == "choice":
        options = predict["options"]
        if right is None:
            right = min(range(len(options)), key=lambda place: abs(options[place]["is"] - value))
        tab_to(page, ".learn-option input")
        page.keyboard.press("Space")
        for _ in range(right):
            page.keyboard.press("ArrowDown")
    elif kind == "number":
        tab_to(page, ".learn-number input")
        page.keyboard.type(str(value))
    else:
        panels = {
            "node": ".learn-player [data-node]",
            "rank": ".ls-ranks",
            "token": ".ls-panel-text .ls-panel-body",
        }
        tab_to(page, panels[kind])
        walk_to(page, kind, value, "ArrowUp" if kind == "token" else "ArrowDown")
        expect(page.locator(".learn-picked")).to_contain_text("Picked")
    if kind in ("node", "rank", "token"):
        page.locator(HEADING).focus()
    tab_to(page, ".learn-form button[type=submit]")
    page.keyboard.press("Enter")


def kept(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "() => JSON.parse(window.kept['logitspec.lesson.ten-stations'])"
    )
    return found


def test_the_whole_lesson_by_keyboard_alone(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 600})
    page.locator(HEADING).focus()
    stations = shipped()["stations"]
    for number, station in enumerate(stations, start=1):
        expect(page.locator(HEADING)).to_be_focused()
        expect(page.locator(HEADING)).to_contain_text(f"{number}. ")
        answer(page, station["predict"])
        expect(page.locator(NEXT)).to_be_focused()  # at the reveal
        expect(page.locator(NEXT)).to_be_in_viewport(ratio=1)
        verdict = page.locator(".learn-reveal .learn-verdict").first
        kind = (
            "kept"
            if station["predict"].get("sealed") or "answer" not in station["predict"]
            else "right"
        )
        kind = "right" if "right" in station["predict"] else kind
        expect(verdict).to_have_attribute("data-verdict", kind)
        expect(page.locator(".learn-remember")).to_have_count(0)
        page.keyboard.press("Enter")
        expect(page.locator(".learn-remember")).to_be_visible()
        page.keyboard.press("Enter")
    expect(page.locator(".learn-sum")).to_have_text(
        "9 of 9 predictions right, out of 9 that the lesson asks for."
    )
    expect(page.locator(".learn-score")).to_have_text("9 of 9 right")
    assert list(kept(page)["answers"]) == [station["station"] for station in stations]
    # The unseen step, too.
    tab_to(page, ".learn-practice input")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(page.locator(".learn-outcome .learn-verdict")).to_be_visible()
    expect(page.get_by_role("button", name="Another step")).to_be_focused()


def test_a_sealed_answer_is_told_with_the_later_station(page: Page) -> None:
    go(page, 5, 1)
    page.locator(".learn-number input").fill("7")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".learn-verdict")).to_have_text("Sealed until station 7.")
    expect(page.locator(".learn-score")).to_have_text("")
    assert str(values()["accepted"]) not in page.locator(".learn-reveal").inner_text()
    go(page, 7, 2)
    told = page.locator(".learn-verdict").nth(1)
    expect(told).to_have_text(f"Sealed at station 5: Not quite. It is: {values()['accepted']}.")
    expect(told).to_have_attribute("data-verdict", "wrong")


def test_the_first_prediction_counts_and_stays(page: Page) -> None:
    go(page, 2, 1)
    page.locator(".learn-option input").nth(2).check()
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".learn-verdict")).to_have_text("Not quite. It is: hardly longer.")
    page.get_by_role("button", name="Back").click()
    assert page.locator(".learn-option input:disabled").count() == 3
    expect(page.get_by_role("button", name="Check")).to_be_hidden()
    expect(page.locator(".learn-bar-row[data-hidden]")).to_have_count(2)
    page.set_content(lesson_html())  # what the browser keeps is there after a reload
    expect(page.locator(HEADING)).to_contain_text("2. ")
    expect(page.locator(".learn-option input").nth(2)).to_be_checked()
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(HEADING)).to_contain_text("1. ")
    assert kept(page)["answers"] == {}


def test_a_number_out_of_bounds_is_refused_with_the_reason(page: Page) -> None:
    number = page.locator(".learn-number input")
    number.fill("0")
    page.get_by_role("button", name="Check").click()
    expect(number).to_be_focused()  # where the browser shows its reason
    assert kept(page)["answers"] == {}


def test_tabs_of_one_visitor_do_not_undo_each_others_predictions(page: Page) -> None:
    go(page, 3, 1)
    page.evaluate(
        """() => {
          const name = "logitspec.lesson.ten-stations";
          const answers = { "one-by-one": { said: 5, right: false } };
          window.kept[name] = JSON.stringify({ answers, seen: { "one-by-one": 2 }, at: 1 });
          dispatchEvent(new StorageEvent("storage", { key: name }));
        }"""
    )
    expect(page.locator(".learn-score")).to_have_text("0 of 1 right")
    expect(page.locator(HEADING)).to_contain_text("3. ")
    go(page, 3, 2)
    assert kept(page)["answers"] == {"one-by-one": {"said": 5, "right": False}}
    assert kept(page)["at"] == 7


def test_a_race_that_ends_leaves_a_prediction_that_is_being_made(page: Page) -> None:
    page.set_content(lesson_html())  # an earlier test's lesson would hear of the race, too
    expect(page.locator(HEADING)).to_be_visible()
    go(page, 10, 1)
    page.locator(".learn-number input").fill("3")
    page.get_by_role("button", name="Check").click()
    go(page, 2, 1)
    option = page.locator(".learn-option input").nth(1)
    option.check()
    page.evaluate("raceOver()")
    assert kept(page)["answers"].popitem()[1]["measured"]["mean"] == 2.5
    expect(option).to_be_checked()
    expect(option).to_be_focused()
    expect(page.locator(".learn-score")).to_have_text("1 of 1 right")


def test_who_leaves_a_lecture_may_still_change_a_prediction_that_it_counted(page: Page) -> None:
    page.evaluate(
        """() => {
          window.counts = (event) => event.preventDefault();
          document.addEventListener("cue-predict", window.counts);
        }"""
    )
    go(page, 2, 1)
    check = page.get_by_role("button", name="Check")
    page.locator(".learn-option input").nth(2).check()
    check.click()
    expect(check).to_be_visible()  # until the lecturer goes on
    page.evaluate("document.removeEventListener('cue-predict', window.counts)")
    page.locator(".learn-option input").nth(0).check()
    check.click()
    expect(page.locator(".learn-verdict")).to_have_attribute("data-verdict", "right")
    expect(page.locator(".learn-option input").nth(0)).to_be_checked()


def test_the_player_shows_what_the_station_says(page: Page) -> None:
    player = page.locator(".learn-player")
    for number, station in enumerate(shipped()["stations"], start=1):
        for cue in (1, 2):
            scene = station.get("scene", {}) | (station.get("reveal_scene", {}) if cue > 1 else {})
            go(page, number, cue)
            if not scene:
                expect(player).to_be_hidden()
                continue
            expect(player).to_have_attribute("data-cursor", str(scene["step"]))
            expect(player).to_have_attribute("data-beat", str(scene["beat"]))
            shown = [
                name
                for name in ("text", "tree", "logits")
                if player.locator(f".ls-panel-{name}").is_visible()
            ]
            assert set(shown) == set(scene["panels"])
            for name, at in scene.get("highlight", {}).items():
                assert pointed(page, name) == at
            # Before the reveal, the beats can't be stepped through.
            assert player.locator(".ls-beats").is_visible() == (cue > 1)


def test_unseen_steps_are_other_ones_and_what_was_said_of_them_is_kept(page: Page) -> None:
    page.evaluate("window.chance = 0")
    go(page, 11, 1)
    steps = []
    for said in ("1", "3"):
        number = int(page.locator(".learn-player").get_attribute("data-cursor") or 0)
        steps.append(number)
        expect(page.locator(".learn-player")).to_have_attribute("data-beat", "2")
        page.locator(".learn-practice input").fill(said)
        page.keyboard.press("Enter")
        expect(page.locator(".learn-player")).to_have_attribute("data-beat", "4")
        page.get_by_role("button", name="Another step").click()
        expect(page.locator(".learn-outcome")).to_be_empty()
    assert steps == [1, 2]  # steps 3 and 4 are in the lesson
    was = [len(run("renata")["steps"][number - 1]["path"]) for number in steps]
    exact, error = (
        sum(a == b for a, b in zip((1, 3), was, strict=True)),
        sum(abs(a - b) for a, b in zip((1, 3), was, strict=True)) / 2,
    )
    expect(page.locator(".learn-tally p").first).to_have_text(
        f"2 steps so far: {exact} exactly right, off by {error:.1f} tokens on average."
    )
    page.set_content(lesson_html())
    expect(page.locator(".learn-player")).to_have_attribute("data-cursor", "5")
    rows = page.locator(".learn-tally tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["1", str(was[0]), str(abs(1 - was[0]))],
        ["3", str(was[1]), str(abs(3 - was[1]))],
    ]


def test_every_cue_tells_the_speaker_what_comes(page: Page) -> None:
    cues = page.evaluate(
        "() => Array.from({length: lesson.source.length()}, (_, index) => lesson.source.describe(index))"
    )
    assert [cue["kind"] for cue in cues] == ["question", "reveal", "sentence"] * 10 + ["step"]
    assert all(cue["title"] and cue["notes"] for cue in cues)
    assert not [
        cue
        for cue in cues
        if re.search(r"[{}]", json.dumps([cue["title"], cue["notes"], cue["answer"]]))
    ]
    for number, station in enumerate(shipped()["stations"]):
        assert sum(cue["seconds"] for cue in cues[3 * number : 3 * number + 3]) == pytest.approx(
            station["seconds"], abs=1
        )
    assert [cue["answer"] for cue in cues[:10:3]] == ["202", "hardly longer", '"a"', '"clever"']
    assert cues[3]["choices"][cues[3]["right"]] == "hardly longer"
    heard = page.evaluate(
        """() => { const heard = []; document.addEventListener("cue", () => heard.push(lesson.source.at()));
          for (const to of [4, 5, 99, -1]) lesson.source.go(to); return heard; }"""
    )
    assert heard == [4, 5, 30, 0]


# Files


def opened(page: Page, name: str, text: str) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open lesson").click()
    chooser.value.set_files({"name": name, "mimeType": "application/json", "buffer": text.encode()})


def test_a_lecturer_s_lesson_opens_from_a_file(page: Page) -> None:
    opened(page, "mine.json", example())
    expect(page.locator(".learn-title")).to_have_text("A docstring")
    step = run("docstring")["steps"][4]
    expect(page.locator(".learn-question")).to_have_text(
        f"{len(step['tokens']) - 1} tokens are drafted. How many does this pass yield?"
    )
    expect(page.locator(".learn-story code")).to_have_text("pairs_days")
    page.locator(".learn-number input").fill("20")  # near enough
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".learn-verdict")).to_have_text(f"Right: {len(step['path'])}.")
    page.evaluate("visit()")  # a reload
    expect(page.locator(".learn-title")).to_have_text("A docstring")
    expect(page.locator(".learn-verdict")).to_have_text(f"Right: {len(step['path'])}.")
    file = page.evaluate("kept['logitspec.lesson-file']")
    for changed, said in (file[1:], "not JSON"), (file.replace("recorded-18", "gone"), "gone"):
        page.evaluate("text => { kept['logitspec.lesson-file'] = text; visit() }", changed)
        expect(page.locator(f"{LESSON} > [role=alert]")).to_contain_text(said)
        expect(page.locator(".learn-title")).to_contain_text("Why one pass")
    page.evaluate("text => { kept['logitspec.lesson-file'] = text; visit() }", file)
    expect(page.locator(".learn-title")).to_have_text("A docstring")
    page.get_by_role("button", name="Back to the ten stations").click()
    expect(page.locator(".learn-title")).to_contain_text("Why one pass")
    page.evaluate("visit()")
    expect(page.locator(".learn-title")).to_contain_text("Why one pass")
    assert "logitspec.lesson.my-first" in page.evaluate("() => Object.keys(window.kept)")


def test_a_lesson_that_the_browser_has_no_room_for_says_that_a_reload_loses_it(page: Page) -> None:
    page.evaluate("window.full = true")
    opened(page, "mine.json", example())
    said = page.locator(".learn > .ls-files .ls-said")
    expect(said).to_have_text("The lesson is open until the page is reloaded.")
    expect(page.locator(".learn-title")).to_have_text("A docstring")
    page.evaluate("window.full = false; visit()")
    expect(page.locator(".learn-title")).to_contain_text("Why one pass")
    opened(page, "mine.json", example())
    expect(said).to_have_text("The lesson is open.")


@pytest.mark.parametrize("run", ["recorded-18", "gone"])
def test_the_lesson_that_was_chosen_last_opens_although_the_one_before_loads_longer(
    page: Page, run: str
) -> None:
    last = example().replace("A docstring", "Chosen last")
    page.evaluate(
        """async ([first, last]) => {
          let resume;
          window.pause = new Promise((done) => { resume = done });
          const loads = lesson.open(first);
          delete window.pause;
          await lesson.open(last);
          resume();
          await loads;
        }""",
        [example().replace("recorded-18", run), last],
    )
    expect(page.locator(".learn-title")).to_have_text("Chosen last")
    expect(page.locator(f"{LESSON} > [role=alert]")).to_be_hidden()
    assert page.evaluate("kept['logitspec.lesson-file']") == last


def test_a_lesson_that_still_loads_opens_although_a_later_one_is_wrong(page: Page) -> None:
    page.evaluate(
        """async ([first, wrong]) => {
          let resume;
          window.pause = new Promise((done) => { resume = done });
          const loads = lesson.open(first);
          delete window.pause;
          await lesson.open(wrong);
          window.resume = () => { resume(); return loads; };
        }""",
        [example(), example().replace("recorded-18", "gone")],
    )
    alert = page.locator(f"{LESSON} > [role=alert]")
    expect(alert).to_contain_text("gone")
    page.evaluate("resume()")
    expect(page.locator(".learn-title")).to_have_text("A docstring")
    expect(alert).to_be_hidden()


def test_a_lesson_with_a_trace_of_its_own_and_hostile_texts_is_shown_as_text(page: Page) -> None:
    document = json.loads(example())
    document["traces"] = {
        "own": {**run("docstring"), "run": "", "steps": run("docstring")["steps"][:5]}
    }
    document["runs"], document["practice"] = {}, ["own"]
    for figure in document["figures"].values():
        figure["run"] = "own"
    station = document["stations"][0]
    station["scene"]["run"] = "own"
    document["title"] = {"xx": HOSTILE}
    for name in ("title", "story", "question", "reveal", "remember"):
        station[name] = HOSTILE
    station["bars"] = [
        {"text": HOSTILE, "figure": "tokens", "unit": HOSTILE[:28], "group": HOSTILE}
    ]
    station["predict"] = {
        "kind": "choice",
        "right": 0,
        "options": [{"text": HOSTILE}, {"text": "b"}],
    }
    opened(page, "hostile.json", json.dumps(document))
    expect(page.locator(".learn-title")).to_have_text(HOSTILE)
    go(page, 1, 3)
    expect(page.locator(".learn-sentence")).to_have_text(HOSTILE)
    expect(page.locator(".learn-player")).to_have_attribute("data-steps", "5")
    go(page, 2, 1)
    assert (
        page.locator(f"{LESSON} :is(img, script)").count() == 0
    )  # nor a dialog, which would fail the test


WRONG = [
    ("no lesson", "it is not JSON"),
    ("{}", "This is not a lesson"),
    (example().replace('"schema": 1', '"schema": 2'), "schema 2"),
    (example().replace('"remember"', '"reminder"'), "stations[0].remember is missing"),
    (example().replace("{tokens}:", "{token}:"), "stations[0].reveal names no figure"),
    (example().replace("recorded-18", "recorded-nowhere"), "recorded-nowhere, which is not here"),
    (example().replace('"step": 5', '"step": 500'), "is in none of its runs"),
    (example().replace('"step": 5, "beat"', '"step": 500, "beat"'), "has no step 500"),
]


def test_what_is_wrong_with_a_file_is_said_and_the_lesson_stays(page: Page) -> None:
    alert = page.locator(f"{LESSON} > [role=alert]")
    for text, said in WRONG:
        go(page, 2, 1)
        expect(alert).to_be_hidden()
        opened(page, "wrong.json", text)
        expect(alert).to_contain_text(said)
        expect(page.locator(HEADING)).to_contain_text("2. ")
        go(page, 3, 1)
        expect(page.locator(HEADING)).to_contain_text("3. ")
        expect(alert).to_be_hidden()


# For every viewer


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing_and_nothing_sticks_out(page: Page, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    coloured(page, theme)
    faults = []
    for number in range(1, 12):
        for cue in (1, 3):
            go(page, number, cue if number < 11 else 1)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if (number, cue) not in [(2, 1), (3, 1), (7, 3), (11, 1)]:
                continue
            page.evaluate(SETTLED)
            faults += [
                (number, cue, rule["id"], node["target"])
                for rule in violations(page, OPTIONS, LESSON)
                for node in rule["nodes"]
            ]
    assert faults == []


def test_a_screen_reader_hears_the_station_and_then_the_reveal(page: Page) -> None:
    go(page, 6, 1)
    reveal = page.locator(".learn-reveal")
    expect(reveal).to_have_attribute("aria-live", "polite")
    expect(reveal).to_be_empty()
    expect(page.get_by_role("group", name="Your prediction").get_by_role("radio")).to_have_count(2)
    current = page.get_by_role("navigation", name="Stations of the lesson").locator(
        "[aria-current=step]"
    )
    expect(current).to_have_accessible_name(re.compile("^6 One pass, many futures"))
    page.get_by_label("no", exact=True).check()
    page.get_by_role("button", name="Check").click()
    expect(reveal).to_contain_text("Right: no.")
    expect(current).to_have_accessible_name(re.compile("predicted right$"))


def test_nothing_is_read_out_before_it_is_told(page: Page) -> None:
    """From the fourth beat on, the names of nodes and rows, which nobody sees, end with what became of them."""

    def names(part: str) -> str:
        script = "all => all.map((each) => each.ariaLabel).join(' | ')"
        return str(page.locator(f".learn-player {part}").evaluate_all(script))

    go(page, 3, 1)
    assert "drafted" in names("[data-rank]")
    assert "accepted" not in names("[data-rank]")
    go(page, 5, 1)
    assert not re.search("accepted|rejected|compared|chose", names("[data-node]"))
    go(page, 7, 1)
    assert names("[data-node]").count("the target chose") == values()["rows"]
    assert not re.search("accepted|rejected|compared", names("[data-node]"))
    go(page, 7, 2)
    assert names("[data-node]").count("accepted;") == values()["accepted"]
    go(page, 11, 1)
    assert not re.search("accepted|rejected|compared|chose", names("[data-node]"))


# In the app


def heading(page: Page) -> Locator:
    return page.locator(HEADING)


def test_a_link_leads_to_its_cue_and_a_reload_to_the_visitor_s_own(
    url: str, newcomer: Page, tmp_path: Path
) -> None:
    tab = newcomer
    tab.goto(f"{url}?lesson=7&cue=2&lang=zh-Hans")
    expect(heading(tab)).to_contain_text("7. 走一遍", timeout=60_000)
    expect(tab.locator(".learn-player")).to_have_attribute("data-beat", "4")
    is_saved_where_the_visitor_is(tab, tmp_path)
    link = tab.locator(".learn-stations a").nth(2)
    assert "lesson=3&cue=1" in (link.get_attribute("href") or "")
    link.click()
    expect(heading(tab)).to_contain_text("3. ")
    tab.select_option(".language", "en")  # which loads the page again, at another address
    expect(heading(tab)).to_contain_text("3. The", timeout=60_000)


def test_a_link_is_copied_where_the_page_has_no_clipboard(page: Page) -> None:
    go(page, 3, 1)
    with without_clipboard(page):
        page.get_by_role("button", name="Copy link").click()
        expect(page.locator(".learn > .ls-files .ls-said")).to_have_text("Link copied.")
    assert page.evaluate("copied") == "#lesson=3&cue=1"
    expect(page.get_by_role("button", name="Copy link")).to_be_focused()


def is_saved_where_the_visitor_is(tab: Page, folder: Path) -> None:
    save = tab.get_by_role("button", name="保存课程")
    tab.get_by_role("button", name="复制链接").focus()
    tab.keyboard.press("Tab")
    expect(save).to_be_focused()
    with tab.expect_download() as download:
        tab.keyboard.press("Enter")
        expect(save).to_be_disabled()
    expect(save).to_be_focused()  # again
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    assert file.read_text(encoding="utf-8") == lesson_page(station=7, cue=2, language="zh-Hans")
    alone = tab.context.new_page()
    with watched(alone):
        alone.goto(file.as_uri())  # a browser that prefers English
        expect(heading(alone)).to_contain_text("7. 走一遍")
        expect(alone.locator(".learn-player")).to_have_attribute("data-beat", "4")
        expect(alone.get_by_role("button", name="保存课程")).to_be_hidden()
        assert alone.evaluate("document.documentElement.lang") == "zh-Hans"
        alone.locator(NEXT).click()
        for _ in range(2):
            expect(alone.locator(".learn-sentence")).to_be_visible()
            alone.reload()
        alone.goto(f"{file.as_uri()}#lesson=3&cue=2")  # a copied link, in the page that is open
        expect(heading(alone)).to_contain_text("3. ")
        expect(alone.locator(".learn-answer")).to_be_visible()
    alone.close()
    tab.route("**/logitspec/lesson?*", lambda route: route.abort())
    save.click()
    expect(tab.locator(f"{LESSON} .ls-said").last).to_contain_text("服务器没有响应")
    expect(save).to_be_enabled()


def test_a_link_in_a_saved_lesson_is_followed_while_its_runs_still_load(
    newcomer: Page, tmp_path: Path
) -> None:
    file = tmp_path / "lesson.html"
    file.write_text(lesson_page(station=7, cue=2), encoding="utf-8")
    newcomer.add_init_script(
        "addEventListener('DOMContentLoaded', () => { location.hash = '#lesson=3&cue=2' })"
    )
    newcomer.goto(file.as_uri())
    expect(heading(newcomer)).to_contain_text("3. ")
    expect(newcomer.locator(".learn-answer")).to_be_visible()


def test_a_saved_lesson_is_asked_for_by_anybody_with_anything(url: str) -> None:
    for query in (
        "",
        "station=-1&cue=9",
        "station=1e3&cue=x&language=../en",
        "station=" + "9" * 999,
    ):
        with urlopen(f"{url}/gradio_api/logitspec/lesson?{query}") as reply:
            assert reply.headers["Content-Disposition"].startswith("attachment")
            assert reply.read().decode() == lesson_page()


def test_the_race_that_the_last_station_asks_for_is_read_back_and_counts(
    url: str, newcomer: Page
) -> None:
    tab = newcomer
    race = tab.locator("[data-logitspec-race]")
    opens = tab.get_by_role("button", name="Open the race")
    tab.goto(f"{url}?lesson=10&cue=2")
    expect(heading(tab)).to_contain_text("10. ", timeout=60_000)
    opens.click()  # before a prediction, too
    expect(race).to_be_visible()
    tab.get_by_role("tab", name="Learn").click()
    tab.get_by_role("button", name="Back", exact=True).click()
    tab.locator(".learn-number input").fill("60")
    tab.get_by_role("button", name="Check").click()
    told = tab.locator(".learn-verdict")
    expect(told).to_contain_text("Your prediction is kept: 60. Start a race with your prompt")
    expect(tab.locator(".learn-score")).to_have_text("")
    opens.click()
    tab.get_by_label("Prompt of the race").fill("Tell me about a clever bear.")
    tab.get_by_role("button", name="Race", exact=True).click()
    expect(race).to_have_attribute("data-state", "running", timeout=60_000)
    expect(race.locator(".ls-waiting")).to_be_hidden(timeout=60_000)
    tab.reload()  # it ends without its page, or before the lesson is there
    tab.get_by_role("tab", name="Learn").click()
    expect(told).to_contain_text("You predicted 60; ", timeout=90_000)
    tab.get_by_role("tab", name="Compare").click()
    expect(race).to_have_attribute("data-state", "done")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save race").click()
    document = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    lanes = {
        title: (
            lane["method"],
            sum(len(step["path"]) for step in lane["steps"]),
            len(lane["steps"]),
        )
        for title, lane in zip(document["titles"], document["lanes"], strict=True)
    }
    drafting = {
        title: tokens / passes
        for title, (method, tokens, passes) in lanes.items()
        if method != "autoregressive"
    }
    best = max(drafting, key=lambda title: drafting[title])
    few, more, *_ = sorted(lanes, key=lambda title: lanes[title][2])
    tab.get_by_role("tab", name="Learn").click()
    expect(told).to_contain_text(
        f"You predicted 60; {best} got {drafting[best]:.2f} tokens a pass."
    )
    expect(told).to_contain_text(
        f"By passes, {few} came first, with {lanes[more][2] - lanes[few][2]} fewer than {more}."
    )
    expect(told).to_have_attribute("data-verdict", "wrong")
    expect(tab.locator(".learn-score")).to_have_text("0 of 1 right")
    tab.reload()  # the outcome stays
    expect(told).to_contain_text("You predicted 60", timeout=60_000)


def test_unseen_steps_come_from_the_app_s_recorded_runs(url: str, newcomer: Page) -> None:
    tab = newcomer
    tab.goto(f"{url}?lesson=11")
    expect(heading(tab)).to_have_text("Score and practice", timeout=60_000)
    expect(tab.locator(".learn-player")).to_have_attribute("data-beat", "2")
    tab.locator(".learn-practice input").fill("1")
    tab.keyboard.press("Enter")
    expect(tab.locator(".learn-outcome .learn-verdict")).to_be_visible()
    expect(tab.locator(f"{LESSON} > [role=alert]")).to_be_hidden()
