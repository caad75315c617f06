"""Grades answers: one rule for each task, against the reference of an unseen sample."""

from __future__ import annotations

import ast
import re

from logitspec.builtin.behaviour import behave_alike

_BLOCK = re.compile(r"```python\n(.*?)```", re.S)


def kind(category: str, prompt: str) -> str:
    """The row of the table that a prompt belongs to; code is either written or edited."""
    if category != "code":
        return category
    # An edit either includes the code or follows an answer, and never asks for a function.
    return "code: functions" if re.search(r"\bTake \w+", prompt) else "code: edits"


def is_right(row: str, reference: str, answer: str) -> bool:
    """Whether `answer` is right in the sense of `RULES[row]`."""
    if row == "math":
        return results(answer) == results(reference)
    if row == "qa":
        return conclusions(answer) == conclusions(reference)
    if row == "code: functions":
        code = block(answer)
        return code is not None and behave_alike(block(reference) or "", code)
    if row == "story":
        return faithful(reference, answer)
    return answer == reference


RULES = {
    "conversation": "same as the reference",
    "translation": "same as the reference",
    "summarization": "same sentences as the reference",
    "qa": "same conclusions as the reference, one for each question",
    "math": "same result; in drills, all results",
    "code: functions": "returns, raises and changes the same as the reference on up to 2,500 calls",
    "code: edits": "same as the reference",
    "story": "uses the names that the reference repeats, and repeats no others; short answers are the same",
}


def results(text: str) -> list[str]:
    """The result of a problem, or the results of a drill, one per line."""
    if answers := re.findall(r"[Tt]he answer is (\d+)\.", text):
        return answers[-1:]
    return [numbers[-1] for line in text.splitlines() if (numbers := re.findall(r"\d+", line))]


def conclusions(text: str) -> list[str]:
    """The text after the quote on each line; the whole line if it has no quote."""
    return [line.rsplit('"', 1)[-1].strip() for line in text.splitlines() if line.strip()]


def block(text: str) -> str | None:
    """The code of the first Python block; None if there is none or it doesn't parse."""
    match = _BLOCK.search(text)
    if match is None:
        return None
    try:
        ast.parse(match[1])
    except (SyntaxError, ValueError):
        return None
    return match[1]


def faithful(reference: str, answer: str) -> bool:
    """Whether the story keeps to the names of the reference (those that recur in it).

    A reference without such names is a short answer about a story and has to be matched exactly.
    """
    expected = names(reference)
    if not expected:
        return answer == reference
    return all(name in answer for name in expected) and names(answer) <= expected


def names(text: str) -> set[str]:
    """Capitalised words that occur within a sentence at least twice."""
    within = re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text)
    return {word for word in within if within.count(word) >= 2}


def distinct(answers: list[str], n: int = 3) -> float:
    """Distinct-n: different n-grams of words as a share of all that the answers have (0 to 1)."""
    grams = [gram for answer in answers for gram in _grams(answer, n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def repetition(answers: list[str], n: int = 4) -> float:
    """The share of n-grams of words that occurred earlier in the same answer (0 to 1)."""
    grams = [_grams(answer, n) for answer in answers]
    total = sum(map(len, grams))
    return sum(len(each) - len(set(each)) for each in grams) / total if total else 0.0


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]
