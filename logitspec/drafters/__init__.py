"""Methods: one drafter per file, found by the registry (README.md in this folder says how to add one)."""

from __future__ import annotations

from logitspec.drafters.base import Drafter
from logitspec.drafters.options import describe, option, option_fields
from logitspec.drafters.registry import DEFAULT_METHOD, METHODS, import_methods, make, register

import_methods(__name__, __path__)

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "Drafter",
    "describe",
    "make",
    "option",
    "option_fields",
    "register",
]
