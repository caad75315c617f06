"""A run in a notebook, and the shipped notebooks: executed by Jupyter's own kernel."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbclient.util import run_sync
from playwright.sync_api import Page, expect
from support.player_page import hostile, story

from logitspec import Trace
from logitspec.paths import ASSETS
from logitspec.publish import lab, notebook
from logitspec.publish.lab import NotYet

NOTEBOOKS = ASSETS / "notebooks"
PLAYER = "[data-logitspec-player]"
DRAFTERS = (Path(__file__).parents[1] / "logitspec" / "drafters" / "README.md").read_text("utf-8")
(ECHO,) = re.findall(r"^```python\n(.*?)^```$", DRAFTERS, re.M | re.S)
# The method that logitspec/drafters/README.md adds is a solution, under another name.
SOLUTION = (
    ECHO.replace("class Echo", "class Mine")
    .replace('"echo"', '"mine"')
    .replace("from __future__ import annotations\n", "")
)


def read_notebook(name: str) -> Any:
    return nbformat.read(NOTEBOOKS / name, as_version=4)  # type: ignore[no-untyped-call]


def execute(document: Any, kernel: Any = None) -> Any:
    """The notebook with the outputs of its cells, run by Jupyter's kernel: a new one, or one in which all names are
    forgotten first."""
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    if kernel:
        forget = nbformat.v4.new_code_cell("%reset -f")  # type: ignore[no-untyped-call]
        document.cells.insert(0, forget)
    client = NotebookClient(
        document, km=kernel, timeout=300, kernel_name="python3", resources=resources
    )
    try:
        return client.execute()
    finally:
        if kernel and client.kc:
            client.kc.stop_channels()


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    """A kernel for several notebooks, since most of a notebook's time goes into importing torch."""
    manager = AsyncKernelManager(kernel_name="python3")
    yield manager
    if manager.has_kernel:
        run_sync(manager.shutdown_kernel)(now=True)


def outputs(document: Any, kind: str) -> list[str]:
    """The outputs of one MIME type, or of the streams for "text", in order."""
    texts = []
    for cell in document.cells:
        for output in cell.get("outputs", []):
            if kind in output.get("data", {}):
                texts.append(output["data"][kind])
            elif kind == "text" and output["output_type"] == "stream":
                texts.append(output["text"])
    return texts


# A trace


def test_a_trace_in_a_notebook_is_its_player_and_a_line() -> None:
    trace = story()
    assert (
        repr(trace)
        == f"<Trace of logitspec_paper: {len(trace.output_ids)} tokens in {len(trace.steps)} steps, finish='length'>"
    )
    frame = trace._repr_html_() or ""
    assert frame.startswith("<iframe srcdoc=")
    assert frame.count("<") == 2


def test_token_text_can_not_leave_the_frame(blank: Page) -> None:
    trace = hostile()
    blank.set_content(f"<!doctype html><h1>A notebook</h1>{trace._repr_html_()}")
    assert blank.locator("iframe").count() == 1
    assert blank.locator("body > *").count() == 2
    frame = blank.frame_locator("iframe")
    player = frame.locator(PLAYER)
    expect(player).to_have_attribute("data-steps", str(len(trace.steps)), timeout=30_000)
    player.focus()
    blank.keyboard.press("End")
    expect(player).to_have_attribute("data-cursor", str(len(trace.steps)))
    ids = frame.locator(f"{PLAYER} [data-token]").evaluate_all("all => all.map(e => +e.dataset.id)")
    assert ids == [*trace.prompt_ids, *trace.output_ids]
    assert frame.locator(f"{PLAYER} script, {PLAYER} img").count() == 0
    assert blank.locator("iframe").get_attribute("sandbox") == notebook.SANDBOX
    assert "allow-same-origin" not in notebook.SANDBOX


def test_a_run_in_a_notebook_has_no_link_to_copy(blank: Page) -> None:
    blank.set_content(f"<!doctype html><h1>A notebook</h1>{story()._repr_html_()}")
    frame = blank.frame_locator("iframe")
    expect(frame.locator(PLAYER)).to_have_attribute("data-state", "done", timeout=30_000)
    frame.get_by_role("button", name="Export").click()
    for button in ("Copy link", "Copy embed code"):
        frame.locator(".ls-said").evaluate("said => { said.textContent = '' }")
        frame.get_by_role("button", name=button).click()
        expect(frame.locator(".ls-said")).to_contain_text("This run has no address")


def test_a_long_run_is_shown_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = story()
    whole = len(trace._repr_html_() or "")
    monkeypatch.setattr(notebook, "MAX_LETTERS", len(trace.to_json()) // 2)
    short = trace._repr_html_() or ""
    note = re.search(r"The first (\d+) of (\d+) steps", short)
    assert note is not None
    assert 0 < int(note[1]) < int(note[2]) == len(trace.steps)
    data = re.search(r'id="logitspec-trace"[^>]*>(.*?)</script>', html.unescape(short))
    assert data is not None
    part = Trace.from_json(data[1])
    assert part.steps == trace.steps[: int(note[1])]
    assert part.finish is None  # the run went on
    assert len(short) < whole
    monkeypatch.setattr(notebook, "MAX_LETTERS", 0)
    assert "The first 1 of" in (trace._repr_html_() or "")


def test_the_tokens_of_a_long_run_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mentioned, counted = Trace.mentioned, list[int]()

    def count(self: Trace, since: int = 0) -> set[int]:
        counted.append(len(self.steps))
        return mentioned(self, since)

    monkeypatch.setattr(Trace, "mentioned", count)
    monkeypatch.setattr(notebook, "MAX_LETTERS", len(story().to_json()) // 2)
    assert "The first" in (story()._repr_html_() or "")
    assert len(counted) == 1  # once for each token would take half a minute for 1,000 steps


# The notebooks


@pytest.mark.long
def test_the_example_shows_both_runs(kernel: Any) -> None:
    document = execute(read_notebook("watch.ipynb"), kernel)
    frames = outputs(document, "text/html")
    assert [each.startswith("<iframe srcdoc=") for each in frames] == [True, True]
    assert "a present for Renata" in html.unescape(frames[0])
    numbers = "".join(outputs(document, "text"))
    trace = Trace.open(ASSETS / "traces" / "20.json.gz")
    assert f"{len(trace.output_ids)} tokens in {len(trace.steps)} passes" in numbers
    assert all(len(each) < 200 for each in outputs(document, "text/plain"))


@pytest.mark.long
def test_a_solution_of_twenty_lines_passes_the_lab(kernel: Any) -> None:
    document = read_notebook("lab.ipynb")
    (task,) = [each for each in document.cells if "task" in each.metadata.get("tags", [])]
    task.source = SOLUTION
    text = "".join(outputs(execute(document, kernel), "text"))
    assert re.findall(r"Task (\d) is done", text) == ["1", "2", "3", "4"]
    lines = [
        each for each in SOLUTION.split("num_pred_tokens: int")[1].splitlines() if each.strip()
    ]
    assert len(lines) <= 21


def test_the_lab_as_it_ships_stops_at_its_first_check() -> None:
    document = read_notebook("lab.ipynb")
    document.cells = document.cells[
        : 1
        + next(
            place
            for place, each in enumerate(document.cells)
            if "check" in each.metadata.get("tags", [])
        )
    ]
    with pytest.raises(CellExecutionError, match="the draft should be"):
        execute(document)


# Wrong solutions


def drafter_of(source: str) -> Any:
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(source.replace("@register\n", ""), "lab", "exec"), namespace)
    return namespace["Mine"]


WRONG = {
    "drafts nothing": ("return tree\n", "return plant(root, last)\n", "check_draft", "the draft should be"),
    "one too far": ("copied_from=place)", "copied_from=place + 1)", "check_draft", "position"),
    "one too many": ("start + self.num_pred_tokens,", "start + self.num_pred_tokens + 1,", "check_draft", "at most"),
    "the first occurrence": ("self._after[token] = len", "self._after[token] = self._after.get(token) or len", "check_draft", "the draft should be"),
    "no chain": ("node = tree.add(node,", "tree.add(0,", "check_draft", "one chain"),
    "another origin": ("Origin.RETRIEVED, match_length=1", "Origin.SUFFIX, match_length=1", "check_draft", "say so"),
    "does not read along": ("self._extend([tree", "([tree", "check_observe", "the draft should be"),
    "takes the whole tree": ("for node in path]", "for node in range(len(tree))]", "check_observe", "the draft should be"),
    "leaves the root out": ("for node in path]", "for node in path[1:]]", "check_observe", "the draft should be"),
    "keeps the text before": ("self._ids: list[int] = []", "self._ids = getattr(self, '_ids', [])", "check_observe", "position|the draft should be|still knows"),
    "has no option": ("num_pred_tokens: int = option(4, \"tokens copied per draft\", 1, 64, \"tokens\")", "num_pred_tokens = 4", "check_draft", "option"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_check_says_what_is_wrong(name: str) -> None:
    right, wrong, check, sentence = WRONG[name]
    assert SOLUTION.count(right) == 1
    source = SOLUTION.replace(right, wrong)
    with pytest.raises(NotYet, match=sentence):
        getattr(lab, check)(drafter_of(source))


def test_the_solution_passes_both_checks() -> None:
    assert lab.check_draft(drafter_of(SOLUTION)).startswith("Task 1 is done")
    assert lab.check_observe(drafter_of(SOLUTION)).startswith("Task 2 is done")


def test_runs_that_show_nothing_fail_the_check() -> None:
    run = story()
    with pytest.raises(NotYet, match="Both runs are of"):
        lab.check_run(run, run)
    other = replace(run, method="mine", steps=run.steps[:-1])
    with pytest.raises(NotYet, match="texts differ"):
        lab.check_run(other, run)
    with pytest.raises(NotYet, match="No draft was accepted"):
        lab.check_run(replace(run, method="mine"), run)
