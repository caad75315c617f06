"""Small Python functions: written from a description, and edited as asked."""

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


def _made(w: Words, base: Template | str) -> Function:
    """A fresh function of the template, or of a pipeline that belongs to the split."""
    if isinstance(base, Template):
        return fill(w, base)
    while True:
        maker, *parts = w.combination(_PIPELINES, list(FILTERS), list(CHANGES), list(ENDS))
        # A second loop that only copies the list would be silly.
        if maker is pipeline or "as a list" not in parts[-1]:
            return fill(w, maker(*parts))


def fenced(source: str) -> str:
    """The source in a Markdown code block."""
    return f"```python\n{source}\n```"


def names_used(made: Function) -> str:
    """The sentence that tells which names to use."""
    names, template = made.names, made.template
    clauses = ["take " + " and ".join(names[key] for key in template.parameters)]
    loops = [names[key] for key in "bd" if key in names]
    clauses += ["loop over " + " and ".join(loops)] if loops else []
    uses = [f"{names['u']} for {template.helper}"] if "u" in names else []
    uses += [f"{names['t']} for the result"] if "t" in names else []
    clauses += ["use " + " and ".join(uses)] if uses else []
    text = ", ".join(clauses[:-1]) + " and " + clauses[-1] if clauses[1:] else clauses[0]
    return f"{upper_first(text)}."


def _with_extras(w: Words, made: Function, which: str) -> tuple[list[str], Function]:
    """The function with the extras added that `which` names, and what asks for them."""
    asks = []
    for name in w.shuffled(which.split()):
        changed = _EXTRA[name](w, made, w.pick(STYLES))
        if changed:
            ask, _, made = changed
            asks.append(ask)
    return asks, made


def _written(w: Words) -> tuple[tuple[str, str], Function]:
    """A request to write a function, with the answer."""
    # The extras belong to the combination: held out are then some of many for every template,
    # where of the few wordings alone nearly all of one template would be.
    base, wording, extras = w.combination(_BASES, _WRITE, _EXTRAS)
    made = _made(w, base)
    ask = f"{wording.format(made.names['f'], made.says())} {names_used(made)}"
    asks, made = _with_extras(w, made, extras)
    answer = f"The function `{made.names['f']}` {made.says()}:\n{fenced(made.source())}"
    return (" ".join([ask, *asks]), answer), made


def _edited(w: Words) -> tuple[tuple[str, str], Function]:
    """A function and a request to change it, with the answer."""
    while True:
        base, kind, style, lead = w.combination(_BASES, EDITS, STYLES, _LEADS)
        _, given = _with_extras(w, _made(w, base), w.pick(["", "", "docstring", "hints", "guard"]))
        changed: Edit = kind(w, given, style)
        if changed:
            ask, done, made = changed
            user = lead.format(ask) + fenced(given.source())
            return (user, f"{done}\n{fenced(made.source())}"), made


def sample(w: Words) -> Sample:
    """A function to write or to edit, at times with further edits in later turns."""
    turn, made = _written(w) if w.chance(0.45) else _edited(w)
    turns = [turn]
    while w.chance(0.35) and len(turns) < 3:
        changed: Edit = None
        while not changed:
            changed = w.pick(EDITS)(w, made, w.pick(STYLES))
        ask, done, made = changed
        turns.append((ask, f"{done}\n{fenced(made.source())}"))
    return Sample("code", tuple(turns))
