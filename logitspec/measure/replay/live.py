"""Recorded prompts on the model itself, where the logits of rejected nodes are heard, too."""

from __future__ import annotations

from functools import cache
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.recording import Recording
from logitspec.trace.records import Trace


def recorded_model(recording: Recording, model: str) -> Target:
    """`model` (as for `load`), which must be the recorded one: it is loaded once, in the recorded
    dtype. Raises LogitSpecError for another."""
    target = _loaded(model, str(recording.model.get("dtype", "auto")))
    wanted, there = recording.model.get("id"), target.info["id"]
    if wanted != there:
        raise LogitSpecError(
            f"The recordings are of {wanted} and the model is {there};"
            " give the model that was recorded, or record again."
        )
    return target


def lived(recording: Recording, model: str, method: str, **options: Any) -> Trace:
    """The trace of `method` with `options` on a recorded prompt, greedy, by `model` itself."""
    target = recorded_model(recording, model)
    return complete(
        target,
        begin(target, recording.prompt_ids, method, recording.max_new_tokens, options=options),
    )


@cache
def _loaded(model: str, dtype: str) -> Target:
    from logitspec.models.loader import load  # replays want none of the heavy packages

    target: Target = load(model, dtype=dtype)[0]
    return target
