"""Which prompts are measured, and in which order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from logitspec.errors import LogitSpecError
from logitspec.prompts import Prompt, in_categories, read_prompts
from logitspec.trace.records import dumps


def choose(
    files: Sequence[str | Path],
    categories: Sequence[str] = (),
    per_category: int | None = None,
    turns: int | None = None,
) -> list[Prompt]:
    """The first `per_category` prompts of each category in all files: one of each, then the next, so that a
    run that stops early has some of all. turns: the maximum for each prompt.

    Raises LogitSpecError if two prompts share an id, by which figures name them.
    """
    prompts = in_categories(
        [each for file in files for each in read_prompts(file)],
        categories,
        " and ".join(map(str, files)),
    )
    counts = Counter(each.question_id for each in prompts)
    if repeated := [number for number, count in counts.items() if count > 1]:
        raise LogitSpecError(
            f"Several prompts have the same question_id, such as {repeated[0]}; give each its own."
        )
    places: Counter[str] = Counter()
    ranked = []
    for prompt in prompts:
        ranked.append((places[prompt.category], prompt))
        places[prompt.category] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [
        prompt if turns is None else replace(prompt, later=prompt.later[: turns - 1])
        for rank, prompt in ranked
        if per_category is None or rank < per_category
    ]


def fingerprint(prompts: Sequence[Prompt]) -> str:
    """A digest of ids, categories and texts, in order, which a file's name doesn't tell."""
    rows = [[each.question_id, each.category, each.text, *each.later] for each in prompts]
    return hashlib.sha256(dumps(rows).encode()).hexdigest()[:16]
