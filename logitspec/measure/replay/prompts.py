"""Prompt files: JSON lines in Spec-Bench's form."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.publish.recordings import EXAMPLES, Example


def prompts_in(path: str | Path = EXAMPLES, categories: Collection[str] = ()) -> list[Example]:
    """The questions of a JSON-lines file in Spec-Bench's form, of `categories` or of all."""
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
    known = sorted({prompt.category for prompt in prompts})
    if strange := sorted(set(categories) - set(known)):
        raise LogitSpecError(
            f"{path} has no category {strange[0]!r}; choose from {', '.join(known)}."
        )
    if not prompts:
        raise LogitSpecError(f"There is no prompt in {path}.")
    return [prompt for prompt in prompts if not categories or prompt.category in categories]


def _prompt(row: dict[str, Any]) -> Example:
    first, *later = row["turns"]
    return Example(row["question_id"], row["category"], row.get("title", ""), first, tuple(later))
