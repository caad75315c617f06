"""Resuming a measurement from its file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.runs import Contender, Part
from logitspec.trace.records import dumps

# The parts of the environment that make counts of two sittings comparable, and those that make times so.
COUNTS = ("id", "revision", "dtype", "device", "forward", "torch", "transformers", "logitspec")
TIMES = ("cpu", "threads", "python")


def resume(
    path: str | Path, about: dict[str, Any], contenders: Sequence[Contender], out: str | Path
) -> Part:
    """The measurements in a file, which go on in the file `out`; none if it is empty. A measurement without
    times takes the counts of a timed one, of its own contenders.

    Raises LogitSpecError if the file is not of a benchmark, or of settings other than `about` (request
    and environment) and `contenders`, or if times would be lost.
    """
    wanted = [each.title for each in contenders]
    ours = _settings(about, wanted)
    try:
        text = Path(path).read_text(encoding="utf-8")
        if not text.strip():
            return Part()
        document = json.loads(text)
        part = Part.from_json(document)
        titles = [each["title"] for each in document["methods"]]
        drop_times = "untimed" in about["request"] and "untimed" not in document["request"]
        if drop_times:
            document["request"]["untimed"] = True
            titles = [title for title in wanted if title in titles]
            part = _counts(part, wanted)
        theirs = _settings(document, titles)
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LogitSpecError(
            f"{path} was not written by `benchmark --json` ({type(error).__name__}: {error});"
            " measure again with --json."
        ) from error
    if drop_times and Path(path).resolve() == Path(out).resolve():
        raise LogitSpecError(f"{path} has times; name another file with --json to keep them.")
    for name in {**ours, **theirs}:
        if ours.get(name) != theirs.get(name):
            raise LogitSpecError(
                f"{path} was measured with another {name} ({theirs.get(name)}, now {ours.get(name)});"
                " give the same settings, or measure again with --json."
            )
    return part


def _counts(part: Part, titles: Sequence[str]) -> Part:
    """The part without its times, and without methods other than `titles`."""
    return Part(
        [
            replace(
                each, timed_tokens=0, prefill_seconds=0.0, decode_seconds=0.0, forward_seconds=None
            )
            for each in part.measurements
            if each.method in titles
        ],
        [each for each in part.divergences if each.method in titles],
        part.left_out,
    )


def _settings(about: dict[str, Any], titles: Sequence[str]) -> dict[str, Any]:
    """The settings by name, as JSON values; how a forward runs is without the reason."""
    same = COUNTS if about["request"].get("untimed") else COUNTS + TIMES
    environment = {name: about["environment"].get(name) for name in same}
    environment["forward"] = str(environment["forward"]).partition(":")[0]
    settings: dict[str, Any] = json.loads(
        dumps({**about["request"], "methods": list(titles), **environment})
    )
    return settings
