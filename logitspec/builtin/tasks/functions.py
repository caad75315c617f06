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
    """A function with open names; `verb` is unique and begins the function's name.

    `purpose` says in the third person what it does, `helper` what the helper variable holds.
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


def _made(verb: str, purpose: str, signature: str, body: str, helper: str = "") -> Template:
    """A template; the signature reads `int, int -> int` and the body is not yet indented."""
    types, returns = signature.split(" -> ")
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return Template(verb, purpose, tuple(types.split("; ")), returns, lines, helper)


# A pipeline is one choice of each: which entries, what is done to each and what is returned.
FILTERS = {
    "all $a": "",
    "the $a above $n": "$b > $n",
    "the $a below $n": "$b < $n",
    "the $a of at least $n": "$b >= $n",
    "the $a of at most $n": "$b <= $n",
    "the $a other than $n": "$b != $n",
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
    "returns them in reverse order": ("reverse", INTS, "[]", "$t.insert(0, {})"),
    "returns the last of them or 0": ("last", "int", "0", "$t = {}"),
}


def pipeline(which: str, change: str, end: str) -> Template:
    """The function that filters, changes and gathers; the arguments are keys of the tables."""
    verb, returns, start, step = ENDS[end]
    step = step.format(CHANGES[change])
    loop = f"if {FILTERS[which]}:\n        {step}" if FILTERS[which] else step
    body = f"$t = {start}\nfor $b in $a:\n    {loop}\nreturn $t"
    return _made(verb, f"takes {which}{change} and {end}", f"{INTS} -> {returns}", body)


def staged(which: str, change: str, end: str) -> Template:
    """The same as `pipeline`, but collected in one loop and gathered in a second one."""
    verb, returns, start, step = ENDS[end]
    keep = f"$u.append({CHANGES[change]})"
    loop = f"if {FILTERS[which]}:\n        {keep}" if FILTERS[which] else keep
    body = (
        f"$u = []\nfor $b in $a:\n    {loop}\n"
        f"$t = {start}\nfor $d in $u:\n    {step.format('$d')}\nreturn $t"
    )
    purpose = f"collects {which}{change} and then {end}"
    return _made(f"{verb}_from", purpose, f"{INTS} -> {returns}", body, "what is collected")


NUMBERS = [
    _made("average", "returns the average of all $a", f"{INTS} -> float", """
$t = 0
for $b in $a:
    $t += $b
return $t / len($a)"""),
    _made("smallest", "returns the smallest of the $a", f"{INTS} -> int", """
$t = $a[0]
for $b in $a:
    if $b < $t:
        $t = $b
return $t"""),
    _made("spread", "returns the largest minus the smallest of the $a", f"{INTS} -> int", """
$u = $a[0]
$t = $a[0]
for $b in $a:
    if $b < $u:
        $u = $b
    if $b > $t:
        $t = $b
return $t - $u""", "the smallest"),
    _made("running", "returns the running totals of the $a", f"{INTS} -> {INTS}", """
$u = 0
$t = []
for $b in $a:
    $u += $b
    $t.append($u)
return $t""", "the running total"),
    _made("steps", "returns the differences between neighbouring $a", f"{INTS} -> {INTS}", """
$t = []
for $b in range(1, len($a)):
    $t.append($a[$b] - $a[$b - 1])
return $t"""),
    _made("cap", "returns the $a with each limited to at most $n", f"{INTS} -> {INTS}", """
$t = []
for $b in $a:
    if $b > $n:
        $t.append($n)
    else:
        $t.append($b)
return $t"""),
    _made("find", "returns the position of the first of the $a above $n or -1", f"{INTS} -> int", """
for $b, $d in enumerate($a):
    if $d > $n:
        return $b
return -1"""),
    _made("above_average", "returns the $a above their average", f"{INTS} -> {INTS}", """
$u = 0
for $b in $a:
    $u += $b
$u = $u / len($a)
$t = []
for $b in $a:
    if $b > $u:
        $t.append($b)
return $t""", "the average"),
    _made("check", "tells whether all $a are at least $n", f"{INTS} -> bool", """
for $b in $a:
    if $b < $n:
        return False
return True"""),
    _made("any_of", "tells whether any of the $a is divisible by $n", f"{INTS} -> bool", """
for $b in $a:
    if $b % $n == 0:
        return True
return False"""),
    _made("is_sorted", "tells whether the $a are in rising order", f"{INTS} -> bool", """
for $b in range(1, len($a)):
    if $a[$b] < $a[$b - 1]:
        return False
return True"""),
    _made("split", "splits the $a into those below $n and the others", f"{INTS} -> tuple[{INTS}, {INTS}]", """
$u = []
$t = []
for $b in $a:
    if $b < $n:
        $u.append($b)
    else:
        $t.append($b)
return $u, $t""", "the small ones"),
    _made("unique", "returns the $a without repeats", f"{INTS} -> {INTS}", """
$t = []
for $b in $a:
    if $b not in $t:
        $t.append($b)
return $t"""),
    _made("between", "counts the $a from $n to $m", f"{INTS} -> int", """
$t = 0
for $b in $a:
    if $n <= $b <= $m:
        $t += 1
return $t"""),
    _made("longest_run", "returns the length of the longest run of $a above $n", f"{INTS} -> int", """
$u = 0
$t = 0
for $b in $a:
    if $b > $n:
        $u += 1
        if $u > $t:
            $t = $u
    else:
        $u = 0
return $t""", "the length of the run"),
    _made("pairs", "returns all pairs of $a and $c", f"{INTS}; {INTS} -> list[tuple[int, int]]", """
$t = []
for $b in $a:
    for $d in $c:
        $t.append(($b, $d))
return $t"""),
    _made("common", "returns the $a that are also in $c", f"{INTS}; {INTS} -> {INTS}", """
$t = []
for $b in $a:
    if $b in $c:
        $t.append($b)
return $t"""),
    _made("scale", "multiplies each of the $a by $c", f"{INTS}; int -> {INTS}", """
$t = []
for $b in $a:
    $t.append($b * $c)
return $t"""),
    _made("count_over", "counts the $a above $c", f"{INTS}; int -> int", """
$t = 0
for $b in $a:
    if $b > $c:
        $t += 1
return $t"""),
    _made("dot", "returns the sum of the products of $a and $c", f"{INTS}; {INTS} -> int", """
$t = 0
for $b, $d in zip($a, $c):
    $t += $b * $d
return $t"""),
    _made("classes", "counts the $a below $n as low, up to $m as middle and the others as high", f"{INTS} -> dict[str, int]", """
$t = {"low": 0, "middle": 0, "high": 0}
for $b in $a:
    if $b < $n:
        $t["low"] += 1
    elif $b <= $m:
        $t["middle"] += 1
    else:
        $t["high"] += 1
return $t"""),
    _made("sort", "returns the $a in rising order by swapping", f"{INTS} -> {INTS}", """
$t = list($a)
for $b in range(len($t)):
    for $d in range($b + 1, len($t)):
        if $t[$d] < $t[$b]:
            $t[$b], $t[$d] = $t[$d], $t[$b]
return $t"""),
    _made("second", "returns the second largest of the $a, each above zero", f"{INTS} -> int", """
$u = 0
$t = 0
for $b in $a:
    if $b > $u:
        $t = $u
        $u = $b
    elif $b > $t:
        $t = $b
return $t""", "the largest"),
    _made("signs", "counts the positive and the negative $a in a dictionary", f"{INTS} -> dict[str, int]", """
$t = {"positive": 0, "negative": 0}
for $b in $a:
    if $b > 0:
        $t["positive"] += 1
    elif $b < 0:
        $t["negative"] += 1
return $t"""),
]  # fmt: skip
STRINGS = [
    _made("lengths", "returns the length of each of the $a", f"{WORDS} -> {INTS}", """
$t = []
for $b in $a:
    $t.append(len($b))
return $t"""),
    _made("upper", "returns the $a in upper case", f"{WORDS} -> {WORDS}", """
$t = []
for $b in $a:
    $t.append($b.upper())
return $t"""),
    _made("longest", "returns the longest of the $a", f"{WORDS} -> str", """
$t = ""
for $b in $a:
    if len($b) > len($t):
        $t = $b
return $t"""),
    _made("long", "returns the $a with more than $n letters", f"{WORDS} -> {WORDS}", """
$t = []
for $b in $a:
    if len($b) > $n:
        $t.append($b)
return $t"""),
    _made("number", "numbers the $a from $n", f"{WORDS} -> {WORDS}", """
$u = $n
$t = []
for $b in $a:
    $t.append(f"{$u}. {$b}")
    $u += 1
return $t""", "the number"),
    _made("tally", "counts how often each of the $a occurs", f"{WORDS} -> dict[str, int]", """
$t = {}
for $b in $a:
    $t[$b] = $t.get($b, 0) + 1
return $t"""),
    _made("most_common", "returns the most frequent of the $a", f"{WORDS} -> str", """
$u = {}
for $b in $a:
    if $b not in $u:
        $u[$b] = 0
    $u[$b] += 1
$t = $a[0]
for $b in $u:
    if $u[$b] > $u[$t]:
        $t = $b
return $t""", "the counts"),
    _made("group", "groups the $a by their length", f"{WORDS} -> dict[int, {WORDS}]", """
$t = {}
for $b in $a:
    $u = len($b)
    if $u not in $t:
        $t[$u] = []
    $t[$u].append($b)
return $t""", "the length"),
    _made("initials", "returns the first letters of the $a as one string", f"{WORDS} -> str", """
$t = ""
for $b in $a:
    if $b:
        $t += $b[0]
return $t"""),
    _made("repeated", "returns the $a that occur at least $n times", f"{WORDS} -> {WORDS}", """
$u = {}
for $b in $a:
    $u[$b] = $u.get($b, 0) + 1
$t = []
for $b in $u:
    if $u[$b] >= $n:
        $t.append($b)
return $t""", "the counts"),
    _made("longest_each", "returns the longest of the $a for each first letter", f"{WORDS} -> dict[str, str]", """
$t = {}
for $b in $a:
    $u = $b[0]
    if $u not in $t:
        $t[$u] = $b
    elif len($b) > len($t[$u]):
        $t[$u] = $b
return $t""", "the first letter"),
    _made("where", "returns the positions of each of the $a", f"{WORDS} -> dict[str, {INTS}]", """
$t = {}
for $b, $d in enumerate($a):
    if $d not in $t:
        $t[$d] = []
    $t[$d].append($b)
return $t"""),
]  # fmt: skip
TEXTS = [
    _made("count_vowels", "counts the vowels in $a", "str -> int", """
$t = 0
for $b in $a:
    if $b in "aeiou":
        $t += 1
return $t"""),
    _made("remove_vowels", "returns $a without its vowels", "str -> str", """
$t = ""
for $b in $a:
    if $b not in "aeiou":
        $t += $b
return $t"""),
    _made("backwards", "returns $a backwards", "str -> str", """
$t = ""
for $b in $a:
    $t = $b + $t
return $t"""),
    _made("is_palindrome", "tells whether $a reads the same backwards", "str -> bool", """
$t = ""
for $b in $a:
    $t = $b + $t
return $t == $a"""),
    _made("digits", "returns the sum of the digits in $a", "str -> int", """
$t = 0
for $b in $a:
    if $b.isdigit():
        $t += int($b)
return $t"""),
    _made("compress", "returns $a without neighbouring repeats", "str -> str", """
$u = ""
$t = ""
for $b in $a:
    if $b != $u:
        $t += $b
    $u = $b
return $t""", "the letter before"),
    _made("letters", "counts each letter of $a in lower case", "str -> dict[str, int]", """
$t = {}
for $b in $a.lower():
    if $b.isalpha():
        if $b not in $t:
            $t[$b] = 0
        $t[$b] += 1
return $t"""),
    _made("strong", "tells whether $a has a digit and at least $n characters", "str -> bool", """
if len($a) < $n:
    return False
$t = False
for $b in $a:
    if $b.isdigit():
        $t = True
return $t"""),
]  # fmt: skip
TABLES = [
    _made("total", "returns the sum of all cells of $a", f"{TABLE} -> int", """
$t = 0
for $b in $a:
    for $d in $b:
        $t += $d
return $t"""),
    _made("flatten", "returns all cells of $a in one list", f"{TABLE} -> {INTS}", """
$t = []
for $b in $a:
    for $d in $b:
        $t.append($d)
return $t"""),
    _made("count_cells", "counts the cells of $a above $n", f"{TABLE} -> int", """
$t = 0
for $b in $a:
    for $d in $b:
        if $d > $n:
            $t += 1
return $t"""),
    _made("row_sums", "returns the sum of each row of $a", f"{TABLE} -> {INTS}", """
$t = []
for $b in $a:
    $u = 0
    for $d in $b:
        $u += $d
    $t.append($u)
return $t""", "the sum of a row"),
    _made("row_tops", "returns the largest cell of each row of $a", f"{TABLE} -> {INTS}", """
$t = []
for $b in $a:
    $u = $b[0]
    for $d in $b:
        if $d > $u:
            $u = $d
    $t.append($u)
return $t""", "the largest cell"),
    _made("best_row", "returns the row of $a with the largest sum", f"{TABLE} -> {INTS}", """
$t = $a[0]
$u = sum($a[0])
for $b in $a:
    if sum($b) > $u:
        $u = sum($b)
        $t = $b
return $t""", "the largest sum"),
    _made("add_to_cells", "adds $n to each cell of $a", f"{TABLE} -> {TABLE}", """
$t = []
for $b in $a:
    $u = []
    for $d in $b:
        $u.append($d + $n)
    $t.append($u)
return $t""", "the new row"),
]  # fmt: skip
SCALARS = [
    _made("add", "adds $a and $c", "int; int -> int", "$t = $a + $c\nreturn $t"),
    _made("subtract", "subtracts $c from $a", "int; int -> int", "$t = $a - $c\nreturn $t"),
    _made("area", "returns $a times $c", "int; int -> int", "$t = $a * $c\nreturn $t"),
    _made("combine", "returns $n times $a plus $m times $c", "int; int -> int", """
$t = $n * $a + $m * $c
return $t"""),
    _made("bigger", "returns the bigger of $a and $c", "int; int -> int", """
if $a > $c:
    return $a
return $c"""),
    _made("limit", "returns $a but at most $c", "int; int -> int", """
$t = $a
if $t > $c:
    $t = $c
return $t"""),
    _made("clamp", "returns $a but at least $n and at most $m", "int -> int", """
if $a < $n:
    return $n
if $a > $m:
    return $m
return $a"""),
    _made("power", "raises $a to the power of $c", "int; int -> int", """
$t = 1
for _ in range($c):
    $t *= $a
return $t"""),
    _made("factorial", "returns the factorial of $a", "int -> int", """
$t = 1
for $b in range(2, $a + 1):
    $t *= $b
return $t"""),
    _made("is_prime", "tells whether $a is a prime number", "int -> bool", """
if $a < 2:
    return False
for $b in range(2, $a):
    if $a % $b == 0:
        return False
return True"""),
    _made("divisors", "returns the divisors of $a", "int -> list[int]", """
$t = []
for $b in range(1, $a + 1):
    if $a % $b == 0:
        $t.append($b)
return $t"""),
    _made("grade", "rates $a as high from $m on, middle from $n on and low below", "int -> str", """
if $a >= $m:
    return "high"
if $a >= $n:
    return "middle"
return "low\""""),
    _made("multiples", "returns the multiples of $n up to $a", "int -> list[int]", """
$t = []
$u = $n
while $u <= $a:
    $t.append($u)
    $u += $n
return $t""", "the multiple"),
    _made("fibonacci", "returns as many Fibonacci numbers as $a says", "int -> list[int]", """
$t = [0, 1]
while len($t) < $a:
    $t.append($t[-1] + $t[-2])
return $t[:$a]"""),
    _made("gcd", "returns the greatest common divisor of $a and $c", "int; int -> int", """
while $c:
    $a, $c = $c, $a % $c
return $a"""),
    _made("count_digits", "returns the number of digits of $a", "int -> int", """
$t = 1
while $a >= 10:
    $a //= 10
    $t += 1
return $t"""),
    _made("collatz", "returns the Collatz sequence that begins with $a", "int -> list[int]", """
$t = [$a]
while $a != 1:
    if $a % 2 == 0:
        $a //= 2
    else:
        $a = 3 * $a + 1
    $t.append($a)
return $t"""),
    _made("cost", "returns $n times $a plus $m if $a is above $c", "int; int -> int", """
$t = $n * $a
if $a > $c:
    $t += $m
return $t"""),
]  # fmt: skip
TEMPLATES = NUMBERS + STRINGS + TEXTS + TABLES + SCALARS
