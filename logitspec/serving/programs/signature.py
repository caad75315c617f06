"""What a tool takes, as a JSON schema, and the check of what a program gives it: both from its signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import Parameter, cleandoc, signature
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from logitspec.errors import LogitSpecError
from logitspec.serving.programs.tools import Tools

Tool = Callable[..., Awaitable[Any]]
"""A method of `Tools`: a caller, then what its schema has."""


class Signature:
    """Of a tool. title: its name for people. about: what it is for, in a paragraph."""

    def __init__(self, tool: Tool) -> None:
        hints = get_type_hints(tool, include_extras=True)
        fields: dict[str, Any] = {
            name: (hints[name], ... if each.default is Parameter.empty else each.default)
            for name, each in list(signature(tool).parameters.items())[1:]
        }
        forbid = ConfigDict(extra="forbid")
        self._model: type[BaseModel] = create_model(tool.__name__, __config__=forbid, **fields)
        self._result: type[Any] = hints["return"]
        self.name = tool.__name__
        self.title = self.name.replace("_", " ").capitalize()
        self.about = " ".join(cleandoc(tool.__doc__ or "").split())

    def kinds(self) -> dict[str, Any]:
        """The types of what it takes, by name."""
        return {name: each.annotation for name, each in self._model.model_fields.items()}

    def taken(self) -> dict[str, Any]:
        """The JSON schema of what it takes."""
        return _plain(self._model.model_json_schema())

    def answered(self) -> dict[str, Any]:
        """The JSON schema of what it answers."""
        return _plain(TypeAdapter(self._result).json_schema())

    def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """The values that the tool is called with; LogitSpecError, one sentence, for others."""
        try:
            values = self._model.model_validate(given)
        except ValidationError as error:
            raise LogitSpecError(self._words(error)) from None
        return {name: getattr(values, name) for name in self._model.model_fields}

    def _words(self, error: ValidationError) -> str:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:80]
        names = ", ".join(self._model.model_fields)
        if first["type"] == "missing":
            return f"{self.name} needs {place}; it takes {names}."
        if first["type"] == "extra_forbidden":
            return f"{self.name} takes no {place}; it takes {names}."
        return f"{place} can't be used: {first['msg'][:1].lower()}{first['msg'][1:]}; got {first['input']!r:.80}."


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of names, which say nothing new, and tokens of a model's context."""
    schema.pop("title", None)
    for each in schema.get("properties", {}).values():
        each.pop("title", None)
    for each in schema.get("$defs", {}).values():
        _plain(each)
    return schema


def signatures(tools: Tools) -> dict[str, tuple[Tool, Signature]]:
    """All tools by name."""
    names = [name for name in vars(type(tools)) if not name.startswith("_")]
    return {name: (getattr(tools, name), Signature(getattr(tools, name))) for name in names}
