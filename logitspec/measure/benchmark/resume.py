"""Resuming a measurement from its file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.runs import Contender, Part
from logitspec.trace.records import dumps

# The parts of the environment that make counts of two sittings comparable, and those that make times so.
COUNTS = ("id", "revision", "dtype", "device", "forward", "torch", "transformers", "logitspec")
TIMES = ("cpu", "threads", "python")


def resume(path: str | Path, about: dict[str, Any], contenders: Sequence[Contender]) -> Part:
    """The measurements in a file; none if it is empty.

    Raises LogitSpecError if the file is not of a benchmark, or of settings other than `about` (request
    and environment) and `contenders`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        if not text.strip():
            return Part()
        document = json.loads(text)
        part = Part.from_json(document)
        theirs = _settings(document, document["methods"])
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LogitSpecError(
            f"{path} was not written by `benchmark --json` ({type(error).__name__}: {error});"
            " measure again with --json."
        ) from error
    ours = _settings(about, [{"title": each.title} for each in contenders])
    for name in {**ours, **theirs}:
        if ours.get(name) != theirs.get(name):
            raise LogitSpecError(
                f"{path} was measured with another {name} ({theirs.get(name)}, now {ours.get(name)});"
                " give the same settings, or measure again with --json."
            )
    return part


def _settings(about: dict[str, Any], methods: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The settings by name, as JSON values; how a forward runs is without the reason."""
    same = COUNTS if about["request"].get("untimed") else COUNTS + TIMES
    environment = {name: about["environment"].get(name) for name in same}
    environment["forward"] = str(environment["forward"]).partition(":")[0]
    titles = [each["title"] for each in methods]
    settings: dict[str, Any] = json.loads(
        dumps({**about["request"], "methods": titles, **environment})
    )
    return settings
