"""The shipped example prompts, and the runs of them that were recorded to be replayed at once."""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from logitspec.paths import ASSETS

EXAMPLES = ASSETS / "prompts" / "examples.jsonl"
TRACES = ASSETS / "traces"
RACES = ASSETS / "races"

FEATURED = 18  # shows copies and runners-up, both accepted and rejected, within its first steps


@dataclass(frozen=True, slots=True)
class Example:
    """One line of the shipped prompts; `prompt` is its first turn, `later` are those after it."""

    question_id: int
    category: str
    title: str
    prompt: str
    later: tuple[str, ...] = ()

    @property
    def run(self) -> str:
        """The name of its recorded run, the same wherever the app runs, so that links last."""
        return f"recorded-{self.question_id}"


@cache
def examples() -> tuple[Example, ...]:
    """The shipped prompts in their order."""
    lines = map(json.loads, EXAMPLES.read_text(encoding="utf-8").splitlines())
    return tuple(
        Example(line["question_id"], line["category"], line["title"], line["turns"][0])
        for line in lines
    )


def recorded(run: str, folder: Path = TRACES) -> str | None:
    """The trace of the recorded run named `run` as JSON, or of RACES the race; None where there is none."""
    for example in examples():
        path = file_of(example, folder)
        if example.run == run and path.is_file():
            return gzip.decompress(path.read_bytes()).decode()
    return None


def file_of(example: Example, folder: Path = TRACES) -> Path:
    """Where the recorded run of `example` is kept."""
    return folder / f"{example.question_id}.json.gz"


def featured(folder: Path = TRACES) -> Example | None:
    """The example that the page begins with, to be replayed; None where none has been recorded."""
    kept = [example for example in examples() if file_of(example, folder).is_file()]
    return min(kept, key=lambda example: example.question_id != FEATURED, default=None)


def to_play(trace: str) -> str:
    """The message that plays a trace from its start, also when it has just been played."""
    return f'{{"autoplay":true,"id":"{secrets.token_hex(4)}",{trace[1:]}'
