"""The methods by name: each module in this folder that registers a drafter adds one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from logitspec.drafters.base import Drafter
from logitspec.drafters.options import option_fields
from logitspec.errors import LogitSpecError

METHODS: dict[str, type[Drafter]] = {}
DEFAULT_METHOD = "logitspec"

_D = TypeVar("_D", bound=type[Drafter])


def register(drafter: _D) -> _D:
    """Class decorator: make the method available under its name."""
    METHODS[drafter.name] = drafter
    return drafter


def import_methods(package: str, folder: list[str]) -> None:
    """Import every module in `folder`, so that the methods there register."""
    for module in iter_modules(folder, f"{package}."):
        import_module(module.name)


def make(method: str, options: Mapping[str, Any]) -> Drafter:
    """The drafter `method` with `options`; LogitSpecError for an unknown method or option."""
    if method not in METHODS:
        raise LogitSpecError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
    known = [each.name for each in option_fields(METHODS[method])]
    if unknown := [name for name in options if name not in known]:
        offer = f"it has {', '.join(known)}" if known else "it has none"
        raise LogitSpecError(f"{method} has no option {unknown[0]!r}; {offer}.")
    return METHODS[method](**options)
