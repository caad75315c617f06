"""The file of unseen prompts: what its command writes, and nothing that training could draw."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from logitspec.__main__ import main
from logitspec.builtin.corpus import TASKS, samples
from logitspec.prompts import EXAMPLES, examples, read_prompts

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = EXAMPLES.with_name("unseen.jsonl")


def test_the_shipped_file_is_what_the_command_writes(tmp_path: Path) -> None:
    again = str(tmp_path / "again.jsonl")
    assert main(["evaluate", "--unseen", again, "--prompts", "3", "--seed", "3"]) == 0
    assert (tmp_path / "again.jsonl").read_bytes() == SHIPPED.read_bytes()


def test_it_has_three_prompts_a_task_that_are_no_examples() -> None:
    prompts = read_prompts(SHIPPED)
    assert Counter(prompt.category for prompt in prompts) == dict.fromkeys(TASKS, 3)
    shipped = examples()
    assert not {prompt.text for prompt in prompts} & {example.text for example in shipped}
    assert not {p.question_id for p in prompts} & {example.question_id for example in shipped}


def test_training_does_not_draw_them() -> None:
    prompts = {prompt.text for prompt in read_prompts(SHIPPED)}
    assert not prompts & {sample.turns[0][0] for sample in islice(samples(1), 4000)}


def test_every_turn_has_a_reference() -> None:
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert len(row["turns"]) == len(row["reference"]) >= 1
