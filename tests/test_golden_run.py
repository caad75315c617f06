"""The built-in model's greedy answers in float32, one per task, as recorded in golden/builtin/greedy.json.

After a change of the weights or the examples, `PYTHONPATH=. python tests/test_golden_run.py` records
them again.
"""

import json
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch

from logitspec.decoding.engine import decode
from logitspec.drafters import METHODS
from logitspec.models.chat import encode_prompt
from logitspec.models.loader import load

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "builtin" / "greedy.json"
EXAMPLES = ROOT / "assets" / "prompts" / "examples.jsonl"
# Other processors round differently; a choice this clear is the same on all of them.
MARGIN_AT_LEAST = 0.01


def first_examples() -> dict[str, str]:
    """The first example prompt of every task."""
    prompts: dict[str, str] = {}
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        example = json.loads(line)
        prompts.setdefault(example["category"], example["turns"][0])
    return prompts


def greedy(model: Any, ids: list[int], ends: set[int]) -> tuple[list[int], float]:
    """The greedy tokens after `ids` and the smallest lead, in logits, of a choice.

    One whole forward pass per token and no cache: nothing that the engine does is used.
    """
    tokens, lead = list(ids), float("inf")
    while len(tokens) < len(ids) + 400 and (len(tokens) == len(ids) or tokens[-1] not in ends):
        with torch.inference_mode():
            best = model(torch.tensor([tokens])).logits[0, -1].topk(2)
        tokens.append(int(best.indices[0]))
        lead = min(lead, float(best.values[0] - best.values[1]))
    return tokens[len(ids) :], lead


def record() -> None:
    """Writes the golden file."""
    target, tokenizer = load(dtype="float32")
    runs = []
    for task, prompt in first_examples().items():
        ids = encode_prompt(tokenizer, prompt)
        tokens, lead = greedy(target.model, ids, set(target.eos_ids))
        runs.append(
            {
                "task": task,
                "prompt": prompt,
                "prompt_ids": ids,
                "ids": tokens,
                "text": tokenizer.decode(tokens, skip_special_tokens=True),
                "lead": round(lead, 4),
            }
        )
    text = ",\n".join(json.dumps(run, ensure_ascii=False) for run in runs)
    GOLDEN.write_text(f"[\n{text}\n]\n", encoding="utf-8")


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, Any]]:
    """The recorded runs by task."""
    return {run["task"]: run for run in json.loads(GOLDEN.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def loaded() -> Any:
    return load(dtype="float32")


def test_there_is_one_run_a_task(recorded: dict[str, dict[str, Any]]) -> None:
    assert {task: run["prompt"] for task, run in recorded.items()} == first_examples()
    assert all(run["lead"] >= MARGIN_AT_LEAST for run in recorded.values())


def pairs() -> list[tuple[str, str]]:
    """Every method with a task, and every task with a method or two."""
    return list(zip(cycle(first_examples()), METHODS, strict=False))


@pytest.mark.parametrize(("task", "method"), pairs())
def test_every_method_gives_the_recorded_answer(
    loaded: Any, recorded: dict[str, dict[str, Any]], task: str, method: str
) -> None:
    target, tokenizer = loaded
    run = recorded[task]
    ids = encode_prompt(tokenizer, run["prompt"])
    assert ids == run["prompt_ids"]
    steps = decode(target, ids, method, max_new_tokens=400)
    tokens = [token for step in steps for token in step.tokens]
    assert tokens == run["ids"]
    assert tokens[-1] in target.eos_ids
    assert tokenizer.decode(tokens, skip_special_tokens=True) == run["text"]


if __name__ == "__main__":
    record()
