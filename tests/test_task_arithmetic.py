"""Arithmetic: every calculation is right and worked in one way, every problem ends in its answer."""

from __future__ import annotations

import functools
import operator
import random
import re
from collections.abc import Callable

import pytest

from logitspec.builtin.tasks import Sample, arithmetic
from logitspec.builtin.tasks.sums import work_out
from logitspec.builtin.words import Split, Words

SIGNS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
}
# What identifies a story, and its result from its numbers in the order of the text.
ORACLES: list[tuple[str, Callable[[list[int]], int]]] = [
    (r"more and then|more, but|another \d+\. Later", lambda n: n[0] + n[1] - n[2]),
    (r"pays? with|hands over", lambda n: n[3] - n[0] * n[1] - n[2]),
    (r" friends? (get|receive)| for each friend\?", lambda n: (n[0] - n[1]) // n[2]),
    (r" child (get|receive)| for each child\?", lambda n: (n[0] + n[1]) // n[2]),
    (r"(travels from|On the way from| leaves \w+ for )", lambda n: n[0] * n[1] + n[2]),
    (r"times as many", lambda n: n[0] + n[0] * n[1]),
    (r"What is the age|How old|years old", lambda n: n[0] + n[1] - n[2]),
    (r"minutes", lambda n: n[0] * n[1] + n[2]),
    (r"(Together they|into a box|the two friends)", lambda n: n[0] + n[1] - n[2]),
    (r"rows", lambda n: n[0] * n[1] - n[2]),
    (r"weeks", lambda n: n[0] + n[1] * n[2] - n[3]),
    (r"missing\?| need\?|still get\?", lambda n: n[0] * n[1] - n[2]),
    (r"pages", lambda n: n[0] - n[1] * n[2] - n[3]),
    (r"(Mon|Tues|Wednes|Thurs|Fri)day", lambda n: n[0] + n[0] + n[1]),
    (r"people", lambda n: n[0] - n[1] + n[2] + n[3]),
    (r"dollars", lambda n: n[0] // n[1] * n[2]),
    (r"box|bag|crate|tray", lambda n: n[0] * n[1] + n[2]),
]


@functools.cache
def take(count: int, split: Split = "train") -> list[Sample]:
    words = Words(random.Random(f"{split}-7"), split)
    return [arithmetic.sample(words) for _ in range(count)]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def is_drill(prompt: str) -> bool:
    return prompt.startswith(("Calculate", "Work"))


def solve(prompt: str, before: int) -> int:
    """The result by the wording of the prompt; `before` is the previous turn's answer."""
    n = numbers(prompt)
    if len(n) == 1:
        if "times" in prompt:
            return before * n[0]
        return before - n[0] if "fewer" in prompt else before + n[0]
    if task := re.search(r"(\d+) ([-+*]) (\d+)", prompt):
        value = SIGNS[task[2]](int(task[1]), int(task[3]))
        return value - n[2] if "take away" in prompt else value + n[2]
    return next(formula for pattern, formula in ORACLES if re.search(pattern, prompt))(n)


@pytest.mark.parametrize("split", ["train", "eval"])
def test_problems_end_in_the_answer_that_follows_from_the_prompt(split: Split) -> None:
    for sample in take(3000, split):
        before = 0
        for prompt, answer in sample.turns:
            if is_drill(prompt):
                continue
            (result,) = re.findall(r"The answer is (\d+)\.$", answer)
            assert solve(prompt, before) == int(result), (prompt, answer)
            before = int(result)


@pytest.mark.parametrize("split", ["train", "eval"])
def test_every_equation_is_a_small_true_fact(split: Split) -> None:
    for sample in take(3000, split):
        for _, answer in sample.turns:
            for x, sign, y, result in re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", answer):
                assert SIGNS[sign](int(x), int(y)) == int(result)
                assert 0 <= int(result) < 1000
                assert len(y.rstrip("0") or "0") == 1
                if sign == "*":
                    assert len(x) == 1
                if sign == "/":
                    assert int(x) % int(y) == 0


def test_drills_answer_each_exercise_on_its_own_line() -> None:
    drills = [turn for sample in take(3000) for turn in sample.turns if is_drill(turn[0])]
    for prompt, answer in drills:
        exercises = prompt.split(": ", 1)[1].split(", ")
        lines = answer.splitlines()
        assert len(exercises) == len(lines)
        assert 3 <= len(lines) <= 10
        for exercise, line in zip(exercises, lines, strict=True):
            x, sign, y = exercise.split()
            assert re.match(rf"{re.escape(exercise)}( =|:)", line)
            assert numbers(line)[-1] == SIGNS[sign](int(x), int(y))
    assert 0.25 < len(drills) / 3000 < 0.5


def test_calculations_are_worked_in_one_way() -> None:
    assert work_out(47, "+", 38) == "47 + 38: 47 + 30 = 77, 77 + 8 = 85"
    assert work_out(85, "-", 47) == "85 - 47: 85 - 40 = 45, 45 - 7 = 38"
    assert work_out(47, "+", 8) == "47 + 8 = 55"
    assert work_out(42, "/", 6) == "42 / 6: 6 * 7 = 42, so 42 / 6 = 7"
    assert work_out(412, "-", 205) == "412 - 205: 412 - 200 = 212, 212 - 5 = 207"
    assert work_out(7, "*", 48) == (
        "7 * 48: 7 * 40 = 280, 7 * 8 = 56, 280 + 56: 280 + 50 = 330, 330 + 6 = 336"
    )


def test_prompts_do_not_repeat() -> None:
    assert len({sample.prompt for sample in take(20000)}) == 20000


def test_splits_share_no_combination_of_templates() -> None:
    combinations: dict[Split, set[tuple[str, ...]]] = {"train": set(), "eval": set()}

    class Recording(Words):
        def combination(self, *lists):  # type: ignore[no-untyped-def]
            chosen = super().combination(*lists)
            label = tuple(getattr(option, "__name__", str(option)) for option in chosen)
            combinations[self.split].add(label)
            return chosen

    for split in combinations:
        words = Recording(random.Random(1), split)
        for _ in range(4000):
            arithmetic.sample(words)
    assert not combinations["train"] & combinations["eval"]
    for options in zip(*(c for c in combinations["eval"] if len(c) == 4), strict=True):
        assert set(options) <= {option for c in combinations["train"] for option in c}


def test_what_is_counted_stands_in_a_right_plural() -> None:
    for sample in take(3000):
        text = " ".join(part for turn in sample.turns for part in turn)
        # A factor or a share may be any number, but no one is left with 1 or 0 of something.
        assert not re.search(r"(?<!\d)[01] [a-z]+s\b", text), text
        assert not re.search(r"\d [a-z]*(s|x|z|ch|sh)s\b", text), text
    words = Words(random.Random(2))
    for _ in range(3000):
        assert not re.search(r"(s|x|z|h)s$", words.plural())
        assert words.coin_word() not in {"home", "here", "more", "same", "bread", "piano"}
        assert len(set(words.towns(3))) == 3
