"""Prompts that training never draws, in the form of prompt files.

python -m logitspec evaluate --unseen assets/prompts/unseen.jsonl --prompts 3 --seed 3
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from logitspec.builtin.corpus import TASKS, samples


def draw_unseen(per_task: int, seed: int, first_id: int = 1001) -> Iterator[dict[str, Any]]:
    """`per_task` conversations of the evaluation split for each task, in the form of Spec-Bench's
    questions; `reference` holds the answers that the generator expects."""
    conversations = (
        sample for task in TASKS for sample in islice(samples(seed, "eval", task), per_task)
    )
    for number, sample in enumerate(conversations, first_id):
        messages, answers = zip(*sample.turns, strict=True)
        yield {
            "question_id": number,
            "category": sample.category,
            "turns": list(messages),
            "reference": list(answers),
        }
