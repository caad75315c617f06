"""Functions with their names and numbers filled in."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field

from logitspec.builtin.tasks.functions import INTS, TABLE, WORDS, Template
from logitspec.builtin.words import Words, upper_first, words_in

NOUNS = words_in("""
items values numbers prices scores points marks weights sizes ages costs amounts distances
heights widths temperatures votes coins grades levels rates times days orders""")
STRING_NOUNS = words_in("""
words names lines labels titles towns colors flowers tags keys letters animals planets
streets books songs games friends""")
TEXT_NOUNS = words_in("text word line message title sentence label phrase code password")
TABLE_NOUNS = words_in("rows table grid matrix board sheet field cells plan image")
SCALAR_NOUNS = words_in("""
count size amount width height speed weight rate step value level start index depth
length price score year age distance bonus""")
LIMITS = words_in("limit bound factor threshold target margin border mark")
LOOPS = words_in("item entry element value x k")
_INDICES = words_in("i index position k place")
_CELLS = words_in("cell number value entry x")
_ROWS = words_in("row line group part")
HELPERS = words_in("current kept inner state memory extra first helper")
RESULTS = words_in("result total output answer found final outcome")
# A longer made-up name has too many tokens to be copied five times without an error.
MAX_NAME_LENGTH = 8
OPTIONS = words_in("debug verbose offset label mode unit color title name style")
# Names for the first parameter and the first loop variable, by the parameter's type.
POOLS = {
    INTS: (NOUNS, LOOPS),
    WORDS: (STRING_NOUNS, LOOPS),
    "str": (TEXT_NOUNS, words_in("letter char symbol sign")),
    TABLE: (TABLE_NOUNS, _ROWS),
    "int": (SCALAR_NOUNS, words_in("i k factor number divisor")),
}
_ADJECTIVES = words_in("old new first last total base main given known daily best next")


@dataclass(frozen=True)
class Function:
    """A template with names and numbers filled in, and with the edits so far."""

    template: Template
    names: dict[str, str]
    numbers: dict[str, int]
    option: str = ""
    default: str = ""
    doc: bool = False
    hints: bool = False
    guard: str = ""
    prints: bool = False
    factor: str = ""
    signs: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """The text with its placeholders filled in."""
        numbers = {key: str(number) for key, number in self.numbers.items()}
        return string.Template(text).substitute(self.names, **numbers)

    def description(self) -> str:
        """Its purpose as a phrase in the third person."""
        return self.fill(self.template.purpose)

    def docstring(self) -> str:
        """Its docstring: one sentence."""
        return f"{upper_first(self.description())}."

    def typed_parameters(self) -> list[str]:
        """The parameters with their types."""
        kinds = zip(self.template.parameters, self.template.types, strict=True)
        return [f"{self.names[key]}: {kind}" for key, kind in kinds]

    def body(self) -> str:
        """The lines from the first statement on, without the guard."""
        body = self.fill(self.template.body)
        for old, new in self.signs.items():
            body = body.replace(f" {old} ", f" {new} ")
        *lines, last = body.split("\n")
        lines += [f"    print({self.names['t']})"] if self.prints else []
        return "\n".join([*lines, last + self.factor])

    def source(self) -> str:
        """The Python source."""
        plain = [self.names[key] for key in self.template.parameters]
        parameters = self.typed_parameters() if self.hints else plain
        if self.option:
            parameters = [*parameters, f"{self.names['o']}={self.default}"]
        returns = f" -> {self.template.returns}" if self.hints else ""
        head = f"def {self.names['f']}({', '.join(parameters)}){returns}:"
        doc = f'    """{self.docstring()}"""\n' if self.doc else ""
        guard = (
            f"    if {self.guard_condition()}:\n        return {self.guard}\n" if self.guard else ""
        )
        return f"{head}\n{doc}{guard}{self.body()}"

    def guard_condition(self) -> str:
        """The condition of its guard."""
        first = self.names["a"]
        return f"{first} < 0" if self.template.types[0] == "int" else f"not {first}"


def fresh_name(w: Words, options: list[str], used: set[str], may_describe: bool = False) -> str:
    """An ordinary or made-up name that is not in `used`, to which it is added.

    With `may_describe` an ordinary one may get an adjective.
    """
    while True:
        name = w.pick(options)
        if w.chance(w.invented * 0.66):
            name = w.coin_word()
            while len(name) > MAX_NAME_LENGTH:
                name = w.coin_word()
        elif may_describe and w.chance(0.25):
            name = f"{w.pick(_ADJECTIVES)}_{name}"
        if name not in used:
            used.add(name)
            return name


def words_of(function: Function) -> set[str]:
    """The words that a new name in the function must differ from."""
    text = f"{function.template.purpose} {function.source()} {function.option}"
    return {*re.findall(r"\w+", text), *function.names.values()}


def fill(w: Words, template: Template) -> Function:
    """The template with fresh names and numbers in it."""
    used = {*re.findall(r"\w+", template.purpose + " " + template.body), *template.types}
    names: dict[str, str] = {}
    kind = template.types[0]
    first, loops = POOLS[kind]
    names["a"] = fresh_name(w, first, used, may_describe=True)
    second = NOUNS if INTS in template.types[1:] else LIMITS
    one = names["a"].split("_")[-1].removesuffix("s")
    each = "d" if "enumerate" in template.body else "b"
    if (kind == INTS and "range" in template.body) or each == "d":
        loops = _INDICES
    has_singular = f"{one}s" in NOUNS + STRING_NOUNS and one not in used
    if has_singular and (each == "d" or loops == LOOPS) and w.chance(0.6):
        used.add(one)
        names[each] = one
    if "$c" in template.body:
        names["c"] = fresh_name(
            w, SCALAR_NOUNS if kind == "int" else second, used, may_describe=True
        )
    inner = _CELLS if kind == TABLE else LOOPS
    pools = {"b": loops, "d": inner, "u": HELPERS, "t": RESULTS}
    for key, pool in pools.items():
        if f"${key}" in template.body and key not in names:
            names[key] = fresh_name(w, pool, used, may_describe=key == "t")
    names = {key: name for key, name in names.items() if f"${key}" in template.body}
    verb_name = f"{template.verb}_{names['a']}"
    function_name = (
        verb_name if w.chance(0.7) else fresh_name(w, ["compute", "run", "work_on", "solve"], used)
    )
    low = w.number(3, 9 if kind in (WORDS, "str") else w.pick([9, 30, 60]))
    return Function(template, {"f": function_name, **names}, {"n": low, "m": low + w.number(1, 30)})
