"""Templates of small Python functions.

In a template `$f` is the function, `$a` and `$c` are its parameters, `$b` and `$d` are loop
variables, `$u` is a helper variable, `$t` is the result and `$n` and `$m` are numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

INTS = "list[int]"
WORDS = "list[str]"
TABLE = "list[list[int]]"


@dataclass(frozen=True)
class Template:
    """A function with placeholders for names; `verb` is unique and begins the function's name.

    `purpose` is a phrase in the third person; `helper` describes the helper variable.
    """

    verb: str
    purpose: str
    types: tuple[str, ...]
    returns: str
    body: str
    helper: str = ""

    def __str__(self) -> str:
        return self.verb

    @property
    def parameters(self) -> str:
        """The placeholders of the parameters."""
        return "ac"[: len(self.types)]


def _template(verb: str, purpose: str, signature: str, body: str, helper: str = "") -> Template:
    """A template; the signature reads `int; int -> int` and the body is not yet indented."""
    types, returns = signature.split(" -> ")
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return Template(verb, purpose, tuple(types.split("; ")), returns, lines, helper)


# A pipeline takes one entry of each table: a filter, a change to each entry, and a result.
FILTERS = {
    "all $a": "",
    "the $a above $n": "$b > $n",
    "the $a below $n": "$b < $n",
    "the $a of at least $n": "$b >= $n",
    "the $a of at most $n": "$b <= $n",
    "the $a divisible by $n": "$b % $n == 0",
    "the even $a": "$b % 2 == 0",
    "the odd $a": "$b % 2 == 1",
}
CHANGES = {
    "": "$b",
    ", multiplies each by $m": "$b * $m",
    ", adds $m to each": "$b + $m",
    ", subtracts $m from each": "$b - $m",
    ", squares each": "$b * $b",
}
ENDS = {
    "returns their sum": ("sum", "int", "0", "$t += {}"),
    "returns their product": ("multiply", "int", "1", "$t *= {}"),
    "returns the largest or 0": ("largest", "int", "0", "$t = max($t, {})"),
    "returns them as a list": ("collect", INTS, "[]", "$t.append({})"),
    "returns them as a set": ("distinct", "set[int]", "set()", "$t.add({})"),
}


def pipeline(which: str, change: str, end: str) -> Template:
    """The function that filters, changes and gathers; the arguments are keys of the tables."""
    verb, returns, start, step = ENDS[end]
    step = step.format(CHANGES[change])
    loop = f"if {FILTERS[which]}:\n        {step}" if FILTERS[which] else step
    body = f"$t = {start}\nfor $b in $a:\n    {loop}\nreturn $t"
    return _template(verb, f"takes {which}{change} and {end}", f"{INTS} -> {returns}", body)


def staged(which: str, change: str, end: str) -> Template:
    """The same as `pipeline`, but one loop filters and a second one computes the result."""
    verb, returns, start, step = ENDS[end]
    keep = f"$u.append({CHANGES[change]})"
    loop = f"if {FILTERS[which]}:\n        {keep}" if FILTERS[which] else keep
    body = (
        f"$u = []\nfor $b in $a:\n    {loop}\n"
        f"$t = {start}\nfor $d in $u:\n    {step.format('$d')}\nreturn $t"
    )
    purpose = f"collects {which}{change} and then {end}"
    return _template(f"{verb}_from", purpose, f"{INTS} -> {returns}", body, "what is collected")


NUMBERS = [
    _template("average", "returns the average of all $a", f"{INTS} -> float", """
$t = 0
for $b in $a:
    $t += $b
return $t / len($a)"""),
    _template("smallest", "returns the smallest of the $a", f"{INTS} -> int", """
$t = $a[0]
for $b in $a:
    if $b < $t:
        $t = $b
return $t"""),
    _template("running", "returns the running totals of the $a", f"{INTS} -> {INTS}", """
$u = 0
$t = []
for $b in $a:
    $u += $b
    $t.append($u)
return $t""", "the running total"),
    _template("cap", "returns the $a with each limited to at most $n", f"{INTS} -> {INTS}", """
$t = []
for $b in $a:
    if $b > $n:
        $t.append($n)
    else:
        $t.append($b)
return $t"""),
    _template("find", "returns the position of the first of the $a above $n or -1", f"{INTS} -> int", """
for $b, $d in enumerate($a):
    if $d > $n:
        return $b
return -1"""),
    _template("check", "tells whether all $a are at least $n", f"{INTS} -> bool", """
for $b in $a:
    if $b < $n:
        return False
return True"""),
    _template("any_of", "tells whether any of the $a is divisible by $n", f"{INTS} -> bool", """
for $b in $a:
    if $b % $n == 0:
        return True
return False"""),
    _template("split", "splits the $a into those below $n and the others", f"{INTS} -> tuple[{INTS}, {INTS}]", """
$u = []
$t = []
for $b in $a:
    if $b < $n:
        $u.append($b)
    else:
        $t.append($b)
return $u, $t""", "the small ones"),
    _template("unique", "returns the $a without repeats", f"{INTS} -> {INTS}", """
$t = []
for $b in $a:
    if $b not in $t:
        $t.append($b)
return $t"""),
    _template("between", "counts the $a from $n to $m", f"{INTS} -> int", """
$t = 0
for $b in $a:
    if $n <= $b <= $m:
        $t += 1
return $t"""),
    _template("pairs", "returns all pairs of $a and $c", f"{INTS}; {INTS} -> list[tuple[int, int]]", """
$t = []
for $b in $a:
    for $d in $c:
        $t.append(($b, $d))
return $t"""),
    _template("common", "returns the $a that are also in $c", f"{INTS}; {INTS} -> {INTS}", """
$t = []
for $b in $a:
    if $b in $c:
        $t.append($b)
return $t"""),
    _template("scale", "multiplies each of the $a by $c", f"{INTS}; int -> {INTS}", """
$t = []
for $b in $a:
    $t.append($b * $c)
return $t"""),
    _template("count_over", "counts the $a above $c", f"{INTS}; int -> int", """
$t = 0
for $b in $a:
    if $b > $c:
        $t += 1
return $t"""),
    _template("dot", "returns the sum of the products of $a and $c", f"{INTS}; {INTS} -> int", """
$t = 0
for $b, $d in zip($a, $c):
    $t += $b * $d
return $t"""),
]  # fmt: skip
STRINGS = [
    _template("lengths", "returns the length of each of the $a", f"{WORDS} -> {INTS}", """
$t = []
for $b in $a:
    $t.append(len($b))
return $t"""),
    _template("upper", "returns the $a in upper case", f"{WORDS} -> {WORDS}", """
$t = []
for $b in $a:
    $t.append($b.upper())
return $t"""),
    _template("longest", "returns the longest of the $a", f"{WORDS} -> str", """
$t = ""
for $b in $a:
    if len($b) > len($t):
        $t = $b
return $t"""),
    _template("long", "returns the $a with more than $n letters", f"{WORDS} -> {WORDS}", """
$t = []
for $b in $a:
    if len($b) > $n:
        $t.append($b)
return $t"""),
    _template("tally", "counts how often each of the $a occurs", f"{WORDS} -> dict[str, int]", """
$t = {}
for $b in $a:
    $t[$b] = $t.get($b, 0) + 1
return $t"""),
    _template("initials", "returns the first letters of the $a as one string", f"{WORDS} -> str", """
$t = ""
for $b in $a:
    if $b:
        $t += $b[0]
return $t"""),
]  # fmt: skip
TEXTS = [
    _template("count_vowels", "counts the vowels in $a", "str -> int", """
$t = 0
for $b in $a:
    if $b in "aeiou":
        $t += 1
return $t"""),
    _template("remove_vowels", "returns $a without its vowels", "str -> str", """
$t = ""
for $b in $a:
    if $b not in "aeiou":
        $t += $b
return $t"""),
    _template("backwards", "returns $a backwards", "str -> str", """
$t = ""
for $b in $a:
    $t = $b + $t
return $t"""),
    _template("is_palindrome", "tells whether $a reads the same backwards", "str -> bool", """
$t = ""
for $b in $a:
    $t = $b + $t
return $t == $a"""),
    _template("digits", "returns the sum of the digits in $a", "str -> int", """
$t = 0
for $b in $a:
    if $b.isdigit():
        $t += int($b)
return $t"""),
]  # fmt: skip
TABLES = [
    _template("total", "returns the sum of all cells of $a", f"{TABLE} -> int", """
$t = 0
for $b in $a:
    for $d in $b:
        $t += $d
return $t"""),
    _template("flatten", "returns all cells of $a in one list", f"{TABLE} -> {INTS}", """
$t = []
for $b in $a:
    for $d in $b:
        $t.append($d)
return $t"""),
    _template("count_cells", "counts the cells of $a above $n", f"{TABLE} -> int", """
$t = 0
for $b in $a:
    for $d in $b:
        if $d > $n:
            $t += 1
return $t"""),
    _template("row_sums", "returns the sum of each row of $a", f"{TABLE} -> {INTS}", """
$t = []
for $b in $a:
    $u = 0
    for $d in $b:
        $u += $d
    $t.append($u)
return $t""", "the sum of a row"),
    _template("add_to_cells", "adds $n to each cell of $a", f"{TABLE} -> {TABLE}", """
$t = []
for $b in $a:
    $u = []
    for $d in $b:
        $u.append($d + $n)
    $t.append($u)
return $t""", "the new row"),
]  # fmt: skip
SCALARS = [
    _template("add", "adds $a and $c", "int; int -> int", "$t = $a + $c\nreturn $t"),
    _template("subtract", "subtracts $c from $a", "int; int -> int", "$t = $a - $c\nreturn $t"),
    _template("area", "returns $a times $c", "int; int -> int", "$t = $a * $c\nreturn $t"),
    _template("bigger", "returns the bigger of $a and $c", "int; int -> int", """
if $a > $c:
    return $a
return $c"""),
    _template("clamp", "returns $a but at least $n and at most $m", "int -> int", """
if $a < $n:
    return $n
if $a > $m:
    return $m
return $a"""),
    _template("power", "raises $a to the power of $c", "int; int -> int", """
$t = 1
for _ in range($c):
    $t *= $a
return $t"""),
    _template("factorial", "returns the factorial of $a", "int -> int", """
$t = 1
for $b in range(2, $a + 1):
    $t *= $b
return $t"""),
    _template("is_prime", "tells whether $a is a prime number", "int -> bool", """
if $a < 2:
    return False
for $b in range(2, $a):
    if $a % $b == 0:
        return False
return True"""),
    _template("divisors", "returns the divisors of $a", "int -> list[int]", """
$t = []
for $b in range(1, $a + 1):
    if $a % $b == 0:
        $t.append($b)
return $t"""),
    _template("grade", "rates $a as high from $m on, middle from $n on and low below", "int -> str", """
if $a >= $m:
    return "high"
if $a >= $n:
    return "middle"
return "low\""""),
    _template("fibonacci", "returns as many Fibonacci numbers as $a says", "int -> list[int]", """
$t = [0, 1]
while len($t) < $a:
    $t.append($t[-1] + $t[-2])
return $t[:$a]"""),
]  # fmt: skip
TEMPLATES = NUMBERS + STRINGS + TEXTS + TABLES + SCALARS
