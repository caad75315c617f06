"""Options of methods: dataclass fields that describe and check themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any

from logitspec.errors import LogitSpecError

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def option(
    default: Any,
    text: str,
    low: Any = None,
    high: Any = None,
    unit: str = "",
    choices: Sequence[Any] = (),
) -> Any:
    """A dataclass field that describes itself: help text, inclusive bounds and unit, or choices.

    If the default is a tuple, the value is a list of some of the choices.
    """
    about = {"help": text, "low": low, "high": high, "unit": unit, "choices": tuple(choices)}
    return field(default=default, metadata=about)


def option_fields(method: type[Any]) -> list[Field[Any]]:
    """The options of a method in the order of their declaration."""
    return [each for each in fields(method) if each.init and each.default is not MISSING]


def describe(option: Field[Any]) -> str:
    """What an option is, with its bounds and unit, for help texts."""
    about = option.metadata
    if about["choices"]:
        return f"{about['help']} ({', '.join(map(str, about['choices']))})"
    if about["low"] is None:
        return str(about["help"])
    return f"{about['help']} ({about['low']} to {about['high']} {about['unit']})".replace(" )", ")")


def check(option: Field[Any], value: Any) -> None:
    """Raise LogitSpecError unless `value` has the option's type and lies within its bounds."""
    choices = option.metadata.get("choices", ())
    if isinstance(option.default, tuple):
        _check_several(option.name, choices, value)
        return
    if choices and (isinstance(value, bool) or value not in choices):
        named = ", ".join(map(str, choices))
        raise LogitSpecError(f"{option.name} must be one of {named}; got {value!r}.")
    wanted = type(option.default)
    low, high, unit = (option.metadata.get(key) for key in ("low", "high", "unit"))
    accepted = (int, float) if wanted is float else wanted
    right_type = isinstance(value, accepted) and isinstance(value, bool) == (wanted is bool)
    if not right_type or (low is not None and not low <= value <= high):
        bounds = "" if low is None else f" from {low} to {high}"
        raise LogitSpecError(
            f"{option.name} must be {_KINDS.get(wanted, wanted.__name__)}{bounds}"
            f"{' ' + unit if unit else ''}; got {value!r}."
        )


def _check_several(name: str, choices: Sequence[Any], value: Any) -> None:
    several = isinstance(value, (list, tuple)) and value
    kinds = set(map(type, choices))  # 3.0 and True are equal to a choice and can't take its place
    if not several or any(type(each) not in kinds or each not in choices for each in value):
        named = ", ".join(map(str, choices))
        raise LogitSpecError(f"{name} must be a list of some of {named}; got {value!r}.")
