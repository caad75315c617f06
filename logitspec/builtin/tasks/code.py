"""Small Python functions: writing one from a description, and editing one on request."""

from __future__ import annotations

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.code_edits import EDITS, STYLES, Edit, docstring, guard, hints
from logitspec.builtin.tasks.code_names import Function, fill
from logitspec.builtin.tasks.functions import (
    CHANGES,
    ENDS,
    FILTERS,
    TEMPLATES,
    Template,
    pipeline,
    staged,
)
from logitspec.builtin.words import Words, upper_first

_BASES: list[Template | str] = [*TEMPLATES, *["pipeline"] * 10]
_PIPELINES = [pipeline, staged]
_EXTRA = {"docstring": docstring, "hints": hints, "guard": guard}
_EXTRAS = ["", "docstring", "hints", "guard", "docstring hints", "docstring guard"]
_LEADS = ["{}\n", "Edit this code. {}\n", "Change this function: {}\n", "Here is some code. {}\n"]
_WRITE = [
    "Write a Python function {0} that {1}.",
    "Write a function called {0} in Python. It {1}.",
    "I need a Python function named `{0}` that {1}.",
    "Please write the Python function {0}. It {1}.",
]


def _draw_function(w: Words, base: Template | str) -> Function:
    """A fresh function of the template, or of a pipeline that belongs to the split."""
    if isinstance(base, Template):
        return fill(w, base)
    while True:
        maker, *parts = w.combination(_PIPELINES, list(FILTERS), list(CHANGES), list(ENDS))
        # A second loop that only copies the list would be silly.
        if maker is pipeline or "as a list" not in parts[-1]:
            return fill(w, maker(*parts))


def code_block(source: str) -> str:
    """The source in a Markdown code block."""
    return f"```python\n{source}\n```"


def names_sentence(function: Function) -> str:
    """The sentence that lists the names to use."""
    names, template = function.names, function.template
    clauses = ["take " + " and ".join(names[key] for key in template.parameters)]
    loops = [names[key] for key in "bd" if key in names]
    clauses += ["loop over " + " and ".join(loops)] if loops else []
    uses = [f"{names['u']} for {template.helper}"] if "u" in names else []
    uses += [f"{names['t']} for the result"] if "t" in names else []
    clauses += ["use " + " and ".join(uses)] if uses else []
    text = ", ".join(clauses[:-1]) + " and " + clauses[-1] if clauses[1:] else clauses[0]
    return f"{upper_first(text)}."


def _with_extras(w: Words, function: Function, which: str) -> tuple[list[str], Function]:
    """Adds the extras that `which` names; returns the requests for them and the function."""
    asks = []
    for name in w.shuffled(which.split()):
        edit = _EXTRA[name](w, function, w.pick(STYLES))
        if edit:
            ask, _, function = edit
            asks.append(ask)
    return asks, function


def _write_turn(w: Words) -> tuple[tuple[str, str], Function]:
    """A request to write a function, with the answer."""
    # The extras belong to the combination. With the few wordings alone, nearly all combinations
    # of some template could be held out; with the extras, only some of many are.
    base, wording, extras = w.combination(_BASES, _WRITE, _EXTRAS)
    function = _draw_function(w, base)
    ask = (
        f"{wording.format(function.names['f'], function.description())} {names_sentence(function)}"
    )
    asks, function = _with_extras(w, function, extras)
    answer = f"The function `{function.names['f']}` {function.description()}:\n{code_block(function.source())}"
    return (" ".join([ask, *asks]), answer), function


def _edit_turn(w: Words) -> tuple[tuple[str, str], Function]:
    """A function and a request to change it, with the answer."""
    while True:
        base, kind, style, lead = w.combination(_BASES, EDITS, STYLES, _LEADS)
        _, original = _with_extras(
            w, _draw_function(w, base), w.pick(["", "", "docstring", "hints", "guard"])
        )
        edit: Edit = kind(w, original, style)
        if edit:
            ask, opening, function = edit
            user = lead.format(ask) + code_block(original.source())
            return (user, f"{opening}\n{code_block(function.source())}"), function


def sample(w: Words) -> Sample:
    """A function to write or to edit, sometimes with more edits in later turns."""
    turn, function = _write_turn(w) if w.chance(0.45) else _edit_turn(w)
    turns = [turn]
    while w.chance(0.35) and len(turns) < 3:
        edit: Edit = None
        while not edit:
            edit = w.pick(EDITS)(w, function, w.pick(STYLES))
        ask, opening, function = edit
        turns.append((ask, f"{opening}\n{code_block(function.source())}"))
    return Sample("code", tuple(turns))
