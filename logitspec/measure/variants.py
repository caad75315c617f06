"""A method with options, as it is named on a command line and in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from logitspec.drafters import METHODS, make, option_fields
from logitspec.errors import LogitSpecError


@dataclass(frozen=True, slots=True)
class Variant:
    """A method and those of its options that are not as by default."""

    method: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " ".join([self.method, *(f"{name}={value}" for name, value in self.options.items())])


def parse_variant(method: str, pairs: Sequence[str]) -> Variant:
    """The method with options of the form "name=value"; LogitSpecError for an unknown method or option,
    or a value that the option doesn't take."""
    fields = option_fields(METHODS[method]) if method in METHODS else []
    kinds = {each.name: type(each.default) for each in fields}
    options = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise LogitSpecError(f"An option wants name=value; got {pair!r}.")
        options[name] = _value(kinds.get(name, str), text)
    make(method, options)  # which checks the values
    return Variant(method, options)


def _value(kind: type, text: str) -> Any:
    """`text` as `kind`, or unchanged where it is none: the method says best what it wants."""
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text
