"""LogitSpec: training-free speculative decoding, and a trace of every step it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logitspec.decoding.engine import decode
from logitspec.decoding.target import Target
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.trace.records import StepRecord, Trace
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import Sampling
from logitspec.trace.tree import DraftTree, Origin, Provenance, accept

if TYPE_CHECKING:
    from logitspec.generation import custom_generate
    from logitspec.models.loader import load

__all__ = [
    "METHODS",
    "DraftTree",
    "ForwardResult",
    "LogitSpecError",
    "Origin",
    "Provenance",
    "Sampling",
    "StepRecord",
    "Target",
    "TopK",
    "Trace",
    "accept",
    "custom_generate",
    "decode",
    "load",
]


def _embed_player(trace: Trace) -> str:
    from logitspec.publish.notebook import embed_player

    return embed_player(trace)


Trace.framed = _embed_player


def __getattr__(name: str) -> Any:
    if name == "load":  # drafters, trees and traces work without torch
        from logitspec.models.loader import load

        return load
    if name == "custom_generate":
        from logitspec.generation import custom_generate

        return custom_generate
    raise AttributeError(f"module 'logitspec' has no attribute {name!r}")
