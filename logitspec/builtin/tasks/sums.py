"""Calculations in small steps, and drills of them.

A tiny model cannot add two-digit numbers in one go, but it can learn a few hundred small facts
exactly. So every calculation takes the second number digit by digit, here and in word problems.
"""

from __future__ import annotations

from logitspec.builtin.words import Words

_ASKS = ["Calculate: ", "Work these out: ", "Work out: ", "Calculate these one by one: "]
_COUNTS = range(3, 11)
_SIGNS = {
    "mixed": "+-*/",
    "sums": "+",
    "differences": "-",
    "sums and differences": "+-",
    "tables": "*/",
    "products and sums": "*+",
}


def calculate(x: int, sign: str, y: int) -> int:
    """The result of `x sign y`, where the sign is one of + - * /."""
    if sign == "+":
        return x + y
    if sign == "-":
        return x - y
    return x * y if sign == "*" else x // y


def _places(number: int) -> list[int]:
    """238 as 200, 30, 8; zeros are left out."""
    digits = str(number)
    parts = [int(digit) * 10 ** (len(digits) - at) for at, digit in enumerate(digits, 1)]
    return [part for part in parts if part] or [0]


def work_out(x: int, sign: str, y: int) -> str:
    """The calculation in small steps; the last number is the result.

    "47 + 38: 47 + 30 = 77, 77 + 8 = 85", but "47 + 8 = 55" where one step is enough. A product
    has its one-digit factor first; a division must come out even.
    """
    task, result = f"{x} {sign} {y}", calculate(x, sign, y)
    if sign == "/":
        return f"{task}: {y} * {result} = {x}, so {task} = {result}"
    parts = _places(y)
    if len(parts) == 1:
        return f"{task} = {result}"
    if sign == "*":
        products = [x * part for part in parts]
        facts = [f"{x} * {part} = {product}" for part, product in zip(parts, products, strict=True)]
        return f"{task}: {', '.join(facts)}, {work_out(products[0], '+', products[1])}"
    facts = []
    for part in parts:
        facts.append(f"{x} {sign} {part} = {calculate(x, sign, part)}")
        x = calculate(x, sign, part)
    return f"{task}: {', '.join(facts)}"


def _exercise(w: Words, signs: str) -> tuple[int, str, int]:
    sign = w.pick(signs)
    if sign == "*":
        # One-digit facts and the products that are made of them.
        return w.number(2, 9), sign, w.number(2, 9) if w.chance(0.5) else w.number(11, 99)
    if sign == "/":
        divisor = w.number(2, 9)
        return divisor * w.number(2, 9), sign, divisor
    # Now and then a three-digit number with a small one, as at the end of a product.
    x = w.number(100, 899) if w.chance(0.25) else w.number(3, 99)
    y = w.number(2, 9) if w.chance(0.25) else w.number(10, 99)
    return (x, sign, y) if sign == "+" else (max(x, y), sign, min(x, y))


def drill(w: Words) -> tuple[str, str]:
    """Three to ten calculations: a word problem holds too few of them to learn from."""
    ask, count, style = w.combination(_ASKS, _COUNTS, list(_SIGNS))
    exercises = [_exercise(w, _SIGNS[style]) for _ in range(count)]
    user = ask + ", ".join(f"{x} {sign} {y}" for x, sign, y in exercises)
    return user, "\n".join(f"{work_out(*exercise)}." for exercise in exercises)
