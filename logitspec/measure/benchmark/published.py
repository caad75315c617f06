"""Results of the benchmark that ship with the project, as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from logitspec.measure import OVERALL
from logitspec.measure.benchmark.runs import BASELINE, REFERENCE
from logitspec.paths import ASSETS

RESULTS = ASSETS / "benchmarks"
OURS = "logitspec"
RIVALS = (BASELINE, f"{BASELINE}_prompt_lookup", REFERENCE, "prompt_lookup")


class Table(NamedTuple):
    """A table of figures: its caption, the heads of its columns, and the rows."""

    caption: str
    heads: list[str]
    rows: list[list[str]]


def published(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """The documents that `python -m logitspec benchmark --json` wrote into `folder`, by file name."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def conditions(document: dict[str, Any]) -> str:
    """One sentence about what was measured on what."""
    request, environment = document["request"], document["environment"]
    versions = ", ".join(
        f"{name} {environment[name]}" for name in ("logitspec", "torch", "transformers", "python")
        if name in environment
    )  # fmt: skip
    choice = f" ({environment['dtype_chosen']})" if "dtype_chosen" in environment else ""
    return (
        f"Model {request['model']}, {environment['dtype']}{choice}, {environment['threads']} threads of"
        f" {environment['cpu']}, {versions}; all turns of {' and '.join(request['prompts'])},"
        f" {request['decoding']}, at most {request['max_new_tokens']} new tokens,"
        f" {request['repeats']} repeats, methods in turns; nothing is kept between requests."
    )


def overall(document: dict[str, Any]) -> Table:
    """Every method over all prompts."""
    rows = [
        [each["title"], *_cells(each["scores"][OVERALL])]
        for each in document["methods"]
        if OVERALL in each["scores"]
    ]
    heads = ["method", "tokens/s", f"x {BASELINE}", f"x {REFERENCE}", "MAT", "drafted", "accepted"]
    return Table("All prompts", heads, rows)


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        _spread(figures["tokens_per_second"], 0),
        _spread(figures[f"speed_up_over_{BASELINE}"], 2),
        _spread(figures[f"speed_up_over_{REFERENCE}"], 2),
        f"{figures['mean_accepted_tokens']:.2f}",
        "-" if figures["mean_drafted"] is None else f"{figures['mean_drafted']:.1f}",
        "-" if figures["acceptance_rate"] is None else f"{figures['acceptance_rate']:.0%}",
    ]


def _spread(values: dict[str, float] | None, digits: int) -> str:
    return "-" if values is None else f"{values['median']:.{digits}f}"


def by_task(document: dict[str, Any]) -> Table:
    """How many times as fast as each of the others `logitspec` decodes, by task."""
    speeds = {each["title"]: each["scores"] for each in document["methods"]}
    rivals = [title for title in RIVALS if title in speeds]
    rows = []
    for task in speeds.get(OURS, {}):
        own = speeds[OURS][task]["tokens_per_second"]
        others = [speeds[title][task]["tokens_per_second"] for title in rivals]
        rows.append([task, *(_ratio(own, other) for other in others)])
    return Table(f"{OURS}, times the tokens/s of", ["task", *rivals], rows)


def _ratio(own: dict[str, float] | None, other: dict[str, float] | None) -> str:
    return "-" if not own or not other else f"{own['median'] / other['median']:.2f}"
