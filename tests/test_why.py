"""The page "Why it works" in a real Chromium: pictures, numbers, computing, cancelling."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any, cast

import gradio as gr
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page, Request, expect
from support.accessibility import COLOUR_OPTIONS, violations
from support.awaited import awaited
from support.fakes import finished
from support.families import runner
from support.models import tokenizer
from support.serving_page import serving_page

from logitspec import LogitSpecError
from logitspec.measure.evidence import FOLDER, Evidence, fingerprint_weights, total
from logitspec.measure.evidence.gather import OURS, PAPER, Progress, gather, sample_prompts
from logitspec.models.catalogue import CATALOGUE
from logitspec.prompts import typed
from logitspec.serving import models
from logitspec.serving.host import Host
from logitspec.trace.metrics import Counts
from logitspec.ui import study
from logitspec.ui.scripts import launch_options
from logitspec.ui.study import PICTURES, Study
from logitspec.ui.tab import Shell
from logitspec.ui.tabs import why

NOTHING = "Nothing has been computed on tiny yet; press “Compute on the loaded model”."


@dataclass
class Stock:
    """A tiny model without results, and a built-in one with some."""

    host: Host
    shipped: Evidence
    file: Path


@dataclass
class Served(Stock):
    url: str


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    shipped: Evidence = finished(gather(runner("llama"), tokenizer(), sample_prompts(1), 24))
    shipped.about["model"].update(id="builtin", dtype="<b>float64</b>")
    file = tmp_path_factory.mktemp("evidence") / "builtin.json.gz"
    shipped.save(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", lambda *names: (runner("llama"), tokenizer()))
        patch.setattr(study, "FOLDER", file.parent)
        patch.setattr(study, "NEW_TOKENS", 16)
        patch.setattr(study, "SECONDS_PER_MESSAGE", 0.2)
        yield Stock(Host("tiny"), shipped, file)


@pytest.fixture(scope="module")
def served(stock: Stock) -> Iterator[Served]:
    """The tab next to another."""

    def build() -> Any:
        with gr.Blocks(analytics_enabled=False) as page, gr.Tabs() as tabs:
            with gr.Tab("Other"):
                gr.Markdown("Another tab.")
            with gr.Tab("Why it works"):
                why.build(Shell(page, stock.host, tabs))
        return page

    with serving_page(build, lambda page: {**launch_options(), "run_history": False}) as (_, url):
        yield Served(stock.host, stock.shipped, stock.file, url)


def opened(page: Page, served: Served, width: int, scheme: str) -> Iterator[Page]:
    page.set_viewport_size({"width": width, "height": 900})
    outside: list[str] = []

    def seen(request: Request) -> None:
        if not request.url.startswith((served.url, "data:", "blob:")):
            outside.append(request.url)

    page.on("request", seen)
    page.goto(f"{served.url}?__theme={scheme}")
    page.get_by_role("tab", name="Why it works").click(timeout=30_000)
    expect(page.locator("#why-compute")).to_be_visible(timeout=30_000)
    yield page
    page.remove_listener("request", seen)
    page.evaluate("sessionStorage.clear()")  # the next one is another visitor
    page.goto("about:blank")  # this app ends before the next one is opened
    assert outside == []


@pytest.fixture
def page(newcomer: Page, served: Served) -> Iterator[Page]:
    yield from opened(newcomer, served, 1280, "light")


@pytest.fixture
def dark_phone(newcomer: Page, served: Served) -> Iterator[Page]:
    yield from opened(newcomer, served, 400, "dark")


def choose(page: Page, model: str) -> None:
    page.locator("#why-model").get_by_label("Model", exact=True).click()
    page.get_by_role("option", name=model).click()


def drawn(page: Page) -> None:
    """Wait until all pictures are there."""
    plots = page.locator(".why-plot .js-plotly-plot .main-svg:first-child")
    expect(plots).to_have_count(len(PICTURES), timeout=60_000)


@contextmanager
def redrawn(page: Page, *names: str) -> Iterator[None]:
    """Wait until plotly has drawn these pictures anew: their texts come first."""
    plots = ", ".join(f"#why-{name} .js-plotly-plot" for name in names)
    mark = "(plots) => { for (const plot of plots) plot.data.isOld = true }"
    page.locator(plots).evaluate_all(mark)
    yield
    page.wait_for_function(
        "([plots, count]) => {"
        "  const all = [...document.querySelectorAll(plots)];"
        "  return all.length === count && all.every(({ data }) => data && !data.isOld);"
        "}",
        arg=[plots, len(names)],
    )


def data(page: Page, name: str, key: str = "y") -> list[Any]:
    """What plotly has drawn: one list for each of its traces."""
    script = "(plot, key) => plot.data.map((trace) => [...trace[key]])"
    result: list[Any] = page.locator(f"#why-{name} .js-plotly-plot").evaluate(script, key)
    return result


def cells(page: Page, name: str) -> list[list[str]]:
    script = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    result: list[list[str]] = page.locator(f"#why-{name}-numbers tbody tr").evaluate_all(script)
    return result


def whole(tallies: dict[str, Counts]) -> Counter[int]:
    """Steps by tokens emitted, over all tasks."""
    return sum((each.lengths for each in tallies.values()), start=Counter())


def lengths_of(tallies: dict[str, Counts]) -> list[float]:
    counts = whole(tallies)
    steps = sum(counts.values())
    rest = sum(count for length, count in counts.items() if length > 10)
    return [*(counts[length] / steps for length in range(1, 11)), rest / steps]


def test_the_pictures_show_the_numbers_of_the_chosen_method_and_fit(
    page: Page, served: Served
) -> None:
    choose(page, "builtin")
    drawn(page)
    tells_conditions_and_that_the_weights_have_changed(page)
    show_the_numbers(page, served.shipped)
    show_those_of_another_method(page, served.shipped)
    come_back_after_a_reload(page)
    fit_when_their_tab_comes_back(page)
    are_good_on_a_phone(page, None)


def show_the_numbers(page: Page, evidence: Evidence) -> None:
    ranks = sum(evidence.ranks.values(), start=Counter())
    tokens = sum(ranks.values())
    (shares,) = data(page, "ranks")
    assert shares[0] == pytest.approx(ranks[0] / tokens)
    assert shares[1] == pytest.approx(ranks[1] / tokens)
    assert shares[4] == pytest.approx(sum(ranks[rank] for rank in (5, 6, 7, 8)) / tokens)
    assert sum(shares) == pytest.approx(1)
    assert cells(page, "ranks")[0][:2] == ["All tasks", str(tokens)]
    assert cells(page, "ranks")[0][3] == f"{ranks[1] / tokens:.1%}"

    assert data(page, "costs")[-1] == pytest.approx([1000 * each for each in evidence.seconds])
    assert [row[0] for row in cells(page, "costs")] == [str(rows) for rows in evidence.rows]

    (bars,) = data(page, "lengths")
    assert bars == pytest.approx(lengths_of(evidence.runs[PAPER]))
    steps = sum(whole(evidence.runs[PAPER]).values())
    at_least = [
        sum(c for n, c in whole(evidence.runs[PAPER]).items() if n > d) for d in range(1, 5)
    ]
    stacked = [sum(column) for column in zip(*data(page, "depths"), strict=True)]
    assert stacked[:4] == pytest.approx([each / steps for each in at_least][: len(stacked)])

    first, *_, last = evidence.capacities
    for name, digits in [("mean-accepted", 2), ("speed", None)]:
        curves = data(page, name)
        assert len(curves) == 7 + 2
        task = evidence.tasks[0]
        tallies = [evidence.capacities[capacity][task] for capacity in (first, last)]
        expected = [
            sum(n * c for n, c in each.lengths.items())
            / (
                sum(each.lengths.values())
                if digits
                else each.seconds.drafter
                + sum(evidence.costs.at(n) * c for n, c in each.sizes.items())
            )
            for each in tallies
        ]
        assert [curves[0][0], curves[0][-1]] == pytest.approx(expected)
        if digits:
            assert cells(page, name)[1][1] == f"{expected[0]:.2f}"


def show_those_of_another_method(page: Page, evidence: Evidence) -> None:
    with redrawn(page, "lengths", "depths"):
        page.get_by_label("LogitSpec (ours)").check()
    expected = evidence.runs[OURS]
    mean = total(expected).mean_accepted_tokens
    expect(page.locator("#why-lengths-numbers")).to_contain_text(
        f"come to {mean:.2f} mean accepted tokens (tokens per target forward, root included"
    )
    (bars,) = data(page, "lengths")
    assert bars == pytest.approx(lengths_of(expected))
    expect(page.locator("#why-depths-numbers")).to_contain_text("LogitSpec (ours) drafted")


def tells_conditions_and_that_the_weights_have_changed(page: Page) -> None:
    status = page.locator("#why-status [role=status]")
    expect(status).to_contain_text("builtin, <b>float64</b>, on cpu")  # as text
    expect(status).to_contain_text("at most 24 new tokens for each of 7 prompts")
    expect(status).to_contain_text("The weights have changed since; compute again.")


def come_back_after_a_reload(page: Page) -> None:
    page.reload()
    page.get_by_role("tab", name="Why it works").click()
    drawn(page)
    expect(page.locator("#why-model").get_by_label("Model", exact=True)).to_have_value("builtin")
    expect(page.get_by_label("LogitSpec (ours)")).to_be_checked()
    tells_conditions_and_that_the_weights_have_changed(page)
    expect(page.locator("#why-depths-numbers")).to_contain_text("LogitSpec (ours) drafted")


def fit_when_their_tab_comes_back(page: Page) -> None:
    page.get_by_role("tab", name="Other").click()
    page.set_viewport_size({"width": 400, "height": 900})
    page.get_by_role("tab", name="Why it works").click()
    widest = (
        "() => Math.max(...[...document.querySelectorAll('.main-svg')].map((e) => e.clientWidth))"
    )
    page.wait_for_function(f"({widest})() <= 400")
    assert page.evaluate(STUCK_OUT) == []


def test_results_of_these_weights_are_not_called_old(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = Evidence.open(stock.file)
    evidence.about["weights"] = fingerprint_weights()
    evidence.save(tmp_path / "x.json.gz")
    monkeypatch.setattr(study, "FOLDER", tmp_path)
    assert "have changed" not in Study(stock.host).about("builtin")
    (tmp_path / "x.json.gz").write_bytes(b"no")
    assert "Nothing has been computed on builtin" in Study(stock.host).about("builtin")
    (tmp_path / "x.json.gz").unlink()
    assert "Nothing has been computed on builtin" in Study(stock.host).about("builtin")


def test_evidence_of_a_real_model_is_shown_first_and_that_of_others_can_be(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "FOLDER", tmp_path)
    assert Study(stock.host).names == ["tiny", "builtin"]
    real = Evidence.open(stock.file)
    real.save(tmp_path / "a.json.gz")
    assert Study(stock.host).names == ["tiny", "builtin"]
    real.about["model"]["id"] = "somebody/real"
    real.save(tmp_path / "b.json.gz")
    opened = Study(stock.host)
    assert opened.names == ["somebody/real", "tiny", "builtin"]
    assert "Found with somebody/real" in opened.about("somebody/real")
    assert "The weights have changed" not in opened.about("somebody/real")
    assert "Found with builtin" in opened.about("builtin")


def test_the_shipped_evidence_is_of_the_real_model_and_of_the_built_in_one(stock: Stock) -> None:
    shipped = [Evidence.open(file) for file in sorted(FOLDER.glob("*.json.gz"))]
    assert {each.model for each in shipped} == {CATALOGUE[0].name, "builtin"}
    (real,) = [each for each in shipped if each.model != "builtin"]
    assert real.tasks == [prompt.category for prompt in typed()]
    speeds = {method: real.speed(total(by_task)) for method, by_task in real.runs.items()}
    assert max(speeds, key=lambda method: speeds[method]) == OURS


def test_computing_is_cancelled_at_any_time_and_draws_at_its_end_on_a_phone_in_the_dark(
    dark_phone: Page, served: Served
) -> None:
    page = dark_phone
    expect(page.locator("#why-status [role=status]")).to_have_text(NOTHING)
    assert page.locator(".js-plotly-plot").count() == 0
    is_cancelled_before_its_turn(page, served)
    is_cancelled_while_it_runs_and_frees_the_model(page, served)
    # In mode "once", a browser drops a press until the cancelled computation has ended.
    modes = "each => each.api_name === 'compute' && each.trigger_mode"
    assert page.evaluate(f"gradio_config.dependencies.map({modes}).filter(Boolean)") == ["multiple"]
    page.get_by_label("Prompts per task").first.fill("1")
    page.get_by_role("button", name="Compute on the loaded model").click()
    expect(page.locator("#why-status [role=status]")).to_contain_text(
        f"at most 16 new tokens for each of {len(typed())} prompts", timeout=120_000
    )
    drawn(page)
    assert cells(page, "ranks")[0][1] == str(15 * len(typed()))
    named = page.get_by_role(
        "img", name="Rank of the next-next token in the last logits: a picture"
    )
    expect(named).to_be_visible()
    choose(page, "builtin")
    status = page.locator("#why-status [role=status]")
    expect(status).to_contain_text("at most 24 new tokens for each of 7 prompts", timeout=60_000)
    drawn(page)
    are_good_on_a_phone(page, COLOUR_OPTIONS)


def test_all_that_is_being_done_has_words() -> None:
    told = [
        study._bar(each) for each in gather(runner("llama"), tokenizer(), sample_prompts(1)[:2], 4)
    ]
    assert "<p>0 of 2 prompts; timing forwards</p>" in told[0]
    for doing in ("plain decoding", "drafting live", "replaying"):
        assert any(f"<p>0 of 2 prompts; Conversation, {doing}</p>" in each for each in told), doing
    assert "<p>2 of 2 prompts; done</p>" in told[-1]


def is_cancelled_before_its_turn(page: Page, served: Served) -> None:
    with served.host.turn.hold(Event()):
        page.get_by_role("button", name="Compute on the loaded model").click()
        status = page.locator("#why-status [role=status]")
        expect(status).to_contain_text("Waiting for its turn: 1 run is ahead of it")
        page.get_by_role("button", name="Cancel").click()
        expect(status).to_have_text(f"This was cancelled.{NOTHING}")
    page.wait_for_timeout(500)
    expect(status).to_have_text(f"This was cancelled.{NOTHING}")


def gather_slowly(*arguments: Any) -> Iterator[Any]:
    """Work that doesn't end before a visitor has cancelled it, however busy the machine."""
    for progress in gather(*arguments):
        yield progress
        sleep(1)


def is_cancelled_while_it_runs_and_frees_the_model(page: Page, served: Served) -> None:
    status = page.locator("#why-status [role=status]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "gather", gather_slowly)
        page.get_by_label("Prompts per task").first.fill("12")
        page.get_by_role("button", name="Compute on the loaded model").click()
        bar = page.get_by_role("progressbar", name="Prompts done")
        expect(bar).to_have_attribute("max", str(len(typed())), timeout=30_000)
        page.get_by_role("button", name="Cancel").click()
        expect(status).to_have_text(f"This was cancelled.{NOTHING}")
    with served.host.turn.hold(Event()):
        pass
    page.wait_for_timeout(500)
    expect(status).to_have_text(f"This was cancelled.{NOTHING}")


@dataclass
class Visit:
    """A request of a page, as far as its visitor is read from it."""

    session_hash: str = "ann"
    client: None = None


def shipped_slowly(stock: Stock, may_end: Event) -> Any:
    """Work that reports progress, and ends once it may."""

    def gather(*_: Any) -> Generator[Progress, None, Evidence]:
        yield Progress(0, 7, "replaying")
        may_end.wait(60)
        return stock.shipped

    return gather


def test_computing_ends_with_what_the_visitor_looks_at_by_then(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, visit, computed = Event(), cast(gr.Request, Visit()), Study(stock.host)
    monkeypatch.setattr(study, "gather", shipped_slowly(stock, may_end))

    async def compute() -> list[Any]:
        computed.ready(visit)
        async with aclosing(computed.compute("tiny", 1, PAPER, visit)) as outputs:
            await anext(outputs)
            computed.choose("builtin", OURS, visit)
            may_end.set()
            return [each async for each in outputs][-1]

    at_end = awaited(compute())
    assert at_end[0] == computed.status("builtin")
    builtin = computed.evidence("builtin")
    assert builtin is not None
    figures = [each for each in at_end[2:] if isinstance(each, go.Figure)]
    assert figures == [each.figure(builtin, OURS) for each in PICTURES]
    assert computed.evidence("tiny") is stock.shipped
    assert not computed._computations


def test_compute_counts_right_after_cancel_and_once_without_it(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, visit, computed = Event(), cast(gr.Request, Visit()), Study(stock.host)
    monkeypatch.setattr(study, "gather", shipped_slowly(stock, may_end))

    def press() -> Any:
        computed.ready(visit)
        return computed.compute("tiny", 1, PAPER, visit)

    async def compute() -> None:
        async with aclosing(press()) as cancelled:
            assert "0 of 7" in (await anext(cancelled))[0]
            assert [each async for each in press()] == []
            computed.cancel("tiny", visit)
            async with aclosing(press()) as again:
                first = asyncio.ensure_future(anext(again))
                await asyncio.sleep(0)
                may_end.set()
                assert [each async for each in cancelled] == []
                outputs = [await first, *[each async for each in again]]
        assert outputs[-1][0] == computed.status("tiny")

    awaited(compute())
    assert computed.evidence("tiny") is stock.shipped
    assert not computed._computations


def test_it_waits_for_the_model_and_can_be_cancelled_then(stock: Stock) -> None:
    stop = Event()
    stop.set()
    with (
        stock.host.turn.hold(Event()),
        pytest.raises(LogitSpecError, match="stopped before it began"),
        stock.host.turn.hold(stop),
    ):
        pass
    with stock.host.turn.hold(stop):
        pass


STUCK_OUT = """() => [...document.querySelectorAll(".why, .why *, .why-plot, .why-plot .main-svg")]
  .filter((each) => !each.closest(".why-table table") && each.getClientRects().length)
  .filter((each) => { const r = each.getBoundingClientRect(); return r.left < 0 || r.right > innerWidth + 0.5; })
  .map((each) => `${each.tagName}.${each.className}`)"""


def are_good_on_a_phone(phone: Page, options: Any) -> None:
    # Pictures take their places after the tab.
    phone.wait_for_function("document.documentElement.scrollWidth === 400")
    phone.wait_for_function(f"!({STUCK_OUT})().length")
    plots = phone.locator(".why-plot .js-plotly-plot")
    ink = phone.evaluate("getComputedStyle(document.querySelector('.why p')).color")
    labels = plots.locator(".xtick text").evaluate_all(
        "(found) => [...new Set(found.map((each) => getComputedStyle(each).fill))]"
    )
    assert labels == [ink]
    axes = [each.inner_text().split("\n") for each in phone.locator(".why-axes").all()]
    assert len(axes) == plots.count()
    assert all(len(each) == 2 and all(each) for each in axes), axes
    phone.wait_for_timeout(500)
    found = violations(phone, options, {"include": [[".why"], [".why-plot"]]})
    assert [each["id"] for each in found] == []
