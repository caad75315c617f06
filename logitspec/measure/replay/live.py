"""Runs of transcripts' prompts on the model itself, which also gives the logits of rejected nodes."""

from __future__ import annotations

from functools import cache
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.transcript import Transcript
from logitspec.trace.records import Trace


def load_model_of(transcript: Transcript, model: str) -> Target:
    """`model` (as for `load`) in the dtype of the transcript; loaded once, whatever the number of calls.

    Raises LogitSpecError when the transcript is of another model.
    """
    target = _load_once(model, str(transcript.model.get("dtype", "auto")))
    recorded_id, model_id = transcript.model.get("id"), target.info["id"]
    if recorded_id != model_id:
        raise LogitSpecError(
            f"The transcripts are of {recorded_id} and the model is {model_id};"
            " give the recorded model, or record again."
        )
    return target


def run_live(transcript: Transcript, model: str, method: str, **options: Any) -> Trace:
    """The trace of `method` with `options` on the prompt of a transcript, greedy, by `model` itself."""
    target = load_model_of(transcript, model)
    return complete(
        target,
        begin(target, transcript.prompt_ids, method, transcript.max_new_tokens, options=options),
    )


@cache
def _load_once(model: str, dtype: str) -> Target:
    from logitspec.models.loader import load  # replays import no torch

    target: Target = load(model, dtype=dtype)[0]
    return target
