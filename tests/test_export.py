"""Exports of traces: the page opened from disk in a real Chromium, and the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect
from support.app_page import take_along
from support.player_page import hostile, story

from logitspec import DraftTree, Trace
from logitspec.__main__ import main
from logitspec.publish.export import page, player_scripts, player_style, title
from logitspec.publish.picture import picture

PLAYER = "[data-logitspec-player]"
SVG = "{http://www.w3.org/2000/svg}"
TRACES = {"story": story(), "hostile": hostile()}

# The page


@pytest.fixture(scope="module")
def disk_tab(visitor: BrowserContext) -> Iterator[Page]:
    page = visitor.new_page()
    yield page
    page.close()


@pytest.fixture
def open_from_disk(disk_tab: Page) -> Iterator[Any]:
    """A function that opens a page from disk, in a tab that tests reuse; the page may read no other file and have
    no errors. Without motion it is seen at rest."""
    faults: list[str] = []
    own = ["data:", "blob:", "about:"]

    def refuse(dialog: Dialog) -> None:
        faults.append(dialog.message)
        dialog.dismiss()

    listeners: dict[Any, Any] = {
        "pageerror": lambda error: faults.append(str(error)),
        "dialog": refuse,
        "console": lambda text: faults.append(text.text) if text.type == "error" else None,
        "request": lambda call: (
            None if call.url.startswith(tuple(own)) else faults.append(call.url)
        ),
    }
    for event, listener in listeners.items():
        disk_tab.on(event, listener)

    def open_page(path: Path, address: str = "", motion: bool = True) -> Page:
        own[3:] = [path.as_uri()]
        disk_tab.emulate_media(reduced_motion="no-preference" if motion else "reduce")
        disk_tab.goto("about:blank")  # another address of the same page would not load it again
        disk_tab.goto(path.as_uri() + address)
        disk_tab.wait_for_selector(f"{PLAYER}[data-state=done]")
        return disk_tab

    yield open_page
    disk_tab.goto("about:blank")
    for event, listener in listeners.items():
        disk_tab.remove_listener(event, listener)
    assert faults == []


def export(trace: Trace, folder: Path) -> Path:
    """The file of a trace's page, as the command writes it."""
    trace.save(folder / "run.json.gz")
    assert main(["export", str(folder / "run.json.gz"), "--html", str(folder / "run.html")]) == 0
    return folder / "run.html"


def tokens_of(tab: Page) -> list[list[str]]:
    """The tokens in the page: id, origin, step and text of each."""
    script = "all => all.map(e => [e.dataset.id, e.dataset.origin, e.dataset.step, e.textContent])"
    result: list[list[str]] = tab.locator(f"{PLAYER} [data-token]").evaluate_all(script)
    return result


def go_to_end(tab: Page, trace: Trace) -> None:
    tab.locator(PLAYER).focus()
    tab.keyboard.press("End")
    expect(tab.locator(PLAYER)).to_have_attribute("data-cursor", str(len(trace.steps)))


@pytest.mark.parametrize("name", TRACES)
def test_an_exported_page_plays_its_run_from_disk(
    name: str, tmp_path: Path, open_from_disk: Any
) -> None:
    trace = TRACES[name]
    tab = open_from_disk(export(trace, tmp_path))
    expect(tab.locator(PLAYER)).to_have_attribute("data-steps", str(len(trace.steps)))
    expect(tab.locator(PLAYER)).to_have_attribute("data-playing", "true")
    go_to_end(tab, trace)
    ids = [*trace.prompt_ids, *trace.output_ids]
    assert [int(row[0]) for row in tokens_of(tab)] == ids
    assert tab.title() == title(trace)
    assert tab.locator(f"{PLAYER} script, {PLAYER} img").count() == 0
    can_reach_nothing(tab)


def can_reach_nothing(tab: Page) -> None:
    policy = tab.locator("meta[http-equiv]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert "connect-src" not in policy


def test_a_link_to_a_step_opens_it(tmp_path: Path, open_from_disk: Any) -> None:
    tab = open_from_disk(export(TRACES["story"], tmp_path), "#step=5")
    player = tab.locator(PLAYER)
    expect(player).to_have_attribute("data-cursor", "5")
    expect(player).to_have_attribute("data-playing", "false")
    tab.evaluate("location.hash = 'step=7'")
    expect(player).to_have_attribute("data-cursor", "7")
    tab.evaluate("location.hash = 'step=99999'")
    expect(player).to_have_attribute("data-cursor", str(len(TRACES["story"].steps)))
    tab.evaluate("location.hash = 'step=<b>'")
    expect(player).to_have_attribute("data-cursor", str(len(TRACES["story"].steps)))


def test_a_page_saved_in_the_browser_opens_where_it_was_saved(
    tmp_path: Path, open_from_disk: Any
) -> None:
    trace = TRACES["hostile"]
    first = open_from_disk(export(trace, tmp_path), "#step=3&beat=2")
    expect(first.locator(PLAYER)).to_have_attribute("data-beat", "2")
    with first.expect_download() as saved:
        take_along(first, "Save page")
    assert saved.value.suggested_filename.endswith(".html")
    again = tmp_path / "again.html"
    saved.value.save_as(again)
    was = tokens_of(first), first.title()
    second = open_from_disk(again)
    player = second.locator(PLAYER)
    expect(player).to_have_attribute("data-cursor", "3")
    expect(player).to_have_attribute("data-beat", "2")
    expect(player).to_have_attribute("data-playing", "false")
    assert (tokens_of(second), second.title()) == was
    assert parts(again.read_text(encoding="utf-8")) == parts(page(trace, 3, 2))
    go_to_end(second, trace)


def test_a_page_made_for_a_step_opens_there_unless_its_address_names_another(
    tmp_path: Path, open_from_disk: Any
) -> None:
    file = tmp_path / "run.html"
    file.write_text(page(TRACES["story"], 4, 3), encoding="utf-8")
    for address, step, beat in [
        ("", "4", "3"),
        ("#step=2", "2", "5"),
        ("#step=6&beat=1", "6", "1"),
    ]:
        player = open_from_disk(file, address).locator(PLAYER)
        expect(player).to_have_attribute("data-cursor", step)
        expect(player).to_have_attribute("data-beat", beat)


def test_a_page_saved_in_the_app_is_the_same(url: str, newcomer: Page, tmp_path: Path) -> None:
    tab = newcomer
    tab.goto(url)
    tab.wait_for_selector(f"{PLAYER}[data-state=done]", timeout=60_000)
    tab.locator(f"{PLAYER} [data-action=whole]").click()  # the scene has no menu of files
    with tab.expect_download() as saved:
        take_along(tab, "Save page")
    saved.value.save_as(tmp_path / "saved.html")
    before, trace, after = parts((tmp_path / "saved.html").read_text(encoding="utf-8"))
    assert trace.steps
    step = int(tab.locator(PLAYER).get_attribute("data-cursor") or 0)
    assert (before, trace, after) == parts(page(trace, step))


def parts(text: str) -> tuple[str, Trace, str]:
    """A page before its run, without the nonce; the run, parsed, since its numbers may be written differently;
    and the page after it."""
    text = re.sub(r"nonce[-=]\"?[0-9a-f]{32}", "nonce", text)
    result = re.fullmatch('(.*id="logitspec-trace"[^>]*>)(.*?)(</script>.*)', text, re.DOTALL)
    assert result is not None
    before, data, after = result.groups()
    return before, Trace.from_json(data), after


def test_trace_and_picture_saved_in_the_browser(tmp_path: Path, open_from_disk: Any) -> None:
    trace = TRACES["hostile"]
    tab = open_from_disk(export(trace, tmp_path), "#step=3", motion=False)
    expect(tab.locator(PLAYER)).to_have_attribute("data-cursor", "3")
    for button, name in [("Save trace", "saved.json"), ("Save picture (SVG)", "saved.svg")]:
        with tab.expect_download() as saved:
            take_along(tab, button)
        saved.value.save_as(tmp_path / name)
    assert Trace.open(tmp_path / "saved.json") == trace
    assert (tmp_path / "saved.svg").read_text(encoding="utf-8") == picture(trace, 3)


def test_another_trace_can_be_opened(tmp_path: Path, open_from_disk: Any) -> None:
    tab = open_from_disk(export(TRACES["story"], tmp_path), motion=False)
    ways = [(way, ending) for way in ("button", "drop") for ending in (".json", ".json.gz")]
    for (way, ending), name in zip(ways, ("hostile", "story") * 2, strict=True):
        other = TRACES[name]
        file = tmp_path / f"{way}{ending}"
        other.save(file)
        if way == "button":
            with tab.expect_file_chooser() as chooser:
                tab.get_by_role("button", name="Open trace").click()
            chooser.value.set_files(file)
        else:
            drop(tab, file.name, file.read_bytes())
        expect(tab.locator(PLAYER)).to_have_attribute("data-steps", str(len(other.steps)))
        go_to_end(tab, other)
        ids = [*other.prompt_ids, *other.output_ids]
        assert [int(row[0]) for row in tokens_of(tab)] == ids, (way, ending)


def drop(tab: Page, name: str, content: bytes) -> None:
    """Drop a file on the player."""
    transfer = tab.evaluate_handle(
        "([name, bytes]) => { const t = new DataTransfer();"
        " t.items.add(new File([new Uint8Array(bytes)], name)); return t; }",
        [name, list(content)],
    )
    for event in ("dragenter", "dragover", "drop"):
        tab.locator(PLAYER).dispatch_event(event, {"dataTransfer": transfer})


def test_the_file_chosen_last_is_shown_however_long_an_earlier_one_takes(
    tmp_path: Path, open_from_disk: Any
) -> None:
    trace, other = TRACES["story"], TRACES["hostile"]
    tab = open_from_disk(export(trace, tmp_path), motion=False)
    tab.evaluate(
        """() => {
          const { arrayBuffer } = Blob.prototype;
          const slow = new Promise((done) => { window.readOn = done; });
          window.reads = [];
          Blob.prototype.arrayBuffer = function () {
            if (this.name !== "slow.json") return arrayBuffer.call(this);
            reads.push(slow.then(() => arrayBuffer.call(this)));
            return reads.at(-1);
          };
        }"""
    )
    for content in (trace.to_json().encode(), b"no trace: \xff"):
        drop(tab, "slow.json", content)
    drop(tab, "fast.json", other.to_json().encode())
    expect(tab.locator(PLAYER)).to_have_attribute("data-steps", str(len(other.steps)))
    tab.evaluate(
        "async () => { readOn(); await Promise.all(reads); await new Promise(requestAnimationFrame); }"
    )
    expect(tab.locator(PLAYER)).to_have_attribute("data-steps", str(len(other.steps)))
    expect(tab.locator(PLAYER)).not_to_contain_text("damaged")


def test_another_file_is_refused_and_the_old_trace_stays(
    tmp_path: Path, open_from_disk: Any
) -> None:
    trace = TRACES["story"]
    tab = open_from_disk(export(trace, tmp_path), motion=False)
    said = re.compile("damaged|not a trace|neither a trace")
    for content in (b"no trace", b"\x1f\x8bbroken", b"{}", b"[1]"):
        expect(tab.locator(PLAYER)).not_to_contain_text(said)
        drop(tab, "some.json", content)
        expect(tab.locator(PLAYER)).to_contain_text(said)
        expect(tab.locator(PLAYER)).to_have_attribute("data-steps", str(len(trace.steps)))
        drop(tab, "run.json", (tmp_path / "run.json.gz").read_bytes())  # a readable file clears it


def test_the_same_trace_makes_the_same_page() -> None:
    assert page(TRACES["story"]) == page(TRACES["story"])


def test_token_text_can_not_leave_the_page_s_data() -> None:
    parser = Elements()
    parser.feed(page(TRACES["hostile"]))
    data, code = parser.scripts
    assert "<" not in data
    assert Trace.from_json(data) == TRACES["hostile"]
    assert code == player_scripts()
    assert not [text for text in parser.others if "alert" in text]


class Elements(HTMLParser):
    """The texts of a page's script elements, and everything else in it."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.others.append(f"{tag} {attrs}")
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem:
            self.scripts[-1] += data
        else:
            self.others.append(data)


def test_a_prompt_in_the_title_is_text() -> None:
    trace = story()
    trace.prompt = "</title><script>alert(1)</script>\n\u202e tail " + "x" * 90
    assert title(trace).startswith("LogitSpec: </title><script>alert(1)</script> tail xxx")
    assert len(title(trace)) < 80
    assert "<title>LogitSpec: &lt;/title&gt;&lt;script&gt;alert(1)" in page(trace)


def test_no_part_of_the_player_would_end_the_element_that_holds_it() -> None:
    assert not re.search("</script|<!--", player_scripts(), re.IGNORECASE)
    assert "</style" not in player_style().lower()


# The command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run.json"], "--html OUT, or another"),
        (["nowhere.json", "--html", "a.html"], "nowhere.json"),
        (["notes.txt", "--html", "a.html"], "not a trace"),
        (["run.json", "--svg", "a.svg", "--step", "999"], "choose from them, not 999"),
        (["run.json", "--html", "a.html", "--step", "-1"], "choose from them, not -1"),
        (["run.json", "--csv", "a.csv", "--steps", "two"], "not “two”"),
        (["run.json", "--film", "a.webp", "--steps", "1-25"], "24 steps at most"),
        (["run.json", "--film", "a.gif"], "ends in .webp or .mp4"),
        (["one.json", "--html", "a.html", "--step", "2"], "The run has 1 step; choose it, not 2."),
        (["one.json", "--svg", "a.svg", "--step", "2"], "The run has 1 step; choose it, not 2."),
        (["none.json", "--film", "a.webp"], "ended before its first step"),
        (["none.json", "--handout", "a.html"], "ended before its first step"),
        (["none.json", "--svg", "a.svg"], "ended before its first step"),
        (["plain.json", "--homework", "a.csv"], "it takes one with drafts"),
        (["plain.json", "--solutions", "a.csv"], "it takes one with drafts"),
        (["run.json", "--handout", "a.html", "--notes", "nowhere.txt"], "nowhere.txt"),
        (
            ["run.json", "--handout", "a.html", "--notes", "notes.txt"],
            "begin each with its step number",
        ),
        (["one.json", "--handout", "a.html", "--notes", "two.txt"], "a note on step 2, and"),
        (["run.json", "--html", "no/such/folder/a.html"], "No such file"),
        (
            ["run.json", "--html", "a.html", "--csv", "./run.json"],
            "run.json: it is read from there",
        ),
    ],
)
def test_an_error_is_one_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    TRACES["story"].save("run.json")
    for name, steps in {"one": 1, "none": 0}.items():
        replace(TRACES["story"], steps=TRACES["story"].steps[:steps]).save(f"{name}.json")
    without_drafts().save("plain.json")
    Path("notes.txt").write_text("no trace")
    Path("two.txt").write_text("1: Here.\n2: There.\n")
    assert main(["export", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(Path().glob("a.*"))


def without_drafts() -> Trace:
    """A run of plain decoding."""
    trace = story()
    del trace.steps[5:]
    for number, step in enumerate(trace.steps):
        step.position = len(trace.prompt_ids) + number
        step.tree, step.choices, step.path = DraftTree(step.tree.tokens[0]), step.choices[:1], [0]
    return trace
