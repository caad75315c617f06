"""A transcript: what a model wrote for one prompt, and what it put after every token; and its file."""

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
UNKNOWN = -1  # the choice after a token whose logits nobody has; no token has this id


@dataclass(frozen=True, slots=True)
class Transcript:
    """The greedy output of one prompt, and what the model put after every token.

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
        """The transcript in `text`; LogitSpecError when it is none, or one of another schema."""
        try:
            data = json.loads(text)
            if (data.pop("kind"), data.pop("schema")) != (KIND, SCHEMA):
                raise LogitSpecError(f"of another kind than transcripts of schema {SCHEMA}")
            rows = zip(data.pop("ids"), data.pop("probs"), strict=True)
            transcript = cls(**data, topk=[TopK(*row) for row in rows])
            if len(transcript.topk) != len(transcript.prompt_ids) + len(transcript.output_ids):
                raise LogitSpecError("without a top-k after each token")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LogitSpecError(
                f"A line is no transcript ({error}); make the file with"
                " `python -m logitspec replay record`."
            ) from error
        return transcript


def save(transcripts: Iterable[Transcript], path: str | Path) -> None:
    """Write JSON lines, gzipped. What ends the transcripts early, an interrupt for one, leaves a file with those
    that came, if any did."""
    end: BaseException | None = None
    # Without name and time, so that the same transcripts give the same file.
    with (
        files.writing(path) as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as lines,
    ):
        coming, empty = iter(transcripts), True
        while True:
            try:
                transcript = next(coming)
            except StopIteration:
                break
            except BaseException as error:
                if empty:
                    raise
                end = error
                break
            lines.write(transcript.to_json() + "\n")
            empty = False
    if end is not None:
        raise end


def check(paths: Iterable[str | Path]) -> None:
    """LogitSpecError for a file that can't be opened: better now than after the others' hours."""
    for path in paths:
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise LogitSpecError(
                f"Can't read transcripts from {path} ({error.strerror})."
            ) from error


def read(path: str | Path) -> Iterator[Transcript]:
    """The transcripts in a file of `save`, one at a time: hundreds would fill the memory."""
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
