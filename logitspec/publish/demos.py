"""Demos: runs and races of the shipped examples, recorded so that the page can replay them at once."""

from __future__ import annotations

import gzip
from pathlib import Path

from logitspec.paths import ASSETS
from logitspec.prompts import Prompt, examples

TRACES = ASSETS / "traces"
RACES = ASSETS / "races"

FEATURED = 18  # shows copies and runners-up, both accepted and rejected, within its first steps


def demo_run(example: Prompt) -> str:
    """The name of the demo's run, the same wherever the app runs, so that links last."""
    return f"recorded-{example.question_id}"


def demo_file(example: Prompt, folder: Path = TRACES) -> Path:
    """Where the demo of `example` is stored."""
    return folder / f"{example.question_id}.json.gz"


def read_demo(run: str, folder: Path = TRACES) -> str | None:
    """The trace of the demo named `run` as JSON, or of RACES the race; None where there is none."""
    for example in examples():
        path = demo_file(example, folder)
        if demo_run(example) == run and path.is_file():
            return gzip.decompress(path.read_bytes()).decode()
    return None


def featured(folder: Path = TRACES) -> Prompt | None:
    """The example whose demo the page opens with; None where there is no demo."""
    recorded = [example for example in examples() if demo_file(example, folder).is_file()]
    return min(recorded, key=lambda example: example.question_id != FEATURED, default=None)
