"""Small Python functions: written from a description, and edited as asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from logitspec.builtin.tasks import Sample
from logitspec.builtin.words import Words, listed

_NOUNS = listed("""
items values numbers words prices scores points names lines letters rows cells notes
orders parts tasks files records marks books""")
_SCALARS = listed("""
count total size limit amount width height speed weight rate step value level start
index depth length price score number""")


@dataclass(frozen=True)
class Function:
    """A function template; `{f}` is its name, `{a}`, `{b}` and `{t}` are variables."""

    verb: str
    purpose: str
    body: str
    parameters: str
    f: str = ""
    a: str = ""
    b: str = ""
    t: str = ""
    extra: str = ""
    doc: str = ""

    def names(self) -> dict[str, str]:
        return {"f": self.f, "a": self.a, "b": self.b, "t": self.t}

    def says(self) -> str:
        """What the function does, as a phrase in the third person."""
        return self.purpose.format(**self.names())

    def source(self) -> str:
        """The Python source."""
        names = self.names()
        head = f"def {self.f}({self.parameters.format(**names)}{self.extra}):"
        doc = f'    """{self.doc}"""\n' if self.doc else ""
        body = "\n".join(f"    {line}" for line in self.body.format(**names).split("\n"))
        return f"{head}\n{doc}{body}"


_LOOP = "{t} = {start}\nfor {b} in {a}:\n    {step}\nreturn {t}"


def _loop(verb: str, purpose: str, start: str, step: str, parameters: str = "{a}") -> Function:
    body = _LOOP.replace("{start}", start).replace("{step}", step)
    return Function(verb, purpose, body, parameters)


# The limit of a loop that takes one is called {b} in no template: {b} is the loop variable.
_FUNCTIONS = [
    _loop("sum", "returns the sum of all {a}", "0", "{t} += {b}"),
    _loop("multiply", "returns the product of all {a}", "1", "{t} *= {b}"),
    _loop("count", "counts the {a} that are not empty", "0", "if {b}:\n        {t} += 1"),
    _loop("double", "returns a list with all {a} doubled", "[]", "{t}.append({b} * 2)"),
    _loop("square", "returns a list with the squares of all {a}", "[]", "{t}.append({b} * {b})"),
    _loop("filter", "keeps the {a} above zero", "[]", "if {b} > 0:\n        {t}.append({b})"),
    _loop("even", "keeps the even {a}", "[]", "if {b} % 2 == 0:\n        {t}.append({b})"),
    _loop("unique", "returns the {a} without repeats", "[]",
          "if {b} not in {t}:\n        {t}.append({b})"),
    _loop("upper", "returns the {a} in upper case", "[]", "{t}.append({b}.upper())"),
    _loop("lengths", "returns the length of each of the {a}", "[]", "{t}.append(len({b}))"),
    _loop("tally", "counts how often each of the {a} occurs", "{{}}",
          "{t}[{b}] = {t}.get({b}, 0) + 1"),
    _loop("reverse", "returns the {a} in reverse order", "[]", "{t}.insert(0, {b})"),
    Function("largest", "returns the largest of the {a}",
             "{t} = {a}[0]\nfor {b} in {a}:\n    if {b} > {t}:\n        {t} = {b}\nreturn {t}",
             "{a}"),
    Function("smallest", "returns the smallest of the {a}",
             "{t} = {a}[0]\nfor {b} in {a}:\n    if {b} < {t}:\n        {t} = {b}\nreturn {t}",
             "{a}"),
    Function("average", "returns the average of the {a}",
             "{t} = 0\nfor {b} in {a}:\n    {t} += {b}\nreturn {t} / len({a})", "{a}"),
]  # fmt: skip
_PAIRS = [
    Function("add", "adds {a} and {b}", "{t} = {a} + {b}\nreturn {t}", "{a}, {b}"),
    Function("subtract", "subtracts {b} from {a}", "{t} = {a} - {b}\nreturn {t}", "{a}, {b}"),
    Function("area", "returns {a} times {b}", "{t} = {a} * {b}\nreturn {t}", "{a}, {b}"),
    Function("bigger", "returns the bigger of {a} and {b}",
             "if {a} > {b}:\n    return {a}\nreturn {b}", "{a}, {b}"),
    Function("limit", "returns {a}, but at most {b}",
             "{t} = {a}\nif {t} > {b}:\n    {t} = {b}\nreturn {t}", "{a}, {b}"),
    Function("power", "raises {a} to the power of {b}",
             "{t} = 1\nfor _ in range({b}):\n    {t} *= {a}\nreturn {t}", "{a}, {b}"),
    Function("is_even", "tells whether {a} plus {b} is even",
             "{t} = {a} + {b}\nreturn {t} % 2 == 0", "{a}, {b}"),
]  # fmt: skip


def _name(w: Words, options: list[str], used: set[str]) -> str:
    while True:
        name = w.coined() if w.chance(w.invented * 0.8) else w.pick(options)
        if name not in used:
            used.add(name)
            return name


def function(w: Words) -> Function:
    """A function with fresh names in it."""
    used: set[str] = set()
    loop = w.chance(0.7)
    base = w.pick(_FUNCTIONS if loop else _PAIRS)
    first = _name(w, _NOUNS if loop else _SCALARS, used)
    second = _name(w, ["item", "x", "entry", "element", "value"] if loop else _SCALARS, used)
    result = _name(w, ["result", "total", "output", "answer", "found"], used)
    called = f"{base.verb}_{first}" if w.chance(0.7) else _name(w, ["compute", "run"], used)
    return replace(base, f=called, a=first, b=second, t=result)


def fenced(source: str) -> str:
    """The source in a Markdown code block."""
    return f"```python\n{source}\n```"


def _rename(w: Words, made: Function) -> tuple[str, Function]:
    field = w.pick(["f", "a", "t"] if "{t}" in made.body else ["f", "a"])
    old = made.names()[field]
    new = _name(
        w, _NOUNS + _SCALARS, {*made.names().values(), made.extra.strip(", ").split("=")[0]}
    )
    what = "function" if field == "f" else "variable"
    changed = {"f": {"f": new}, "a": {"a": new}, "t": {"t": new}}[field]
    ask = w.pick(["Rename the {0} {1} to {2}.", "Rename the {0} `{1}` to `{2}`."])
    return ask.format(what, old, new), replace(made, **changed)


def _parameter(w: Words, made: Function) -> tuple[str, Function]:
    new = _name(w, ["debug", "verbose", "scale", "offset", "label"], set(made.names().values()))
    default = w.pick(["None", "0", "1", "True", "False", "10"])
    ask = w.pick(
        [
            "Add a parameter {0} with the default value {1}.",
            "Add the parameter `{0}` with default `{1}`.",
        ]
    )
    return ask.format(new, default), replace(made, extra=f", {new}={default}")


def _docstring(w: Words, made: Function) -> tuple[str, Function]:
    text = made.says()
    doc = f"{text[0].upper()}{text[1:]}."
    ask = w.pick(["Add a docstring.", "Add a docstring that says what it does."])
    return f"{ask} It {text}.", replace(made, doc=doc)


def edit(w: Words, made: Function) -> tuple[str, Function]:
    """An instruction and the function after it. Each kind is applied at most once."""
    kinds = [_rename, _rename]
    kinds += [] if made.extra else [_parameter]
    kinds += [] if made.doc else [_docstring]
    return w.pick(kinds)(w, made)


def sample(w: Words) -> Sample:
    """A function to write or to edit, at times with further edits in later turns."""
    made = function(w)
    turns = []
    if w.chance(0.4):
        ask = w.pick(
            [
                "Write a Python function {0} that {1}.",
                "Write a function called {0} in Python. It {1}.",
                "I need a Python function named `{0}` that {1}.",
            ]
        )
        answer = f"The function `{made.f}` {made.says()}:\n{fenced(made.source())}"
        taking = made.parameters.format(**made.names())
        names = f" Take {taking}, loop over {made.b} and use {made.t} for the result."
        if made.parameters == "{a}, {b}":
            names = f" Take {taking} and use {made.t} for the result."
        turns.append((ask.format(made.f, made.says()) + names, answer))
    else:
        given = made
        ask, made = edit(w, made)
        lead = w.pick([f"{ask}\n", f"Edit this code. {ask}\n", f"Change this function: {ask}\n"])
        turns.append((lead + fenced(given.source()), f"Here it is:\n{fenced(made.source())}"))
    while w.chance(0.35) and len(turns) < 3:
        ask, made = edit(w, made)
        turns.append((ask, f"Here it is:\n{fenced(made.source())}"))
    return Sample("code", tuple(turns))
