"""JSON schemas of a tool's parameters and result, and the check of its arguments, all from its Python signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import Parameter, cleandoc, signature
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from logitspec.errors import LogitSpecError
from logitspec.serving.programs.tools import Tools

Tool = Callable[..., Awaitable[Any]]
"""A method of `Tools`: it takes a caller, then the parameters of its schema."""


class Signature:
    """The signature of a tool. title: its name for people. about: its purpose, in a paragraph."""

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

    def types(self) -> dict[str, Any]:
        """The types of the parameters, by name."""
        return {name: each.annotation for name, each in self._model.model_fields.items()}

    def input_schema(self) -> dict[str, Any]:
        """The JSON schema of the parameters."""
        return _without_titles(self._model.model_json_schema())

    def output_schema(self) -> dict[str, Any]:
        """The JSON schema of the result."""
        return _without_titles(TypeAdapter(self._result).json_schema())

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments, with defaults for those left out; LogitSpecError, one sentence, for values that don't fit."""
        try:
            values = self._model.model_validate(arguments)
        except ValidationError as error:
            raise LogitSpecError(self._sentence(error)) from None
        return {name: getattr(values, name) for name in self._model.model_fields}

    def _sentence(self, error: ValidationError) -> str:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:80]
        names = ", ".join(self._model.model_fields)
        if first["type"] == "missing":
            return f"{self.name} needs {place}; it takes {names}."
        if first["type"] == "extra_forbidden":
            return f"{self.name} takes no {place}; it takes {names}."
        return f"{place} can't be used: {first['msg'][:1].lower()}{first['msg'][1:]}; got {first['input']!r:.80}."


def _without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without pydantic's titles, which repeat the names at the cost of a model's context."""
    schema.pop("title", None)
    for each in schema.get("properties", {}).values():
        each.pop("title", None)
    for each in schema.get("$defs", {}).values():
        _without_titles(each)
    return schema


def signatures(tools: Tools) -> dict[str, tuple[Tool, Signature]]:
    """The public methods of `tools` and their signatures, by name."""
    names = [name for name in vars(type(tools)) if not name.startswith("_")]
    return {name: (getattr(tools, name), Signature(getattr(tools, name))) for name in names}
