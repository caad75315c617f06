"""The benchmark's shipped results: what documentation and page say about them is in the files."""

from __future__ import annotations

import gzip
import json
from itertools import permutations
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from support.published import GPU_RESULTS, bars, filled, gpu_conditions, kernels, methods, shapes

from logitspec.drafters import METHODS
from logitspec.measure.benchmark.block import filled as with_figures
from logitspec.measure.benchmark.block import markdown
from logitspec.measure.benchmark.paper import beside
from logitspec.measure.benchmark.published import (
    RESULTS,
    accepted_by_task,
    advantage,
    by_task,
    conditions,
    is_counted,
    is_real,
    overall,
    published,
)
from logitspec.publish.demos import RACES, demo_file, opening_race
from logitspec.ui.words import measured

NEWER_THAN_THE_CHECK = {"racer", "goose"}  # methods that no GPU has run yet
ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGE = ROOT / "logitspec" / "measure" / "README.md"


def rate(document: dict[str, Any], title: str, task: str) -> float:
    """Decoded tokens per second, the median over the repeats, from the single runs."""
    runs = [
        each
        for each in document["measurements"]
        if each["method"] == title and task in (each["category"], "overall")
    ]
    rates = []
    for repeat in {each["repeat"] for each in runs}:
        own = [each for each in runs if each["repeat"] == repeat]
        # transformers' own runs give their first token with the prefill.
        tokens = sum(each["tokens"] - (each["drafted"] is None) for each in own)
        rates.append(tokens / sum(each["decode_seconds"] for each in own))
    return float(median(rates))


@pytest.fixture(params=sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return result


def test_there_are_results() -> None:
    assert len(published()) == len(list(RESULTS.glob("*.json"))) >= 1
    assert list(GPU_RESULTS.glob("*.json"))


def test_no_output_differed_without_a_tie(document: dict[str, Any]) -> None:
    assert all(
        scores["faults"] == 0 for each in document["methods"] for scores in each["scores"].values()
    )


def test_means_are_those_of_the_single_runs(document: dict[str, Any]) -> None:
    for task, *cells in accepted_by_task(document).rows:
        for title, cell in zip(accepted_by_task(document).heads[1:], cells, strict=True):
            runs = [
                each
                for each in document["measurements"]
                if each["method"] == title and task in (each["category"], "overall")
            ]
            mean = sum(each["tokens"] for each in runs) / sum(each["forwards"] for each in runs)
            assert float(cell) == pytest.approx(mean, abs=0.0051)


def test_rates_are_those_of_the_single_runs(document: dict[str, Any]) -> None:
    if is_counted(document):
        assert "tokens/s" not in overall(document).heads
        assert by_task(document).rows == []
        return
    for title, *cells in overall(document).rows:
        assert float(cells[0]) == pytest.approx(rate(document, title, "overall"), abs=0.51)
    table = by_task(document)
    for task, *ratios in table.rows:
        for rival, ratio in zip(table.heads[1:], ratios, strict=True):
            expected = rate(document, "logitspec", task) / rate(document, rival, task)
            assert float(ratio) == pytest.approx(expected, abs=0.006)


def test_documentation_and_page_show_them(document: dict[str, Any]) -> None:
    text, page = PAGE.read_text(encoding="utf-8"), measured(is_real(document))
    assert markdown(with_figures(overall(document), by_task(document))) in text
    assert conditions(document) in text.replace("\n", " ")
    tables = [overall(document), by_task(document)]
    if is_counted(document):
        tables += [accepted_by_task(document), advantage(document), beside(document)]
        assert markdown(tables[2:4]) in text
        assert markdown(tables[4:]) in text
    for table in tables:
        for row in table.rows:
            for cell in row:
                assert cell in page


def test_the_bars_of_accepted_tokens_are_those_of_the_counted_file() -> None:
    counted = json.loads((RESULTS / "smollm2-accepted.json").read_text(encoding="utf-8"))
    runs = counted["measurements"]
    lookup = [each for each in runs if each["method"] == "prompt_lookup"]
    questions: dict[str, list[int]] = {}
    for each in lookup:
        questions.setdefault(each["category"], []).append(each["question_id"])
    every = {each["question_id"] for each in lookup}
    later = {each for ids in questions.values() for each in sorted(ids)[3:]}
    copied = {each["question_id"] for each in lookup if each["tokens"] >= 5 * each["forwards"]}
    assert (len(every), len(later), len(copied)) == (130, 91, 6)

    def times(title: str, other: str, ids: set[int]) -> float:
        means = []
        for name in (title, other):
            own = [each for each in runs if each["method"] == name and each["question_id"] in ids]
            means.append(sum(e["tokens"] for e in own) / sum(e["forwards"] for e in own))
        return float(means[0] / means[1])

    text = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    whole = "logitspec tree_size=capacity"
    for end, title, other in [
        ("times that of `logitspec_paper` | 1.55", whole, "logitspec_paper"),
        ("sizes (`goose`) | 1.15", whole, "goose"),
        ("with 63 | 1.20", f"{whole} draft_tree_capacity=25", "logitspec_paper"),
        ("`prompt_lookup` | 1.35", f"{whole} draft_tree_capacity=9", "prompt_lookup"),
    ]:
        cells = " | ".join(f"{times(title, other, ids):.2f}" for ids in (every, later))
        assert f"{end} | {cells} |" in text
    rest = times(f"{whole} draft_tree_capacity=9", "prompt_lookup", every - copied)
    assert f"since they copy, the fourth row is {rest:.2f}" in text


def test_the_readme_leads_with_what_a_real_model_gains() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.index("<!-- results: smollm2 -->") < text.index("built-in model")
    assert filled(text) == text, "python tests/measure tables"


@pytest.fixture(params=sorted(GPU_RESULTS.glob("*.json")), ids=lambda file: file.stem)
def checked(request: pytest.FixtureRequest) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return result


def test_documentation_shows_what_the_gpu_check_found(checked: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    newer = "bars" in checked
    tables = [kernels(checked), bars(checked)] if newer else [shapes(checked), methods(checked)]
    assert markdown(tables) in text
    assert gpu_conditions(checked) in text.replace("\n", " ")


def test_on_the_gpu_every_part_ran_and_every_method_wrote_the_same(checked: dict[str, Any]) -> None:
    assert not any("error" in part or part.get("cut") for part in checked["parts"].values())
    for part in (part for part in checked["parts"].values() if "methods" in part):
        assert part["environment"]["graphs"] == "replayed"
        assert part["divergences"] == []
        ran = [each["title"] for each in part["methods"]]
        assert ran == [method for method in METHODS if method not in NEWER_THAN_THE_CHECK]


def test_the_lanes_of_the_race_that_is_shown_come_in_as_the_table_says() -> None:
    """By tokens per second; two lanes within 5 % of each other, in the table or the race, have no order."""
    prompt = opening_race()
    assert prompt is not None
    race = json.loads(gzip.decompress(demo_file(prompt, RACES).read_bytes()))
    model = race["lanes"][0]["model"]["id"].partition(":")[0]
    table = next(
        each for each in published() if each["request"]["model"] == model and not is_counted(each)
    )
    own = {}
    for lane in race["lanes"]:
        seconds = sum(
            step["seconds"][part]
            for step in lane["steps"]
            for part in ("draft", "verify", "accept", "commit")
        )
        own[lane["method"]] = sum(len(step["path"]) for step in lane["steps"]) / seconds
    rates = {method: rate(table, method, "overall") for method in own}
    assert len(rates) == 4
    ordered = [
        (faster, slower)
        for faster, slower in permutations(rates, 2)
        if rates[faster] > 1.05 * rates[slower]
    ]
    assert len(ordered) >= 4
    assert [pair for pair in ordered if 1.05 * own[pair[0]] < own[pair[1]]] == []
