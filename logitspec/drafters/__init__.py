"""Methods: one drafter a file, registered by name in `METHODS`."""

from __future__ import annotations

from logitspec.drafters import (  # noqa: F401
    autoregressive,
    logitspec,
    logitspec_paper,
    prompt_lookup,
    suffix_automaton,
    token_recycling,
)
from logitspec.drafters.base import (
    METHODS,
    Drafter,
    described,
    make,
    option,
    option_fields,
    register,
)

DEFAULT_METHOD = "logitspec"

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "Drafter",
    "described",
    "make",
    "option",
    "option_fields",
    "register",
]
