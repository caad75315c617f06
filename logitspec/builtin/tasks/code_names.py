"""Functions with their names and numbers filled in."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field

from logitspec.builtin.tasks.functions import INTS, TABLE, WORDS, Template
from logitspec.builtin.words import Words, listed, upper_first

NOUNS = listed("""
items values numbers prices scores points marks weights sizes ages costs amounts distances
heights widths temperatures votes coins grades levels rates times days orders""")
STRING_NOUNS = listed("""
words names lines labels titles towns colors flowers tags keys letters animals planets
streets books songs games friends""")
TEXT_NOUNS = listed("text word line message title sentence label phrase code password")
TABLE_NOUNS = listed("rows table grid matrix board sheet field cells plan image")
SCALAR_NOUNS = listed("""
count size amount width height speed weight rate step value level start index depth
length price score year age distance bonus""")
LIMITS = listed("limit bound factor threshold target margin border mark")
LOOPS = listed("item entry element value x k")
_INDICES = listed("i index position k place")
_CELLS = listed("cell number value entry x")
_ROWS = listed("row line group part")
HELPERS = listed("current kept inner state memory extra first helper")
RESULTS = listed("result total output answer found final outcome")
# A longer made-up name is too many tokens to be copied right five times.
LONGEST = 8
OPTIONS = listed("debug verbose offset label mode unit color title name style")
# What the first parameter and the first loop variable are called, by the parameter's type.
POOLS = {
    INTS: (NOUNS, LOOPS),
    WORDS: (STRING_NOUNS, LOOPS),
    "str": (TEXT_NOUNS, listed("letter char symbol sign")),
    TABLE: (TABLE_NOUNS, _ROWS),
    "int": (SCALAR_NOUNS, listed("i k factor number divisor")),
}
_ADJECTIVES = listed("old new first last total base main given known daily best next")


@dataclass(frozen=True)
class Function:
    """A template with names and numbers filled in, and with the edits made so far."""

    template: Template
    names: dict[str, str]
    numbers: dict[str, int]
    option: str = ""
    default: str = ""
    doc: bool = False
    hints: bool = False
    guard: str = ""
    printed: bool = False
    factor: str = ""
    signs: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """The text with its placeholders filled in."""
        numbers = {key: str(number) for key, number in self.numbers.items()}
        return string.Template(text).substitute(self.names, **numbers)

    def says(self) -> str:
        """What the function does, as a phrase in the third person."""
        return self.fill(self.template.purpose)

    def docstring(self) -> str:
        """The sentence that its docstring is."""
        return f"{upper_first(self.says())}."

    def hinted(self) -> list[str]:
        """The parameters with their types."""
        kinds = zip(self.template.parameters, self.template.types, strict=True)
        return [f"{self.names[key]}: {kind}" for key, kind in kinds]

    def body(self) -> str:
        """The lines from the first statement on, without the guard."""
        body = self.fill(self.template.body)
        for old, new in self.signs.items():
            body = body.replace(f" {old} ", f" {new} ")
        *lines, last = body.split("\n")
        lines += [f"    print({self.names['t']})"] if self.printed else []
        return "\n".join([*lines, last + self.factor])

    def source(self) -> str:
        """The Python source."""
        plain = [self.names[key] for key in self.template.parameters]
        parameters = self.hinted() if self.hints else plain
        if self.option:
            parameters = [*parameters, f"{self.names['o']}={self.default}"]
        returns = f" -> {self.template.returns}" if self.hints else ""
        head = f"def {self.names['f']}({', '.join(parameters)}){returns}:"
        doc = f'    """{self.docstring()}"""\n' if self.doc else ""
        guard = f"    if {self.guarded()}:\n        return {self.guard}\n" if self.guard else ""
        return f"{head}\n{doc}{guard}{self.body()}"

    def guarded(self) -> str:
        """The condition of its guard."""
        first = self.names["a"]
        return f"{first} < 0" if self.template.types[0] == "int" else f"not {first}"


def fresh_name(w: Words, options: list[str], used: set[str], described: bool = False) -> str:
    """An ordinary or made-up name that is not used yet, and is from then on.

    An ordinary one may have an adjective if it may be `described`.
    """
    while True:
        name = w.pick(options)
        if w.chance(w.invented * 0.66):
            name = w.coined()
            while len(name) > LONGEST:
                name = w.coined()
        elif described and w.chance(0.25):
            name = f"{w.pick(_ADJECTIVES)}_{name}"
        if name not in used:
            used.add(name)
            return name


def words_of(made: Function) -> set[str]:
    """The words that a new name in the function must differ from."""
    text = f"{made.template.purpose} {made.source()} {made.option}"
    return {*re.findall(r"\w+", text), *made.names.values()}


def fill(w: Words, template: Template) -> Function:
    """The template with fresh names and numbers in it."""
    used = {*re.findall(r"\w+", template.purpose + " " + template.body), *template.types}
    names: dict[str, str] = {}
    kind = template.types[0]
    first, loops = POOLS[kind]
    names["a"] = fresh_name(w, first, used, described=True)
    second = NOUNS if INTS in template.types[1:] else LIMITS
    one = names["a"].split("_")[-1].removesuffix("s")
    each = "d" if "enumerate" in template.body else "b"
    if (kind == INTS and "range" in template.body) or each == "d":
        loops = _INDICES
    known = f"{one}s" in NOUNS + STRING_NOUNS and one not in used
    if known and (each == "d" or loops == LOOPS) and w.chance(0.6):
        used.add(one)
        names[each] = one
    if "$c" in template.body:
        names["c"] = fresh_name(w, SCALAR_NOUNS if kind == "int" else second, used, described=True)
    inner = _CELLS if kind == TABLE else LOOPS
    pools = {"b": loops, "d": inner, "u": HELPERS, "t": RESULTS}
    for key, pool in pools.items():
        if f"${key}" in template.body and key not in names:
            names[key] = fresh_name(w, pool, used, described=key == "t")
    names = {key: name for key, name in names.items() if f"${key}" in template.body}
    whole = f"{template.verb}_{names['a']}"
    called = whole if w.chance(0.7) else fresh_name(w, ["compute", "run", "work_on", "solve"], used)
    low = w.number(3, 9 if kind in (WORDS, "str") else w.pick([9, 30, 60]))
    return Function(template, {"f": called, **names}, {"n": low, "m": low + w.number(1, 30)})
