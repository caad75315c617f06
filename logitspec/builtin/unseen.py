"""Prompts that training never draws, as a file for the benchmark and the replay.

python -m logitspec.builtin.unseen --each 3 --seed 3 --out unseen.jsonl
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
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


def main(arguments: list[str] | None = None) -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        prog="python -m logitspec.builtin.unseen", description="Write unseen prompts to a file."
    )
    parser.add_argument("--each", type=int, default=3, help="prompts a task (default: 3)")
    parser.add_argument("--seed", type=int, default=3, help="(default: 3)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    chosen = parser.parse_args(arguments)
    rows = unseen(chosen.each, chosen.seed)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    chosen.out.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
