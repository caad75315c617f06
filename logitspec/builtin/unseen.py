"""Prompts that training never draws, in the form of prompt files.

python -m logitspec evaluate --unseen assets/prompts/unseen.jsonl --prompts 3 --seed 3
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from logitspec.builtin.corpus import TASKS, samples


def unseen(each: int, seed: int, first_id: int = 1001) -> Iterator[dict[str, Any]]:
    """`each` conversations of the evaluation split a task, in the form of Spec-Bench's questions, with
    the answers that the generator expects as `reference`."""
    drawn = (sample for task in TASKS for sample in islice(samples(seed, "eval", task), each))
    for number, sample in enumerate(drawn, first_id):
        asked, answers = zip(*sample.turns, strict=True)
        yield {
            "question_id": number,
            "category": sample.category,
            "turns": list(asked),
            "reference": list(answers),
        }
