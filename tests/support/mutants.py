"""Files that are almost traces: every kind of field of a made-up run, changed in every way that comes to mind."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from logitspec.decoding.race import Race
from logitspec.trace.records import Trace
from support.player_page import MadeUp, words

SEED = 17

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
RAW = {
    # JSON that Python's encoder does not write: digits, words and escapes as they are in a file.
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus infinity": "-Infinity",
    "too large for a float": "1e999",
    "too small": "-1e999",
    "401 digits": "1" + 400 * "0",
    "6,000 digits": 6000 * "9",
    "whole with a point": "1.0",
    "whole with an exponent": "2e0",
    "minus zero": "-0",
    "leading zero": "007",
    "half a character": '"a\\ud83d"',
    "the other half": '"\\udc00b"',
    "both halves": '"\\ud83d\\ude00"',
    "deep": 60 * "[" + 60 * "]",
    "deeper": 3000 * "[" + 3000 * "]",
    "deep objects": 30 * '{"a":' + "1" + 30 * "}",
    "twice": '{"a":1,"a":2}',
    "prototype": '{"__proto__":{"hex":"61"},"constructor":1}',
}
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "half": 0.5,
    "minus half": -0.5,
    "1,000": 1000,
    "1,024": 1024,
    "2^31": 2**31,
    "2^53": 2**53 + 2,
    "2^64": 2**64,
    "1e300": 1e300,
    "no text": "",
    "text": "x",
    "digits": "12",
    "root": "root",
    "long text": 1025 * "y",
    "longer text": 66_000 * "z",
    "markup": HOSTILE,
    "separators": "\u2028\u2029\u0085\ufeff",
    "directions": "\u202e\u2066\u200f",
    "controls": "\x00\x07\x1b[2J",
    "no list": [],
    "no object": {},
    "list": [0],
    "list in a list": [[]],
    "long list": 1100 * [0],
    "longer list": 5000 * [1],
    "hex": {"hex": "f0"},
    "odd hex": {"hex": "f"},
    "no hex": {"hex": "zz"},
    "spaced hex": {"hex": "e2 9c"},
    "large hex": {"hex": "E2"},
    "hex and more": {"hex": "e2", "more": 1},
    "long hex": {"hex": 2500 * "e2"},
}


LARGE = {"longer text", "longer list", "long hex"}  # in some places only


class Mutant(NamedTuple):
    """A file and how it came about."""

    name: str
    data: bytes


Path = tuple[Any, ...]


@cache
def made_up() -> dict[str, Any]:
    """The document of a short run with every field in use."""
    tokens = words("the cat sat on the mat and the cat sat on it")
    trace = MadeUp(tokens[:6], [*tokens[6:], b"\xf0\x9f", b"\x98\x80"], ranks=3, seed=3).trace
    trace.prompt, trace.recorded, trace.error = "the cat", "a cat", None
    trace.model = {"id": "cat", "dtype": "float32", "device": "cpu"}
    trace.environment = {"python": "3", "forward_costs": {"rows": [1, 2], "milliseconds": [1, 2.5]}}
    trace.options, trace.eos_ids = {"copies": True, "sizes": [1, 2]}, [1]
    trace.baseline = {"method": "autoregressive", "seconds_per_token": 0.02}
    for step in trace.steps:
        step.last = step.last.head(5)
    mentioned = trace.mentioned()
    trace.vocabulary = {token: trace.vocabulary[token] for token in sorted(mentioned)}
    document: dict[str, Any] = json.loads(trace.to_json())
    return document


def race() -> dict[str, Any]:
    """The document of a race of two such runs."""
    lanes = [Trace.from_json(json.dumps(made_up())) for _ in range(2)]
    document: dict[str, Any] = json.loads(Race(["One", "Two"], lanes).to_json())
    return document


def mutants(document: dict[str, Any]) -> list[Mutant]:
    """The document and its mutants, the same in every call."""
    dice = random.Random(SEED)
    kinds: dict[Path, list[Path]] = {}
    for path in _paths(document):
        if path[:1] == ("lanes",) and len(path) > 3:
            continue  # a lane's trace is like any other
        kinds.setdefault(tuple("*" if isinstance(p, int) else p for p in path), []).append(path)
    result = [Mutant("as it was", _written(document))]
    for paths in kinds.values():
        result += _of_a_place(document, dice.choice(paths), dice)
    return [*result, *_of_the_file(_written(document))]


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        # Token ids are all alike: some of them are enough.
        inner = value if not path or path[-1] != "vocabulary" else list(value)[::7]
        for name in inner:
            yield from _paths(value[name], (*path, name))
    if isinstance(value, list):
        for number in range(len(value)):
            yield from _paths(value[number], (*path, number))


def _of_a_place(document: dict[str, Any], path: Path, dice: random.Random) -> Iterator[Mutant]:
    place = ".".join(map(str, path))
    for name, value in VALUES.items():
        if name in LARGE and dice.random() < 0.7:
            continue
        yield Mutant(f"{place}: {name}", _written(_with(document, path, value)))
    for name, text in RAW.items():
        marked = _written(_with(document, path, "@raw@"))
        yield Mutant(f"{place}: {name}", marked.replace(b'"@raw@"', text.encode()))
    old = _at(document, path)
    if isinstance(old, int) and not isinstance(old, bool):
        for change in (-2, -1, 1, 2, 9):
            yield Mutant(f"{place}: {change:+}", _written(_with(document, path, old + change)))
    if isinstance(old, list) and old:
        for name, new in _lists(old, dice):
            yield Mutant(f"{place}: {name}", _written(_with(document, path, new)))
    if isinstance(old, dict):
        reordered = dict(sorted(old.items()))
        yield Mutant(f"{place}: reordered", _written(_with(document, path, reordered)))
        yield Mutant(f"{place}: one more", _written(_with(document, path, {**old, "more": 1})))
        yield Mutant(f"{place}: hostile name", _written(_with(document, path, {**old, HOSTILE: 1})))
    if isinstance(path[-1], str):
        yield Mutant(f"{place}: left out", _written(_with(document, path, None, out=True)))


def _lists(old: list[Any], dice: random.Random) -> Iterator[tuple[str, list[Any]]]:
    at = dice.randrange(len(old))
    yield "reversed", old[::-1]
    yield "without one", old[:at] + old[at + 1 :]
    yield "with one twice", [*old[: at + 1], *old[at:]]
    yield "with its last again", [*old, old[-1]]
    yield "cut", old[: len(old) // 2]
    yield "turned", old[1:] + old[:1]
    yield "shuffled", dice.sample(old, len(old))
    if all(type(each) is int for each in old):
        yield "next numbers", [*old, old[-1] + 1]
        yield "counting", list(range(len(old)))
        yield "counting from 1", list(range(1, len(old) + 1))
        yield "all zero", [0] * len(old)
        yield "a chain", list(range(-1, len(old) - 1))


def _of_the_file(data: bytes) -> Iterator[Mutant]:
    text = data.decode()
    for name, other in {
        "empty": b"",
        "white space": b" \n\t",
        "null": b"null",
        "a text": b'"trace"',
        "a list": b"[" + data + b"]",
        "cut": data[: len(data) // 2],
        "cut by one": data[:-1],
        "followed by more": data + b"{}",
        "followed by a line": data + b"\n\n",
        "with a byte order mark": b"\xef\xbb\xbf" + data,
        "with two": 2 * b"\xef\xbb\xbf" + data,
        "in UTF-16": text.encode("utf-16"),
        "in Latin-1": text.replace("the cat", "the cät").encode("latin-1"),
        "with a zero byte": data + b"\0",
        "with a comma too many": data[:-1] + b",}",
        "with a comment": b"/* a */" + data,
        "in single quotes": data.replace(b'"', b"'"),
        "brackets": 900_000 * b"[",
        "brackets that close": 900_000 * b"[" + 900_000 * b"]",
        "objects": b"[" + 900_000 * b"{}," + b"0]",
        "brackets in brackets": 20_000 * b"[" + 20_000 * b"]",
        "gibberish": bytes(random.Random(SEED).randbytes(500)),
    }.items():
        yield Mutant(f"the file: {name}", other)


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = document[part]
    return document


def _with(document: Any, path: Path, value: Any, out: bool = False) -> Any:
    """A copy of the document with another value at `path`, or with nothing there; unchanged parts are shared."""
    if not path:
        return value
    first, *rest = path
    copy = document.copy()
    if out and not rest:
        del copy[first]
    else:
        copy[first] = _with(document[first], tuple(rest), value, out)
    return copy


def _written(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
