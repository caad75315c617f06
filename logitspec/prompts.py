"""Prompt files, JSON lines in Spec-Bench's form, and those whose prompts the page offers."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS

EXAMPLES = ASSETS / "prompts" / "examples.jsonl"
TYPED = ASSETS / "prompts" / "typed.jsonl"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line of a file: `text` is its first turn, `later` are those after it."""

    question_id: int
    category: str
    title: str
    text: str
    later: tuple[str, ...] = ()


@cache
def examples() -> tuple[Prompt, ...]:
    """The prompts in the built-in model's own words, in their order."""
    return tuple(read_prompts(EXAMPLES))


@cache
def typed() -> tuple[Prompt, ...]:
    """Free-form prompts of the kinds that people type, one a kind; nothing was tuned on them."""
    return tuple(read_prompts(TYPED))


def read_prompts(path: str | Path = EXAMPLES, categories: Collection[str] = ()) -> list[Prompt]:
    """The prompts of a file, of `categories` or of all; LogitSpecError where there are none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        prompts = [_prompt(json.loads(line)) for line in lines if line.strip()]
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise LogitSpecError(
            f"{path} has a line that is no prompt ({type(error).__name__}: {error}); each is JSON with"
            " question_id, category and turns."
        ) from error
    available = sorted({prompt.category for prompt in prompts})
    if strange := sorted(set(categories) - set(available)):
        raise LogitSpecError(
            f"{path} has no category {strange[0]!r}; choose from {', '.join(available)}."
        )
    if not prompts:
        raise LogitSpecError(f"There is no prompt in {path}.")
    return [prompt for prompt in prompts if not categories or prompt.category in categories]


def _prompt(row: dict[str, Any]) -> Prompt:
    first, *later = row["turns"]
    return Prompt(row["question_id"], row["category"], row.get("title", ""), first, tuple(later))
