"""A method with options, as it is named on a command line and in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from logitspec.drafters import METHODS, make, option_fields
from logitspec.errors import LogitSpecError


@dataclass(frozen=True, slots=True)
class Variant:
    """A method and those of its options that differ from their defaults."""

    method: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " ".join([self.method, *(f"{name}={value}" for name, value in self.options.items())])


def parse_variant(method: str, pairs: Sequence[str]) -> Variant:
    """The method with options of the form "name=value", or "name=value+value" for several values;
    LogitSpecError for an unknown method or option, or a value that the option doesn't take."""
    fields = option_fields(METHODS[method]) if method in METHODS else []
    defaults = {each.name: each.default for each in fields}
    options = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise LogitSpecError(f"An option must be name=value; got {pair!r}.")
        options[name] = _value(defaults.get(name, ""), text)
    make(method, options)  # checks the values
    return Variant(method, options)


def _value(default: Any, text: str) -> Any:
    """`text` as the type of `default`, or unchanged if that fails: the method's own error is clearer."""
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(default, tuple):
        return [_value(default[0], part) for part in text.split("+")]
    try:
        return type(default)(text)
    except ValueError:
        return text
