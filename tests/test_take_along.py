"""Tables, homework, handouts and frames in other pages, compared with the trace by code other than that which writes
them."""

from __future__ import annotations

import csv
import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect
from support import player_driver
from support.app_page import PLAYER, take_along
from support.player_page import MadeUp, hostile, story

from logitspec import Trace
from logitspec.__main__ import main
from logitspec.errors import LogitSpecError
from logitspec.publish import browser, film
from logitspec.publish.lesson import LESSON
from logitspec.publish.picture import render

page = player_driver.page

STORY, HOSTILE = story(), hostile()
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
OUTCOMES = ("accepted", "rejected", "uncompared")


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


# Tables


@pytest.mark.parametrize("trace", [STORY, HOSTILE], ids=["story", "hostile"])
def test_a_table_has_the_numbers_of_the_trace(trace: Trace) -> None:
    table = rows(render("table", trace))
    assert len(table) == len(trace.steps)
    for number, (row, step) in enumerate(zip(table, trace.steps, strict=True), 1):
        states = step.states()[1:]
        counts = [str(states.count(each)) for each in OUTCOMES]
        assert row["step"] == str(number)
        assert int(row["position"]) == step.position
        assert [row["accepted"], row["rejected"], row["not_compared"]] == counts
        assert int(row["drafted"]) == len(states)
        assert int(row["tokens"]) == len(step.tokens)
        assert int(row["cache_length"]) == step.cache_length
        assert row["origins"].split() == [each.origin.value for each in step.provenance]
        ranks = [str(p.rank) for p in step.provenance[1:] if p.origin.value == "logit"]
        assert row["ranks"].split() == ranks
        drafted = [p.origin.value for p in step.tree.provenance[1:]]
        for origin in ("logit", "retrieved"):
            assert int(row[f"drafted_{origin}"]) == drafted.count(origin)
        assert float(row["total_ms"]) == pytest.approx(1000 * step.seconds.wall, abs=0.002)
        assert float(row["verify_ms"]) == pytest.approx(1000 * step.seconds.verify, abs=0.001)
    if trace is STORY:
        text = "".join(row["text"].replace("\\n", "\n").replace("\\t", "\t") for row in table)
        assert text.encode() == trace.output_bytes


def test_no_cell_is_a_formula() -> None:
    bad = [
        each.encode()
        for each in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", " =2", '"', ",", "\n")
    ]
    trace = MadeUp([b"one", *bad], [*bad, b"two", *bad], ranks=4, seed=3).trace
    for kind in ("table", "homework", "solutions"):
        for row in csv.reader(io.StringIO(render(kind, trace)[1:], newline="")):
            for cell in row:
                assert not cell.lstrip(" ").startswith(FORMULAS), cell


def test_homework_hides_what_was_accepted_and_its_solutions_give_it() -> None:
    sheet, solutions = (rows(render(kind, STORY)) for kind in ("homework", "solutions"))
    assert 5 <= len(sheet) == len(solutions) <= 10
    for task, solution in zip(sheet, solutions, strict=True):
        assert task["Step"] == solution["Step"]
        step = STORY.steps[int(task["Step"]) - 1]
        assert solution["Accepted drafts"] == str(len(step.path) - 1)
        assert solution["Tokens of the pass"] == str(len(step.tokens))
        assert solution["Accepted nodes"].split() == [str(node) for node in step.path[1:]]
        assert [value for name, value in task.items() if name.endswith("?")] == ["", "", ""]
        assert walk(task) == [int(node) for node in solution["Accepted nodes"].split()]


def test_no_homework_is_a_step_that_the_end_of_the_run_cut_off() -> None:
    short = story()
    last = next(n for n, step in enumerate(short.steps, 1) if len(step.path) > 2)
    del short.steps[last:], short.steps[-1].path[2:]
    numbers = [int(task["Step"]) for task in rows(render("homework", short))]
    assert numbers == [n for n, step in enumerate(short.steps[:-1], 1) if len(step.tree) > 1]
    for kind in ("homework", "solutions"):
        with pytest.raises(LogitSpecError, match=f"Step {last} can't be homework"):
            render(kind, short, f"1-{last}")


def walk(task: dict[str, str]) -> list[int]:
    """The accepted nodes, as a student finds them from the sheet alone."""
    (tree,) = [value for name, value in task.items() if name.startswith("Draft tree")]
    nodes = {}
    for line in tree.split("\n"):
        match = re.fullmatch(r"(\d+)(?: \((\d+)\))? (\".*\") → (\".*\")", line)
        assert match is not None, line
        nodes[int(match[1])] = (match[2] and int(match[2]), match[3], match[4])
    path: list[int] = []
    at = 0
    while True:
        wanted = nodes[at][2]
        below = [n for n, (parent, token, _) in nodes.items() if parent == at and token == wanted]
        if not below:
            return path
        at = below[0]
        path.append(at)


def test_no_row_of_a_sheet_reveals_how_another_ended() -> None:
    sheet = rows(render("homework", STORY, "4-12"))
    for task, after in pairwise(sheet):
        step = STORY.steps[int(task["Step"]) - 1]
        last = STORY.vocabulary[step.tokens[-1]].decode().strip()
        if len(step.path) > 1 and last.isalpha():
            assert not after["Text before"].endswith(last)
        assert len(after["Text before"]) < 20  # steps that follow each other share no text


def test_the_page_saves_the_same_sheets_as_the_command(page: Page) -> None:
    page.evaluate("text => player.receive(text)", STORY.to_json())
    for button, kind in [
        ("Save table", "table"),
        ("Save homework", "homework"),
        ("Save solutions", "solutions"),
    ]:
        with page.expect_download() as saved:
            take_along(page, button)
        assert saved.value.suggested_filename.endswith(".csv")
        assert Path(saved.value.path()).read_bytes().decode() == render(kind, STORY)


def test_the_keyboard_opens_and_closes_the_menu(page: Page) -> None:
    page.evaluate("text => player.receive(text)", STORY.to_json())
    menu = page.get_by_role("button", name="Export")
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    field = page.get_by_role("textbox", name="Steps")
    field.fill("2 to 3")
    page.get_by_role("button", name="Save handout").press("Enter")
    expect(page.locator(".ls-said")).to_contain_text("Write steps as 4")
    field.press("Escape")
    expect(menu).to_be_focused()
    expect(field).to_be_hidden()


# Handouts


class Sections(HTMLParser):
    """The steps of a handout, the elements in it, and the words of its notes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.steps: list[str] = []
        self.elements: set[str] = set()
        self.notes: list[str] = []
        self._in_notes = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.elements.add(tag)
        if tag == "section":
            self.steps.append(own.get("data-step") or "")
        self._in_notes = own.get("class") == "notes"
        if self._in_notes:
            self.notes.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_notes = False

    def handle_data(self, data: str) -> None:
        if self._in_notes:
            self.notes[-1] += data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])  # the latter is what Notepad writes
def test_a_handout_has_a_page_a_step_and_its_notes(encoding: str, tmp_path: Path) -> None:
    HOSTILE.save(tmp_path / "run.json")
    (tmp_path / "notes.txt").write_text(
        "2: Why <four>?\nLook twice.\n5: The end.\n02: And again.\n", encoding=encoding
    )
    out = tmp_path / "handout.html"
    arguments = [
        str(tmp_path / "run.json"),
        "--steps",
        "2-3, 5",
        "--notes",
        str(tmp_path / "notes.txt"),
    ]
    assert main(["export", *arguments, "--handout", str(out)]) == 0
    found = Sections(out.read_text(encoding="utf-8"))
    assert found.steps == ["2", "3", "5"]
    assert found.notes[0] == "Why <four>?\nLook twice.\nAnd again."
    assert found.notes[2] == "The end."
    assert not found.elements & {"script", "img", "iframe", "b", "link"}


def test_a_handout_prints_a_page_a_step_and_is_legible_in_grey(blank: Page) -> None:
    blank.set_content(render("handout", STORY, "2, 5, 19"))
    paper = blank.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 3
    # States and origins differ in line and shape, not only in colour.
    shapes: dict[str, set[tuple[str, str]]] = {}
    groups = blank.locator("svg .tree [data-node]").evaluate_all(
        "all => all.map(g => { const p = g.querySelectorAll('path'); return [g.dataset.state, g.dataset.origin,"
        " p.length, p[0].getAttribute('stroke-dasharray'), p[0].getAttribute('stroke-linecap'),"
        " (p[0].getAttribute('d').match(/A/g) || []).length && +p[0].getAttribute('d').match(/A([\\d.]+)/)[1] > 6]; })"
    )
    for state, origin, lines, dashes, cap, is_round in groups:
        style = "dotted" if cap else "dashed" if dashes else "plain"
        shapes.setdefault(f"state {state}", set()).add(("style", style))
        shapes.setdefault(f"origin {origin}", set()).add(("lines", f"{lines} {is_round}"))
    assert (
        len({str(sorted(each)) for name, each in shapes.items() if name.startswith("state")}) == 3
    )
    assert (
        len({str(sorted(each)) for name, each in shapes.items() if name.startswith("origin")}) == 3
    )


# The command


PAGE = (Path(film.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_the_documentations_commands_write_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    STORY.save("run.json")
    block = re.search(r"^## What can be taken along\n.*?^```sh\n(.*?)^```$", PAGE, re.M | re.S)
    assert block is not None
    calls = [shlex.split(line, comments=True)[3:] for line in block[1].splitlines()]
    for call in calls:
        if call[0] == "export":
            assert main(call) == 0
    for name in sorted(set(re.findall(r"(?<=--)\w+ (\w+\.\w+)", block[1])) - {"run.json"}):
        assert Path(name).stat().st_size > 100, name
    assert 'data-step="4" data-beat="3"' in Path("run.html").read_text(encoding="utf-8")
    with Image.open("step.png") as image:
        assert (image.format, image.size) == ("PNG", (1920, 1080))
    with Image.open("film.webp") as image:
        assert image.n_frames == 15  # type: ignore[attr-defined]
    assert Path("sheet.csv").read_bytes().decode() == render("homework", STORY)


def test_the_command_writes_a_video_and_a_pdf(tmp_path: Path) -> None:
    STORY.save(tmp_path / "run.json")
    video, paper = tmp_path / "a.mp4", tmp_path / "a.pdf"
    arguments = ["--film", str(video), "--handout", str(paper), "--steps", "2"]
    assert main(["export", str(tmp_path / "run.json"), *arguments]) == 0
    assert video.read_bytes()[4:8] == b"ftyp"
    program = film.find_ffmpeg()
    assert program is not None
    report = subprocess.run(
        [program, "-i", str(video)], capture_output=True, text=True, check=False
    )
    assert "1920x1080" in report.stderr
    times = re.search(r"Duration: 00:00:(\d+)\.", report.stderr)
    assert times is not None
    assert 8 <= int(times[1]) <= 10  # five stills of 1.4 to 2.4 s
    assert paper.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["A.PDF", "A.WEBP", "A.Mp4"])
def test_the_ending_of_a_file_may_be_in_capitals(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    STORY.save(tmp_path / "run.json")
    for module, writer in [(browser, "print_pdf"), (film, "webp"), (film, "mp4")]:
        monkeypatch.setattr(module, writer, lambda *_, kind=writer: kind.encode())
    option = "--handout" if name == "A.PDF" else "--film"
    arguments = [str(tmp_path / "run.json"), option, str(tmp_path / name), "--steps", "2"]
    assert main(["export", *arguments]) == 0
    assert (tmp_path / name).read_text() in ("print_pdf", "webp", "mp4")


def test_without_ffmpeg_a_video_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    STORY.save(tmp_path / "run.json")
    monkeypatch.setattr(film, "find_ffmpeg", lambda: None)
    arguments = [str(tmp_path / "run.json"), "--film", str(tmp_path / "a.mp4"), "--steps", "1"]
    assert main(["export", *arguments]) == 2
    error = capsys.readouterr().err
    assert "install it, or write a .webp" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "a.mp4").exists()


def test_ffmpeg_gets_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\ncat > film.mp4\n")
    program.chmod(0o755)
    monkeypatch.setattr(film, "find_ffmpeg", lambda: str(program))
    reading, writing = os.pipe()
    os.write(writing, b"a key")
    os.close(writing)
    terminal = os.dup(0)
    os.dup2(reading, 0)
    try:
        assert film._video([b"a still"], [1000]) == b""
    finally:
        os.dup2(terminal, 0)
        os.close(terminal)
        os.close(reading)


def webp(images: list[Image.Image]) -> bytes:
    out = io.BytesIO()
    images[0].save(
        out, "WEBP", lossless=True, save_all=True, append_images=images[1:], duration=1500
    )
    return out.getvalue()


def test_only_films_of_the_page_become_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    grounds = [Image.new("RGB", film.SIZE, colour) for colour in ("red", "blue")]
    taken: list[tuple[list[bytes], list[int]]] = []
    with monkeypatch.context() as patch:

        def take(stills: list[bytes], times: list[int]) -> bytes:
            taken.append((stills, times))
            return b""

        patch.setattr(film, "_video", take)
        film.mp4_of_webp(webp(grounds))
        stills, times = taken[0]
        assert times == [1500, 1500]
        for still, ground in zip(stills, grounds, strict=True):
            assert Image.open(io.BytesIO(still)).tobytes() == ground.tobytes()
        gif = io.BytesIO()
        grounds[0].save(gif, "GIF")
        patch.setattr(film, "MAX_FRAMES", 1)
        small = [Image.new("RGB", (16, 16))]
        whole = webp(grounds)
        for other in (b"", whole[:200], gif.getvalue(), webp(small), whole):
            with pytest.raises(LogitSpecError, match="not a film made by the page"):
                film.mp4_of_webp(other)
    assert len(taken) == 1


@pytest.fixture(scope="module")
def recorded(url: str, visitor: BrowserContext) -> Iterator[Page]:
    """The app at a step of a recorded run."""
    tab = visitor.new_page()
    tab.goto(f"{url}/?run=recorded-20&step=4&beat=3")
    tab.wait_for_selector(f"{PLAYER}[data-cursor='4'][data-beat='3']", timeout=60_000)
    yield tab
    tab.close()


def test_the_page_saves_a_video_and_prints_a_handout(
    recorded: Page, visitor: BrowserContext
) -> None:
    tab = recorded
    with tab.expect_download(timeout=60_000) as saved:
        take_along(tab, "Save film (MP4)")
    assert saved.value.suggested_filename.endswith(".mp4")
    assert Path(saved.value.path()).read_bytes()[4:8] == b"ftyp"
    tab.get_by_role("textbox", name="Steps").fill("4-5")
    # A print dialog would stay open, with nobody to close it.
    tab.evaluate(
        """() => {
          const { open } = window;
          window.open = (...about) => {
            const paper = open(...about);
            paper.addEventListener("load", () => { paper.print = () => { window.printed = true; }; });
            return paper;
          };
        }"""
    )
    with visitor.expect_page() as opened:
        take_along(tab, "Print handout")
    paper = opened.value
    expect(paper.locator("section")).to_have_count(2)
    tab.wait_for_function("window.printed")
    paper.locator(".notes").first.fill("Why four?")
    pages = paper.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pages)) == 2
    paper.close()


# In another page


def test_a_lecture_shows_a_step_in_a_frame(
    recorded: Page, visitor: BrowserContext, tmp_path: Path
) -> None:
    recorded.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    take_along(recorded, "Copy embed code")
    recorded.wait_for_function("window.copied")
    code = recorded.evaluate("copied")
    lecture = tmp_path / "lecture.html"
    lecture.write_text(
        f'<!doctype html><meta charset="utf-8"><h1>Lecture</h1>{code}', encoding="utf-8"
    )
    tab = visitor.new_page()
    tab.goto(lecture.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator(f"{PLAYER}[data-cursor='4'][data-beat='3']").wait_for(timeout=60_000)
    for selector in ("#prompt", "#intro", "[role=tab]", "footer", "#run"):
        expect(frame.locator(selector).first).to_be_hidden()
    expect(frame.locator("[data-node]").first).to_be_visible()
    expect(frame.get_by_role("button", name="Export")).to_be_visible()
    tab.close()


# A lesson as one page


def test_a_lesson_s_page_opens_at_its_station_without_a_network(
    visitor: BrowserContext, tmp_path: Path
) -> None:
    file = tmp_path / "lesson.html"
    assert main(["export", "--lesson", str(file), "--step", "4", "--beat", "2"]) == 0
    tab = visitor.new_page()
    requests: list[str] = []
    faults: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    for address, station in [("", "4"), ("#lesson=7&cue=1", "7")]:
        tab.goto("about:blank")
        tab.goto(file.as_uri() + address)
        heading = tab.locator("[data-logitspec-lesson] h3").first
        expect(heading).to_contain_text(f"{station}.", timeout=30_000)
        expect(tab.locator("[data-logitspec-lesson] [data-node]").first).to_be_visible()
    tab.close()
    own = ("file:", "about:", "data:", "blob:")
    assert [each for each in requests if not each.startswith(own)] == []
    assert faults == []


def test_a_lesson_whose_run_is_not_here_is_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = LESSON.read_text(encoding="utf-8").replace('"recorded-20"', '"recorded-99999"')
    (tmp_path / "mine.json").write_text(text, encoding="utf-8")
    out = tmp_path / "a.html"
    assert main(["export", str(tmp_path / "mine.json"), "--lesson", str(out)]) == 2
    assert "recorded-99999, which is not recorded here" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("arguments", [["--lesson", "mine.json"], ["mine", "--lesson", "mine"]])
def test_no_page_replaces_the_lesson_that_it_is_made_from(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    own = LESSON.read_text(encoding="utf-8")
    for name in ("mine.json", "mine"):
        Path(name).write_text(own, encoding="utf-8")
    assert main(["export", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [Path(name).read_text(encoding="utf-8") for name in ("mine.json", "mine")] == [own, own]
