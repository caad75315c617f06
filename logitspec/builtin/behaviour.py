"""Compares two functions by running both on the same arguments in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys

MAX_SECONDS = 20.0

# The harness allows a handful of builtins and no imports, and counts lines, so that code which a
# model wrote can neither reach anything nor run for ever.
_HARNESS = r"""
import copy, inspect, itertools, json, re, sys

SAFE = {name: getattr(__builtins__, name) for name in (
    "abs all any bool chr dict divmod enumerate filter float int isinstance len list map max min"
    " ord pow print range repr reversed round set sorted str sum tuple zip True False None"
    " Exception IndexError KeyError TypeError ValueError ZeroDivisionError").split()
    if hasattr(__builtins__, name)}
SAFE["print"] = lambda *parts, **options: None
ARGUMENTS = [
    [3, 8, 3, -2, 0, 41], [5, 5, 120, 7], ["ab", "Cde", "", "ab", "level"], ["One", "two words"],
    {"x": 3, "y": 50, "z": 3}, [[1, 2], [3, 40]], "Hello world, a level 12", "abba", 7, 12, 1, 30, "a",
]

class TooLong(BaseException):
    pass

def tracer(max_lines):
    lines = [max_lines]
    def trace(frame, event, value):
        lines[0] -= 1
        if lines[0] < 0:
            raise TooLong
        return trace
    return trace

def function(source):
    space = {"__builtins__": SAFE}
    exec(source, space)
    return next(value for name, value in space.items() if name != "__builtins__" and callable(value))

def outcome(call, arguments):
    arguments = copy.deepcopy(arguments)
    sys.settrace(tracer(3000))
    try:
        return "value", repr(call(*arguments)), repr(arguments)
    except TooLong:
        return ("too long",)
    except Exception as error:
        return "error", type(error).__name__
    finally:
        sys.settrace(None)

sources = json.load(sys.stdin)
# What the reference compares with: its numbers, those beside them, and its texts.
numbers = [n + d for n in sorted({int(n) for n in re.findall(r"\b\d{1,4}\b", sources[0])}) for d in (-1, 0, 1)]
texts = sorted(set(re.findall(r"['\"](\w{1,20})['\"]", sources[0])))
ARGUMENTS[:0] = [numbers, [numbers, [3]], *numbers[:9], [t + u for t in texts for u in ("", "q")] or ["q"]]
try:
    first, second = (function(source) for source in sources)
    count = len(inspect.signature(first).parameters)
    same = len(inspect.signature(second).parameters) == count
except BaseException:
    same = False
if same:
    returned = 0
    for arguments in itertools.islice(itertools.product(ARGUMENTS, repeat=count), 2500):
        expected = outcome(first, arguments)
        returned += expected[0] == "value"
        if outcome(second, arguments) != expected:
            same = False
            break
    same = same and returned > 0
print(json.dumps(same))
"""


def behave_alike(reference: str, other: str) -> bool:
    """True if the first functions of the two sources return, raise and change the same.

    Both are called with all combinations of numbers, lists, texts and tables; at least one call of
    the reference has to return. False if one of them doesn't compile or takes other parameters.
    """
    try:
        process = subprocess.run(
            [sys.executable, "-I", "-c", _HARNESS],
            input=json.dumps([reference, other]),
            capture_output=True,
            text=True,
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return process.returncode == 0 and process.stdout.strip() == "true"
