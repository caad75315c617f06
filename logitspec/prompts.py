"""Prompt files (JSON lines in Spec-Bench's format), and those whose prompts the page offers."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS

EXAMPLES = ASSETS / "prompts" / "examples.jsonl"
TYPED = ASSETS / "prompts" / "typed.jsonl"
FORM = "a prompt is a JSON object with question_id, category and turns"
OVERALL = "overall"  # in figures: all categories together
# In the row of a table these would end the line or command the terminal; half a character can't be printed.
UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line of a file: `text` is its first turn, `later` the turns after it."""

    question_id: int
    category: str
    title: str
    text: str
    later: tuple[str, ...] = ()


@cache
def examples() -> tuple[Prompt, ...]:
    """The prompts in the built-in model's own wording, in the order of their file."""
    return tuple(read_prompts(EXAMPLES))


@cache
def typed() -> tuple[Prompt, ...]:
    """Free-form prompts of the kinds that people type, one per kind; nothing was tuned on them."""
    return tuple(read_prompts(TYPED))


def read_prompts(path: str | Path = EXAMPLES, categories: Collection[str] = ()) -> list[Prompt]:
    """The prompts of a file, of `categories` or of all; raises LogitSpecError where there are none."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise LogitSpecError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    except ValueError as error:  # a null byte
        raise LogitSpecError(f"Can't read {str(path)!r} (it is not a path).") from error
    # Not splitlines: a JSON string may hold other characters that Unicode counts as line ends.
    lines = enumerate(text.split("\n"), 1)
    prompts = [_prompt(line, f"{path}, line {number},") for number, line in lines if line.strip()]
    if not prompts:
        raise LogitSpecError(f"There is no prompt in {path}.")
    return in_categories(prompts, categories, str(path))


def refuse_empty(text: str) -> None:
    """Raise LogitSpecError for a prompt without a word, whatever the model."""
    if not text.strip():
        raise LogitSpecError("The prompt is empty; write something for the model to continue.")


def in_categories(
    prompts: Sequence[Prompt], categories: Collection[str], place: str
) -> list[Prompt]:
    """The prompts of `categories`, or all; LogitSpecError, which names the `place` of the prompts, for a category
    that has none."""
    available = sorted({prompt.category for prompt in prompts})
    if strange := sorted(set(categories) - set(available)):
        raise LogitSpecError(
            f"{place} has no category {strange[0]!r}; choose from {', '.join(available)}."
        )
    return [prompt for prompt in prompts if not categories or prompt.category in categories]


def _prompt(line: str, place: str) -> Prompt:
    """The prompt in a line of JSON. place: where the line is, for error messages."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LogitSpecError(f"{place} is not JSON ({error}); {FORM} on one line.") from error
    if not isinstance(row, dict):
        raise LogitSpecError(f"{place} is not a prompt; {FORM} on one line.")
    number, category, turns = (row.get(name) for name in ("question_id", "category", "turns"))
    title = row.get("title", "")
    if not isinstance(number, int) or isinstance(number, bool):
        raise LogitSpecError(f"{place} is not a prompt: question_id must be a whole number.")
    if not isinstance(category, str) or not isinstance(title, str):
        name = "title" if isinstance(category, str) else "category"
        raise LogitSpecError(f"{place} is not a prompt: {name} must be a string.")
    if category == OVERALL or UNPRINTABLE.search(category):
        why = "stands for all of them" if category == OVERALL else "can't be printed on one line"
        raise LogitSpecError(
            f"{place} is not a prompt: the category {category!r} {why}; rename it."
        )
    if not isinstance(turns, list) or not turns or not all(isinstance(each, str) for each in turns):
        raise LogitSpecError(
            f"{place} is not a prompt: turns must be a list of one or more strings."
        )
    if not all(each.strip() for each in turns):
        raise LogitSpecError(f"{place} is not a prompt: one of its turns is empty.")
    return Prompt(number, category, title, turns[0], tuple(turns[1:]))
