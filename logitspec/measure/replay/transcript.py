"""Transcripts, each with a model's output for one prompt and its top-k after every token, and their file."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logitspec import files
from logitspec.errors import LogitSpecError
from logitspec.trace.records import dumps
from logitspec.trace.results import TopK

KIND, SCHEMA = "recording", 1  # in files
UNKNOWN = -1  # the choice after a token whose logits are unknown; no token has this id


@dataclass(frozen=True, slots=True)
class Transcript:
    """The greedy output for one prompt, and the top-k after every token.

    model: as in traces. max_new_tokens, finish: of the recorded run. after: the model's choice after
    the last of `output_ids`. topk: one after each of `prompt_ids` (few ranks, many for the last) and
    `output_ids` (many ranks): [prompt + output].
    """

    question_id: int
    category: str
    model: dict[str, Any]
    eos_ids: list[int]
    limit: int
    max_new_tokens: int
    prompt_ids: list[int]
    output_ids: list[int]
    after: int
    finish: str
    topk: list[TopK]

    def to_json(self) -> str:
        """One line of JSON."""
        names = [name for name in self.__slots__ if name != "topk"]
        ids, probs = [top.ids for top in self.topk], [top.probs for top in self.topk]
        rest = {name: getattr(self, name) for name in names}
        return dumps({"kind": KIND, "schema": SCHEMA, **rest, "ids": ids, "probs": probs})

    @classmethod
    def from_json(cls, text: str) -> Transcript:
        """The transcript in `text`, a line of JSON; LogitSpecError when it is not one, or of another schema."""
        try:
            data = json.loads(text)
            if (data.pop("kind"), data.pop("schema")) != (KIND, SCHEMA):
                raise LogitSpecError(f"expected transcripts of schema {SCHEMA}")
            rows = zip(data.pop("ids"), data.pop("probs"), strict=True)
            transcript = cls(**data, topk=[TopK(*row) for row in rows])
            if len(transcript.topk) != len(transcript.prompt_ids) + len(transcript.output_ids):
                raise LogitSpecError("without a top-k after each token")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LogitSpecError(
                f"A line is not a transcript ({error}); make the file with"
                " `python -m logitspec replay record`."
            ) from error
        return transcript


def save(transcripts: Iterable[Transcript], path: str | Path) -> None:
    """Write JSON lines, gzipped. An exception that ends the transcripts early, such as an interrupt, is raised again
    once a file with those before it is written; if there are none, no file is."""
    interruption: BaseException | None = None
    # Without name and time, so that the same transcripts give the same file.
    with (
        files.writing(path) as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as lines,
    ):
        remaining, empty = iter(transcripts), True
        while True:
            try:
                transcript = next(remaining)
            except StopIteration:
                break
            except BaseException as error:
                if empty:
                    raise
                interruption = error
                break
            lines.write(transcript.to_json() + "\n")
            empty = False
    if interruption is not None:
        raise interruption


def check_readable(paths: Iterable[str | Path]) -> None:
    """Raise LogitSpecError for a file that can't be opened, before hours are spent on the others."""
    for path in paths:
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise LogitSpecError(
                f"Can't read transcripts from {path} ({error.strerror})."
            ) from error


def read(path: str | Path) -> Iterator[Transcript]:
    """The transcripts in a file that `save` wrote, one at a time, since hundreds would fill the memory.

    Raises LogitSpecError for a file that can't be read, or has no transcript.
    """
    empty = True
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield Transcript.from_json(line)
                empty = False
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise LogitSpecError(f"Can't read transcripts from {path} ({why}).") from error
    if empty:
        raise LogitSpecError(f"There is no transcript in {path}; record again.")
