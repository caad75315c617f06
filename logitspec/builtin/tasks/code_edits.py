"""Edits of small Python functions, each with three ways to ask for it.

A rename or a changed number holds for every occurrence as a whole word, docstring included.
An edit is its request, the line that opens the answer and the new function, or None where it does
not apply. That line repeats what is old and new, which is then near where it is needed.
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


def _roles(made: Function) -> dict[str, str]:
    """What each name in the function is called in a request."""
    kinds = {"f": "function", "a": "parameter", "c": "parameter", "o": "parameter"}
    return {key: kinds.get(key, "variable") for key in made.names}


def _fresh(w: Words, made: Function, key: str) -> str:
    pools = {"f": ["compute", "run", "process", "handle", "work_on", "solve"], "t": RESULTS}
    pools |= {"b": LOOPS, "d": LOOPS, "u": HELPERS, "o": OPTIONS}
    parameters, _ = POOLS[made.template.types[0]]
    return fresh_name(w, pools.get(key, parameters), words_of(made), described=key in "act")


def _rename(w: Words, made: Function, style: int) -> Edit:
    key = w.pick(list(made.names))
    what, old, new = _roles(made)[key], made.names[key], _fresh(w, made, key)
    ask = [
        f"Rename the {what} {old} to {new}.",
        f"Rename the {what} `{old}` to `{new}`.",
        f"Call the {what} {new} instead of {old}.",
    ][style]
    done = f"Here `{old}` is now called `{new}`:"
    return ask, done, replace(made, names={**made.names, key: new})


def _parameter(w: Words, made: Function, style: int) -> Edit:
    if made.option:
        return None
    new, default = fresh_name(w, OPTIONS, words_of(made)), w.pick(_DEFAULTS)
    ask = [
        f"Add a parameter {new} with the default value {default}.",
        f"Add the parameter `{new}` with default `{default}`.",
        f"Let it take one more parameter, {new}={default}.",
    ][style]
    done = f"Here it is with the parameter `{new}={default}`:"
    return ask, done, replace(made, option=new, default=default, names={**made.names, "o": new})


def docstring(w: Words, made: Function, style: int) -> Edit:
    """Adds the docstring."""
    if made.doc or made.signs or made.factor:
        return None
    ask = [
        f'Add the docstring "{made.docstring()}"',
        f"Add a docstring: {made.docstring()}",
        f"Add a docstring that says what it does. It {made.says()}.",
    ][style]
    done = "Here it is with a docstring:"
    return ask, done, replace(made, doc=True)


def hints(w: Words, made: Function, style: int) -> Edit:
    """Adds type hints."""
    if made.hints or made.guard == "None":
        return None
    hinted, returns = made.hinted(), made.template.returns
    ask = [
        f"Add type hints: {', '.join(hinted)} and -> {returns}.",
        f"Add the type hints {', '.join(f'`{hint}`' for hint in hinted)} and `-> {returns}`.",
        f"Annotate it with {', '.join(hinted)} and the return type {returns}.",
    ][style]
    done = "Here it is with type hints:"
    return ask, done, replace(made, hints=True)


def guard(w: Words, made: Function, style: int) -> Edit:
    """Adds a return at the top for an empty or negative first parameter."""
    if made.guard:
        return None
    if w.chance(0.25) and not made.hints:
        value = "None"
    else:
        value = w.pick(_EMPTY[re.split(r"\[", made.template.returns)[0]])
    state = "negative" if made.template.types[0] == "int" else "empty"
    first = made.names["a"]
    ask = [
        f"At the top, return {value} if {first} is {state}.",
        f"Add a guard at the top: return `{value}` if `{first}` is {state}.",
        f"If {first} is {state}, return {value} right away.",
    ][style]
    done = f"Here it returns `{value}` if `{first}` is {state}:"
    return ask, done, replace(made, guard=value)


def _number(w: Words, made: Function, style: int) -> Edit:
    there = [key for key in "nm" if f"${key}" in made.template.body]
    if not there:
        return None
    key = w.pick(there)
    old, new = made.numbers[key], w.number(2, 99)
    numbers = {**made.numbers, key: new}
    code = re.findall(r"\b\d+\b", made.source())
    once = code.count(str(old)) == len(re.findall(rf"\${key}\b", made.template.body)) + (
        made.doc and f"${key}" in made.template.purpose
    )
    if not once or str(new) in code:
        return None
    if len(there) == 2 and numbers["n"] >= numbers["m"]:
        return None
    ask = [
        f"Change the number {old} to {new}.",
        f"Replace `{old}` by `{new}`.",
        f"Use {new} instead of {old}.",
    ][style]
    done = f"Here `{old}` is now `{new}`:"
    return ask, done, replace(made, numbers=numbers)


def _sign(w: Words, made: Function, style: int) -> Edit:
    turned = {">": ">=", "<": "<=", ">=": ">", "<=": "<", "+=": "-=", "==": "!="}
    body = made.body()
    # A docstring would no longer be true, and a while loop might no longer end.
    there = [sign for sign in turned if body.count(f" {sign} ") == 1]
    if made.doc or made.guard or made.signs or not there or "while" in body:
        return None
    sign = w.pick(there)
    (old,) = (line.strip() for line in body.split("\n") if f" {sign} " in line)
    new = old.replace(f" {sign} ", f" {turned[sign]} ")
    ask = [
        f"Change the line {old} to {new}",
        f"Replace the line `{old}` by `{new}`",
        f"Write `{new}` instead of `{old}`",
    ][style]
    done = f"Here the line is now `{new}`:"
    return ask, done, replace(made, signs={sign: turned[sign]})


def _print(w: Words, made: Function, style: int) -> Edit:
    last = made.template.body.split("\n")[-1]
    if made.printed or last != "    return $t":
        return None
    name = made.names["t"]
    ask = [
        f"Print {name} before the last return.",
        f"Add `print({name})` before the last line.",
        f"Let it print {name} before it returns {name}.",
    ][style]
    done = f"Here it prints `{name}` first:"
    return ask, done, replace(made, printed=True)


def _result(w: Words, made: Function, style: int) -> Edit:
    last = made.template.body.split("\n")[-1]
    if made.factor or made.doc or made.template.returns != "int" or last != "    return $t":
        return None
    name, factor = made.names["t"], f" {w.pick(['*', '+', '-'])} {w.number(2, 99)}"
    ask = [
        f"Return {name}{factor} instead of {name}.",
        f"Change the last line to `return {name}{factor}`.",
        f"At the end, return {name}{factor}.",
    ][style]
    done = f"Here it returns `{name}{factor}`:"
    return ask, done, replace(made, factor=factor)


KINDS: list[Callable[[Words, Function, int], Edit]] = [
    _rename, _parameter, docstring, hints, guard, _number, _sign, _print, _result,
]  # fmt: skip
# Some kinds are asked for more often than others.
EDITS = [*KINDS, _rename, _rename, _parameter, docstring]
STYLES = [0, 1, 2]
