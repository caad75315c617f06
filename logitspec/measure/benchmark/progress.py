"""The progress of a measurement: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from tqdm import tqdm

SECONDS = 30  # at least, between two lines
LINE = "{desc}: {n_fmt} of {total_fmt} rounds ({percentage:.0f} %), {elapsed} so far, about {remaining} left"


class Lines:
    """A stream for tqdm that writes each state on a new line, where tqdm would overwrite the last one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        if line := text.strip():
            self.stream.write(line + "\n")

    def flush(self) -> None:
        self.stream.flush()


def progress(start: int, total: int, quiet: bool = False) -> Any:
    """tqdm over `total` rounds of which `start` are complete: a bar if standard error is a terminal, else a line
    now and after later rounds, at least `SECONDS` apart. The time left is estimated from the mean of all rounds."""
    shared = {
        "desc": "measure", "initial": start, "total": total, "smoothing": 0, "disable": quiet,
    }  # fmt: skip
    if sys.stderr.isatty():
        return tqdm(unit=" rounds", **shared)
    return tqdm(file=Lines(sys.stderr), mininterval=SECONDS, miniters=1, bar_format=LINE, **shared)
