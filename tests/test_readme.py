"""What README.md shows is what happens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import torch
from support.fakes import finished
from transformers import AutoModelForCausalLM, AutoTokenizer

from logitspec import Origin, StepRecord, Trace, decode, load
from logitspec.builtin.card import EVALUATION, table
from logitspec.models.loader import encode_prompt
from logitspec.models.tokens import Speller
from logitspec.paths import MODEL
from logitspec.prompts import examples
from logitspec.publish.demos import FEATURED

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def featured_prompt() -> str:
    """The prompt of the run that the page begins with."""
    (prompt,) = [each.text for each in examples() if each.question_id == FEATURED]
    return prompt


def featured_run() -> Trace:
    target, tokenizer = load(device="cpu", dtype="float32")
    ids = encode_prompt(tokenizer, featured_prompt())
    trace: Trace = finished(decode(target, ids, method="logitspec_paper", max_new_tokens=300))
    trace.spell(Speller(tokenizer))
    return trace


def worked_step(trace: Trace) -> int:
    """The first step that accepts a next-next token and something copied under it."""
    for number, step in enumerate(trace.steps, 1):
        origins = [provenance.origin for provenance in step.provenance]
        if origins[1:3] == [Origin.LOGIT, Origin.RETRIEVED]:
            return number
    raise AssertionError("No such step; choose another example.")


def worked_example(trace: Trace, number: int) -> str:
    """One step in words, from the trace alone."""
    step: StepRecord = trace.steps[number - 1]
    before = [token for each in trace.steps[: number - 1] for token in each.tokens]
    sequence = trace.prompt_ids + before

    def spelt(*tokens: int) -> str:
        return json.dumps(b"".join(trace.vocabulary[t] for t in tokens).decode())

    def listed(tokens: list[int]) -> str:
        return " ".join(spelt(token) for token in tokens)

    guess, copied = step.provenance[1], step.provenance[2]
    ranks = sorted({0, 1, 2, 3, 4, guess.rank or 0})
    size, start = copied.match_length or 0, copied.copied_from or 0
    copies = [
        t for t, p in zip(step.tokens, step.provenance, strict=True) if p.origin is Origin.RETRIEVED
    ]
    counts = step.states()
    width = 14
    rows = {
        "text so far": "... " + spelt(*sequence[-8:]),
        "last logits": ", ".join(f"{rank} {spelt(step.last.ids[rank])}" for rank in ranks),
        "root": f"{spelt(step.tree.tokens[0])}, rank 0: certain",
        "next-next": f"{spelt(step.tokens[1])}, rank {guess.rank}, is drafted as its child",
        "retrieve": (
            f"the last {size} of text + root + {spelt(step.tokens[1])} also stood before position"
            f" {start}: {spelt(*sequence[start - size : start])}"
        ),
        "copy": f"what followed there: {listed(copies)}",
        "verify": f"{len(step.tree)} nodes in one forward pass",
        "accept": (
            f"{listed(step.tokens)}: {len(step.tokens)} tokens, and"
            f" {counts.count('rejected')} nodes rejected, {counts.count('uncompared')} not compared"
        ),
        "next root": spelt(step.choices[step.path[-1]]),
    }
    lines = [f"{name:<{width}}{words}" for name, words in rows.items()]
    return "\n".join(lines)


def test_the_worked_example_is_a_step_of_the_built_in_model() -> None:
    trace = featured_run()
    number = worked_step(trace)
    wanted = f"Step {number} of {len(trace.steps)}"
    block = f"```text\n{worked_example(trace, number)}\n```"
    assert wanted in README, f"{wanted}\n{block}"
    assert block in README, block
    assert f'"{featured_prompt().splitlines()[0]}"' in README


def test_the_figures_of_the_built_in_model_are_those_of_its_evaluation() -> None:
    figures = json.loads((MODEL / EVALUATION).read_text(encoding="utf-8"))
    assert table(figures["rows"]) in README
    assert all(str(figures[name]) in README for name in ("command", "dtype", "device", "torch"))


def python_output(place: int) -> str:
    """What the README's Python example number `place` prints."""
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[place]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_python_example_runs_as_it_stands() -> None:
    printed = python_output(0)
    lines = printed.splitlines()
    assert lines
    assert all(
        re.match(r"\d+ drafted, \d+ accepted: ", line) for line in lines if "drafted" in line
    )
    assert "63 drafted" in printed


def test_the_example_inside_transformers_writes_what_generate_writes() -> None:
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    ids = encode_prompt(tokenizer, "Write a short story about a fox.")
    written = model.generate(torch.tensor([ids]), max_new_tokens=60)[0, len(ids) :]
    assert python_output(1) == tokenizer.decode(written, skip_special_tokens=True) + "\n"


def test_pictures_and_files_that_it_names_exist() -> None:
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for name in re.findall(r"`((?:logitspec|assets|tests)/[\w./]+)`", README):
        assert (ROOT / name).exists(), name


def test_every_method_is_described() -> None:
    from logitspec import METHODS

    for method in METHODS:
        assert f"| `{method}` |" in README
