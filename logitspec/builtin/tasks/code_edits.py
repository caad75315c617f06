"""Edits of small Python functions, each with three ways to ask for it.

A rename or a changed number applies to every whole-word occurrence, docstring included.
An edit is its request, the line that opens the answer and the new function, or None if it does
not apply. That line repeats the old and the new name, so that the model finds them close by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from logitspec.builtin.tasks.code_names import (
    HELPERS,
    LOOPS,
    OPTIONS,
    POOLS,
    RESULTS,
    Function,
    fresh_name,
    words_of,
)
from logitspec.builtin.words import Words

_EMPTY = {
    "int": ["0", "-1", "1"],
    "float": ["0.0", "1.0"],
    "str": ['""', '"none"', '"-"'],
    "bool": ["False", "True"],
    "list": ["[]"],
    "dict": ["{}"],
    "set": ["set()"],
    "tuple": ["([], [])"],
}
_DEFAULTS = ["None", "0", "1", "True", "False", "10", '"main"', "100", '""']
Edit: TypeAlias = "tuple[str, str, Function] | None"


def _roles(function: Function) -> dict[str, str]:
    """The word that a request uses for each name in the function."""
    kinds = {"f": "function", "a": "parameter", "c": "parameter", "o": "parameter"}
    return {key: kinds.get(key, "variable") for key in function.names}


def _fresh(w: Words, function: Function, key: str) -> str:
    pools = {"f": ["compute", "run", "process", "handle", "work_on", "solve"], "t": RESULTS}
    pools |= {"b": LOOPS, "d": LOOPS, "u": HELPERS, "o": OPTIONS}
    parameters, _ = POOLS[function.template.types[0]]
    return fresh_name(w, pools.get(key, parameters), words_of(function), may_describe=key in "act")


def _rename(w: Words, function: Function, style: int) -> Edit:
    key = w.pick(list(function.names))
    what, old, new = _roles(function)[key], function.names[key], _fresh(w, function, key)
    ask = [
        f"Rename the {what} {old} to {new}.",
        f"Rename the {what} `{old}` to `{new}`.",
        f"Call the {what} {new} instead of {old}.",
    ][style]
    opening = f"Here `{old}` is now called `{new}`:"
    return ask, opening, replace(function, names={**function.names, key: new})


def _parameter(w: Words, function: Function, style: int) -> Edit:
    if function.option:
        return None
    new, default = fresh_name(w, OPTIONS, words_of(function)), w.pick(_DEFAULTS)
    ask = [
        f"Add a parameter {new} with the default value {default}.",
        f"Add the parameter `{new}` with default `{default}`.",
        f"Let it take one more parameter, {new}={default}.",
    ][style]
    opening = f"Here it is with the parameter `{new}={default}`:"
    return (
        ask,
        opening,
        replace(function, option=new, default=default, names={**function.names, "o": new}),
    )


def docstring(w: Words, function: Function, style: int) -> Edit:
    """Adds the docstring."""
    if function.doc or function.signs or function.factor:
        return None
    ask = [
        f'Add the docstring "{function.docstring()}"',
        f"Add a docstring: {function.docstring()}",
        f"Add a docstring that says what it does. It {function.description()}.",
    ][style]
    opening = "Here it is with a docstring:"
    return ask, opening, replace(function, doc=True)


def hints(w: Words, function: Function, style: int) -> Edit:
    """Adds type hints."""
    if function.hints or function.guard == "None":
        return None
    parameters, returns = function.typed_parameters(), function.template.returns
    ask = [
        f"Add type hints: {', '.join(parameters)} and -> {returns}.",
        f"Add the type hints {', '.join(f'`{hint}`' for hint in parameters)} and `-> {returns}`.",
        f"Annotate it with {', '.join(parameters)} and the return type {returns}.",
    ][style]
    opening = "Here it is with type hints:"
    return ask, opening, replace(function, hints=True)


def guard(w: Words, function: Function, style: int) -> Edit:
    """Adds a return at the top for an empty or negative first parameter."""
    if function.guard:
        return None
    if w.chance(0.25) and not function.hints:
        value = "None"
    else:
        value = w.pick(_EMPTY[re.split(r"\[", function.template.returns)[0]])
    state = "negative" if function.template.types[0] == "int" else "empty"
    first = function.names["a"]
    ask = [
        f"At the top, return {value} if {first} is {state}.",
        f"Add a guard at the top: return `{value}` if `{first}` is {state}.",
        f"If {first} is {state}, return {value} right away.",
    ][style]
    opening = f"Here it returns `{value}` if `{first}` is {state}:"
    return ask, opening, replace(function, guard=value)


def _number(w: Words, function: Function, style: int) -> Edit:
    keys = [key for key in "nm" if f"${key}" in function.template.body]
    if not keys:
        return None
    key = w.pick(keys)
    old, new = function.numbers[key], w.number(2, 99)
    numbers = {**function.numbers, key: new}
    code = re.findall(r"\b\d+\b", function.source())
    unambiguous = code.count(str(old)) == len(re.findall(rf"\${key}\b", function.template.body)) + (
        function.doc and f"${key}" in function.template.purpose
    )
    if not unambiguous or str(new) in code:
        return None
    if len(keys) == 2 and numbers["n"] >= numbers["m"]:
        return None
    ask = [
        f"Change the number {old} to {new}.",
        f"Replace `{old}` by `{new}`.",
        f"Use {new} instead of {old}.",
    ][style]
    opening = f"Here `{old}` is now `{new}`:"
    return ask, opening, replace(function, numbers=numbers)


def _sign(w: Words, function: Function, style: int) -> Edit:
    opposites = {">": ">=", "<": "<=", ">=": ">", "<=": "<", "+=": "-=", "==": "!="}
    body = function.body()
    # A docstring would no longer be true, and a while loop might no longer end.
    signs = [sign for sign in opposites if body.count(f" {sign} ") == 1]
    if function.doc or function.guard or function.signs or not signs or "while" in body:
        return None
    sign = w.pick(signs)
    (old,) = (line.strip() for line in body.split("\n") if f" {sign} " in line)
    new = old.replace(f" {sign} ", f" {opposites[sign]} ")
    ask = [
        f"Change the line {old} to {new}",
        f"Replace the line `{old}` by `{new}`",
        f"Write `{new}` instead of `{old}`",
    ][style]
    opening = f"Here the line is now `{new}`:"
    return ask, opening, replace(function, signs={sign: opposites[sign]})


def _print(w: Words, function: Function, style: int) -> Edit:
    last = function.template.body.split("\n")[-1]
    if function.prints or last != "    return $t":
        return None
    name = function.names["t"]
    ask = [
        f"Print {name} before the last return.",
        f"Add `print({name})` before the last line.",
        f"Let it print {name} before it returns {name}.",
    ][style]
    opening = f"Here it prints `{name}` first:"
    return ask, opening, replace(function, prints=True)


def _result(w: Words, function: Function, style: int) -> Edit:
    last = function.template.body.split("\n")[-1]
    if (
        function.factor
        or function.doc
        or function.template.returns != "int"
        or last != "    return $t"
    ):
        return None
    name, factor = function.names["t"], f" {w.pick(['*', '+', '-'])} {w.number(2, 99)}"
    ask = [
        f"Return {name}{factor} instead of {name}.",
        f"Change the last line to `return {name}{factor}`.",
        f"At the end, return {name}{factor}.",
    ][style]
    opening = f"Here it returns `{name}{factor}`:"
    return ask, opening, replace(function, factor=factor)


KINDS: list[Callable[[Words, Function, int], Edit]] = [
    _rename, _parameter, docstring, hints, guard, _number, _sign, _print, _result,
]  # fmt: skip
# Renames, parameters and docstrings come more often than the rest.
EDITS = [*KINDS, _rename, _rename, _parameter, docstring]
STYLES = [0, 1, 2]
