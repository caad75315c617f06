"""Results of the benchmark that ship with the project, as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from logitspec.measure.benchmark.runs import BASELINE, OURS, REFERENCE
from logitspec.paths import ASSETS
from logitspec.prompts import OVERALL
from logitspec.trace.rounding import several

RESULTS = ASSETS / "benchmarks"
PLAIN = (BASELINE, REFERENCE)  # one token per forward
RIVALS = (BASELINE, f"{BASELINE}_prompt_lookup", REFERENCE, "prompt_lookup")


class Table(NamedTuple):
    """A table of figures: its caption, the heads of its columns, and the rows."""

    caption: str
    heads: list[str]
    rows: list[list[str]]


def published(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """The documents that `python -m logitspec benchmark --json` wrote into `folder`, by file name."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def is_real(document: dict[str, Any]) -> bool:
    """Whether its model is not the built-in one, which was made to be watched."""
    return bool(document["request"]["model"] != "builtin")


def conditions(document: dict[str, Any]) -> str:
    """One sentence about what was measured on what."""
    request, environment = document["request"], document["environment"]
    repeats, threads = request["repeats"], environment["threads"]
    versions = ", ".join(
        f"{name} {environment[name]}" for name in ("logitspec", "torch", "transformers", "python")
        if name in environment
    )  # fmt: skip
    decoding = f"{request['decoding']}, at most {request['max_new_tokens']} new tokens"
    if is_counted(document):
        return (
            f"Model {request['model']}, {environment['dtype']}, {versions}; {_which(document)}, {decoding};"
            " counted and not timed, and nothing is kept between requests."
        )
    choice = f" ({environment['dtype_chosen']})" if "dtype_chosen" in environment else ""
    return (
        f"Model {request['model']}, {environment['dtype']}{choice}, {several(threads, 'thread')} of"
        f" {environment['cpu']}, {versions}; {_which(document)}, {decoding},"
        f" {several(repeats, 'repeat')}, methods in rotation; nothing is kept between requests."
    )


def _which(document: dict[str, Any]) -> str:
    """Which prompts were measured, as a phrase."""
    request = document["request"]
    turns = request.get("turns")
    which = "all turns" if turns is None else "the first turn" if turns == 1 else f"{turns} turns"
    most = request.get("per_category")
    part = f" of the first {most} of each category" if most else ""
    files = f"{which}{part} of {' and '.join(request['prompts'])}"
    if categories := request["category"]:
        files += f" ({', '.join(categories)})"
    if missing := document.get("missing"):
        files += f" except {several(len(missing), 'prompt')} left when the run was cut off"
    return files


def is_counted(document: dict[str, Any]) -> bool:
    """Whether nothing was timed, so that it has counts only."""
    return bool(document["request"].get("untimed"))


def overall(document: dict[str, Any]) -> Table:
    """Every method over all prompts, without the columns of what was not timed."""
    rows = [
        [each["title"], *_cells(each["scores"][OVERALL])]
        for each in document["methods"]
        if OVERALL in each["scores"]
    ]
    heads = ["method", "tokens/s", f"x {BASELINE}", f"x {REFERENCE}", "MAT", "drafted", "accepted"]
    if is_counted(document):
        counts = [0, *range(heads.index("MAT"), len(heads))]
        heads, *rows = ([row[place] for place in counts] for row in (heads, *rows))
        return Table("All prompts, counted", heads, rows)
    return Table("All prompts", heads, rows)


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        spread(figures["tokens_per_second"], 0),
        spread(figures[f"speed_up_over_{BASELINE}"], 2),
        spread(figures[f"speed_up_over_{REFERENCE}"], 2),
        f"{figures['mean_accepted_tokens']:.2f}",
        "-" if figures["mean_drafted"] is None else f"{figures['mean_drafted']:.1f}",
        "-" if figures["acceptance_rate"] is None else f"{figures['acceptance_rate']:.0%}",
    ]


def spread(values: dict[str, float] | None, digits: int) -> str:
    """The median, or a dash."""
    return "-" if values is None else f"{values['median']:.{digits}f}"


def by_task(document: dict[str, Any]) -> Table:
    """How many times as fast `logitspec` decodes as each of the others, by task."""
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


def accepted_by_task(document: dict[str, Any]) -> Table:
    """Mean accepted tokens of every method that drafts, by task."""
    return _by_task(
        document,
        "Mean accepted tokens",
        lambda own: f"{own['mean_accepted_tokens']:.2f}",
        without=PLAIN,
    )


def speed_by_task(document: dict[str, Any], over: str) -> Table:
    """How many times as fast as `over` each method decodes, by task; dashes where it was not timed."""
    key = f"speed_up_over_{over}"
    caption = f"Tokens/s, times those of {over}"
    return _by_task(document, caption, lambda own: spread(own[key], 2), without=(over,))


def _by_task(
    document: dict[str, Any],
    caption: str,
    cell: Callable[[dict[str, Any]], str],
    without: Collection[str],
) -> Table:
    methods = {
        each["title"]: each["scores"]
        for each in document["methods"]
        if each["scores"] and each["title"] not in without
    }
    rows = [
        [task, *(cell(scores[task]) for scores in methods.values())]
        for task in next(iter(methods.values()), {})
    ]
    return Table(caption, ["task", *methods], rows)


def advantage(document: dict[str, Any]) -> Table:
    """Our mean accepted tokens over all prompts, as multiples of those of each other method; a row for each
    variant of ours."""
    accepted = {
        each["title"]: each["scores"][OVERALL]["mean_accepted_tokens"]
        for each in document["methods"]
        if OVERALL in each["scores"]
    }
    own = [each["title"] for each in document["methods"] if each["method"] == OURS]
    others = [title for title in accepted if title not in (*own, *PLAIN)]
    rows = [
        [title, *(f"{accepted[title] / accepted[other]:.2f}" for other in others)]
        for title in own
        if title in accepted
    ]
    return Table(
        "Mean accepted tokens of a row, times those of a column", ["method", *others], rows
    )


def origin(document: dict[str, Any]) -> str:
    """One sentence about which methods ran live and which on transcripts, and on how many prompts."""
    groups: dict[str, list[str]] = {}
    for each in document["methods"]:
        own = each["scores"].get(OVERALL, {})
        kinds = [(kind, own[kind]) for kind in ("live", "replayed") if own.get(kind)]
        if kinds:
            ran = " and ".join(f"{kind} on {count}" for kind, count in kinds)
            noun = "turn" if kinds[-1][1] == 1 else "turns"
            groups.setdefault(f"{ran} {noun}", []).append(each["title"])
    sentences = [f"{', '.join(titles)} ran {kinds}" for kinds, titles in groups.items()]
    return f"{'; '.join(sentences)}." if sentences else ""
