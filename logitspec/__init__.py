"""LogitSpec: training-free speculative decoding, and a trace of every step it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logitspec.drafters import METHODS
from logitspec.engine import decode
from logitspec.errors import LogitSpecError
from logitspec.target import ForwardResult, Sampling, TopK
from logitspec.trace import StepRecord, Trace
from logitspec.tree import DraftTree, Origin, Provenance, accept

if TYPE_CHECKING:
    from logitspec.generation import custom_generate
    from logitspec.models import load

__all__ = [
    "METHODS",
    "DraftTree",
    "ForwardResult",
    "LogitSpecError",
    "Origin",
    "Provenance",
    "Sampling",
    "StepRecord",
    "TopK",
    "Trace",
    "accept",
    "custom_generate",
    "decode",
    "load",
]


def __getattr__(name: str) -> Any:
    if name == "load":  # drafters, trees and traces work where no torch is installed
        from logitspec.models import load

        return load
    if name == "custom_generate":
        from logitspec.generation import custom_generate

        return custom_generate
    raise AttributeError(f"module 'logitspec' has no attribute {name!r}")
