"""The code task: edits are checked by rewriting the given text, functions by running them."""

from __future__ import annotations

import ast
import collections
import itertools
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from logitspec.builtin.tasks import Sample, code
from logitspec.builtin.tasks.code_names import fill
from logitspec.builtin.tasks.functions import CHANGES, ENDS, FILTERS, TEMPLATES, pipeline, staged
from logitspec.builtin.words import Words

LIST = [3, 8, 40, 8, -5, 12, 41, 13]
STRINGS = ["pear", "fig", "pear", "banana", "kiwi", "fig", "pear", "blackberry"]
TEXT = "Aabb 12 oo3 level"
TABLE = [[1, 20], [7], [30, 3, 9]]


def made(count: int, seed: int = 1, split: Any = "train") -> list[Sample]:
    w = Words(random.Random(seed), split)
    return [code.sample(w) for _ in range(count)]


def blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)\n```", text, re.S)


def rewritten(ask: str, old: str) -> str:
    """The code that the request asks for, found by rewriting text."""
    ask = ask.replace("`", "")
    head, rest = old.split("\n", 1)
    doc, body = re.fullmatch(r'(    """.*?"""\n)?(.*)', rest, re.S).groups("")  # type: ignore[union-attr]
    first = re.findall(r"\((\w+)", head)[0]
    lines = body.split("\n")

    def swapped(*pairs: tuple[str, str]) -> str:
        table = dict(pairs)
        return re.sub(r"\b\w+\b", lambda result: table.get(result[0], result[0]), old)

    def match(*patterns: str) -> tuple[str, ...]:
        result = [re.search(pattern, ask) for pattern in patterns]
        return next((each.groups() for each in result if each), ())

    if pair := match(r"Rename the \w+ (\w+) to (\w+)\.", r"Change the number (\d+) to (\d+)\.",
                     r"Replace (\d+) by (\d+)\."):  # fmt: skip
        return swapped((pair[0], pair[1]))
    if pair := match(r"Call the \w+ (\w+) instead of (\w+)\.", r"Use (\d+) instead of (\d+)\."):
        return swapped((pair[1], pair[0]))
    if pair := match(r"the line (.*) (?:to|by) (.*)$"):
        return old.replace(pair[0], pair[1], 1)
    if pair := match(r"Write (.*) instead of (.*)$"):
        return old.replace(pair[1], pair[0], 1)
    if pair := match(r"parameter (\w+) with (?:the )?default (?:value )?(\S+)\.",
                     r"more parameter, (\w+)=(\S+)\."):  # fmt: skip
        return f"{re.sub(r'[)]', f', {pair[0]}={pair[1]})', head, count=1)}\n{rest}"
    if text := match(r'docstring "(.*)"$', r"docstring: (.*)$", r"what it does\. It (.*)$"):
        return f'{head}\n    """{text[0][0].upper()}{text[0][1:]}"""\n{rest}'
    if hints := match(r"(?:hints:?|with) (.*) and (?:->|the return type) (.*)\.$"):
        for hint in hints[0].split(", "):
            head = re.sub(rf"([(,] ?){hint.split(':')[0]}\b", rf"\g<1>{hint}", head)
        return f"{head[:-1]} -> {hints[1]}:\n{rest}"
    if guard := match(r"return (\S+|\(.*\)) (if|right)"):
        condition = f"{first} < 0" if "negative" in ask else f"not {first}"
        return f"{head}\n{doc}    if {condition}:\n        return {guard[0]}\n{body}"
    if printed := match(r"[Pp]rint\(?[ (](\w+)|print\((\w+)\)"):
        lines.insert(-1, f"    print({printed[0] or printed[1]})")
        return "\n".join([head, doc + "\n".join(lines)])
    changed = match(r"[Rr]eturn (\w+ [-+*] \d+)")
    return "\n".join([head, doc + "\n".join([*lines[:-1], f"    return {changed[0]}"])])


def test_edits_are_what_they_ask_for() -> None:
    edits: collections.Counter[str] = collections.Counter()
    for sample in made(1200):
        current = ""
        for ask, answer in sample.turns:
            (new,) = blocks(answer)
            (parsed,) = ast.parse(new).body
            assert isinstance(parsed, ast.FunctionDef)
            compile(new, "answer", "exec")
            given = blocks(ask)
            if given or current:
                ask = re.sub(r"^(Edit|Change|Here)[\w ]*[.:] (?=[A-Z])", "", ask.split("\n")[0])
                assert rewritten(ask, given[0] if given else current) == new, ask
                edits[ask.split(" ")[0]] += 1
                assert new != (given[0] if given else current)
            current = new
    assert sum(edits.values()) > 800
    assert {"Rename", "Add", "At", "Change", "Write", "Print", "Return"} <= set(edits)


ORACLES: dict[str, Callable[..., Any]] = {
    "average": lambda a, n, m: sum(a) / len(a),
    "smallest": lambda a, n, m: min(a),
    "running": lambda a, n, m: list(itertools.accumulate(a)),
    "cap": lambda a, n, m: [min(x, n) for x in a],
    "find": lambda a, n, m: next((i for i, x in enumerate(a) if x > n), -1),
    "check": lambda a, n, m: min(a) >= n,
    "any_of": lambda a, n, m: any(not x % n for x in a),
    "split": lambda a, n, m: ([x for x in a if x < n], [x for x in a if x >= n]),
    "unique": lambda a, n, m: list(dict.fromkeys(a)),
    "between": lambda a, n, m: len([x for x in a if x in range(n, m + 1)]),
    "pairs": lambda a, c, n, m: list(itertools.product(a, c)),
    "common": lambda a, c, n, m: [x for x in a if c.count(x)],
    "scale": lambda a, c, n, m: [x * c for x in a],
    "count_over": lambda a, c, n, m: sum(x > c for x in a),
    "dot": lambda a, c, n, m: sum(x * y for x, y in zip(a, c, strict=False)),
    "lengths": lambda a, n, m: list(map(len, a)),
    "upper": lambda a, n, m: " ".join(a).upper().split(),
    "longest": lambda a, n, m: max(a, key=len),
    "long": lambda a, n, m: [x for x in a if x[n:]],
    "tally": lambda a, n, m: dict(collections.Counter(a)),
    "initials": lambda a, n, m: "".join(x[:1] for x in a),
    "count_vowels": lambda a, n, m: len(re.findall("[aeiou]", a)),
    "remove_vowels": lambda a, n, m: re.sub("[aeiou]", "", a),
    "backwards": lambda a, n, m: a[::-1],
    "is_palindrome": lambda a, n, m: a == a[::-1],
    "digits": lambda a, n, m: sum(map(int, re.findall(r"\d", a))),
    "total": lambda a, n, m: sum(map(sum, a)),
    "flatten": lambda a, n, m: list(itertools.chain(*a)),
    "count_cells": lambda a, n, m: sum(x > n for row in a for x in row),
    "row_sums": lambda a, n, m: list(map(sum, a)),
    "add_to_cells": lambda a, n, m: [[x + n for x in row] for row in a],
    "add": lambda a, c, n, m: sum((a, c)),
    "subtract": lambda a, c, n, m: -(c - a),
    "area": lambda a, c, n, m: c * a,
    "bigger": lambda a, c, n, m: max(a, c),
    "clamp": lambda a, n, m: sorted([a, n, m])[1],
    "power": lambda a, c, n, m: a**c,
    "factorial": lambda a, n, m: a * ORACLES["factorial"](a - 1, n, m) if a else 1,
    "is_prime": lambda a, n, m: a in {2, 3, 5, 7, 11, 13, 17, 19, 23},
    "divisors": lambda a, n, m: [x for x in range(1, a + 1) if a / x == a // x],
    "grade": lambda a, n, m: ["low", "middle", "high"][(a >= n) + (a >= m)],
    "fibonacci": lambda a, n, m: [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377][:a],
}  # fmt: skip
PROBES: dict[str, list[Any]] = {
    "list[int]": [LIST, [5, 60, 7], sorted(LIST), [9]],
    "list[str]": [STRINGS, STRINGS[3:], ["one"]],
    "str": [TEXT, "level", "1 sunny day", "xyz"],
    "list[list[int]]": [TABLE, TABLE[1:]],
    "int": [12, 7, 1, 14],
}


def test_every_template_does_what_it_says() -> None:
    assert set(ORACLES) == {template.verb for template in TEMPLATES}
    w = Words(random.Random(4))
    for template in TEMPLATES * 4:
        function = fill(w, template)
        space: dict[str, Any] = {}
        exec(function.source(), space)
        n, m = function.numbers["n"], function.numbers["m"]
        for given in itertools.product(*(PROBES[kind] for kind in template.types)):
            result = space[function.names["f"]](*given)
            assert result == ORACLES[template.verb](*given, n, m), function.source()


def expected(says: str, data: list[int]) -> Any:
    """What a pipeline returns, from the words of its description."""
    numbers = dict(re.findall(r"(above|below|least|most|than|by) (\d+)", says.split(",")[0]))
    tests: dict[str, Callable[[int, int], bool]] = {
        "above": lambda x, n: x > n, "below": lambda x, n: x < n, "least": lambda x, n: x >= n,
        "most": lambda x, n: x <= n, "than": lambda x, n: x != n, "by": lambda x, n: not x % n,
    }  # fmt: skip
    values = [x for x in data if all(tests[key](x, int(n)) for key, n in numbers.items())]
    values = [x for x in values if not x % 2] if " even " in says else values
    values = [x for x in values if x % 2] if " odd " in says else values
    if change := re.search(r", (multiplies|adds|subtracts) \D*(\d+)", says):
        by = int(change[2])
        sign = {"multiplies": lambda x: x * by, "adds": lambda x: x + by}
        values = [sign.get(change[1], lambda x: x - by)(x) for x in values]
    values = [x * x for x in values] if "squares" in says else values
    product = 1
    for x in values:
        product *= x
    return {
        "sum": sum(values), "product": product, "largest or 0": max([0, *values]), "a list": values,
        "a set": set(values),
    }[re.findall(r"(sum|product|largest or 0|a list|a set)$", says)[0]]  # fmt: skip


@pytest.mark.parametrize("maker", [pipeline, staged])
def test_every_pipeline_does_what_it_says(maker: Any) -> None:
    w = Words(random.Random(5))
    for parts in itertools.product(FILTERS, CHANGES, ENDS):
        function = fill(w, maker(*parts))
        space: dict[str, Any] = {}
        exec(function.source(), space)
        for data in (LIST, [*range(1, 70)], []):
            wanted = expected(function.description(), data)
            assert space[function.names["f"]](data) == wanted, function.source()


def test_a_request_names_all_that_the_code_holds() -> None:
    for sample in made(1000, seed=2):
        ask, answer = sample.turns[0]
        if not blocks(ask):
            tree = ast.parse(blocks(answer)[0])
            own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
            own |= {
                node.id
                for node in ast.walk(tree)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            assert own - {"_"} <= set(re.findall(r"\w+", ask)), answer
            values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            numbers = {str(value) for value in values if type(value) is int and value > 2}
            assert numbers - {"3", "10"} <= set(re.findall(r"\d+", ask)), answer


def test_samples_differ_and_no_prompt_asks_for_two_answers() -> None:
    result: dict[str, Any] = {}
    repeated = 0
    for sample in made(20_000, seed=8):
        repeated += sample.prompt in result
        assert result.setdefault(sample.prompt, sample.turns) == sample.turns
    assert repeated <= 2


def test_evaluation_combines_templates_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    combinations: dict[str, set[str]] = {"train": set(), "eval": set()}
    original = Words.combination

    def noted(self: Words, *lists: Any) -> tuple[Any, ...]:
        chosen = original(self, *lists)
        label = "|".join(getattr(part, "__name__", str(part)) for part in chosen)
        combinations[self.split].add(label)
        return chosen

    monkeypatch.setattr(Words, "combination", noted)
    made(2000, split="train")
    made(800, split="eval")
    assert not combinations["train"] & combinations["eval"]
    options = {
        split: {part for label in labels for part in label.split("|")}
        for split, labels in combinations.items()
    }
    assert options["eval"] <= options["train"]
    assert {template.verb for template in TEMPLATES} <= options["train"]
