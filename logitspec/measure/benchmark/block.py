"""Figures as Markdown, in the form that the documentation has."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from logitspec.measure.benchmark.paper import beside, differences, is_spec_bench
from logitspec.measure.benchmark.published import (
    Table,
    accepted_by_task,
    advantage,
    by_task,
    conditions,
    origin,
    overall,
    speed_by_task,
)
from logitspec.measure.benchmark.runs import BASELINE, REFERENCE

WIDTH = 120


def markdown(tables: Iterable[Table]) -> str:
    """The tables in Markdown, each below its caption."""
    from logitspec.builtin.card import markdown as lines

    return "\n\n".join(f"{each.caption}:\n\n{lines([each.heads, *each.rows])}" for each in tables)


def compact(document: dict[str, Any]) -> list[Table]:
    """Tables with tasks as rows and methods side by side."""
    counts, speeds = accepted_by_task(document), compact_speeds(document)
    return [*filled(counts), *speeds, *filled(advantage(document))]


def compact_speeds(document: dict[str, Any]) -> list[Table]:
    """Those of them with speeds."""
    titles = {each["title"] for each in document["methods"]}
    over = BASELINE if BASELINE in titles else REFERENCE
    return filled(speed_by_task(document, over))


def filled(*tables: Table) -> list[Table]:
    """The tables that have figures."""
    return [each for each in tables if any(set(row[1:]) - {"-"} for row in each.rows)]


def tables(document: dict[str, Any]) -> str:
    """The tables that come below the long table of a run."""
    extra = [beside(document)] if is_spec_bench(document) else []
    return markdown([*compact(document), *extra])


def block(document: dict[str, Any]) -> str:
    """Everything the documentation says about a run: conditions, tables, and the paper's figures."""
    parts = [
        _wrap(conditions(document)),
        markdown(filled(overall(document), by_task(document))),
        markdown(compact(document)),
        _wrap(origin(document)),
    ]
    if is_spec_bench(document):
        parts += [markdown([beside(document)]), _wrap(differences(document))]
    return "\n\n".join(part for part in parts if part)


def _wrap(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
