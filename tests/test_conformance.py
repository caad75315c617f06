"""Every method on every model family writes what plain, uncached decoding writes, token for token."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.conformance import (
    FAMILIES,
    PROMPT,
    SEED,
    TOKENS,
    FlatPositions,
    FullMask,
    NoGather,
    NoRollback,
    ShiftedDraw,
    draw,
    expected,
    plain,
    written,
)
from support.fakes import finished
from support.families import CONFIGS, FAST, model, runner

from logitspec import METHODS, decode, load
from logitspec.runtime.graphs import uncaptured
from logitspec.runtime.runner import Runner

MODELS = Path(os.environ.get("LOGITSPEC_MODELS", Path(__file__).parents[2] / "shared" / "models"))
REAL = sorted(p.parent for p in MODELS.glob("*/config.json"))


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_output_is_that_of_plain_decoding(family: str, method: str, temperature: float) -> None:
    trace = written(runner(family), method, temperature)
    assert trace.output_ids == expected(family, temperature)
    assert trace.finish == "length"


@pytest.mark.parametrize(
    ("method", "temperature"), [*((method, 0.0) for method in METHODS), ("logitspec_paper", 0.8)]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_so_is_that_of_padded_forwards_of_fixed_shape(
    family: str, method: str, temperature: float
) -> None:
    """What a GPU replays as graphs; here it is run anew each time."""
    target = runner(family)
    target.replay(uncaptured)
    assert written(target, method, temperature).output_ids == expected(family, temperature)
    assert target.replays


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_output_is_that_of_transformers_generate(family: str) -> None:
    net = model(family)
    with torch.inference_mode():
        ids = net.generate(torch.tensor([PROMPT]), max_new_tokens=TOKENS, do_sample=False)
    assert ids[0, len(PROMPT) :].tolist() == expected(family, 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_prompt_s_ranks_are_those_of_one_plain_forward(family: str) -> None:
    ids = (PROMPT * 40)[:700]  # more than one part of a prefill
    ids = ids[: min(len(ids), runner(family).limit - 1)]
    topk = runner(family).prefill(ids, everywhere=True).topk
    with torch.inference_mode():
        logits = model(family)(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    assert len(topk) == len(ids)
    assert len(topk[-1]) > len(topk[0]) == 8
    for place in range(0, len(ids), 37):
        best = logits[place].double().softmax(-1).numpy()
        assert np.allclose(best[topk[place].ids], topk[place].probs, rtol=2e-3, atol=1e-12)
        assert best[topk[place].ids[0]] == pytest.approx(best.max(), rel=1e-5)


@pytest.mark.parametrize("families", [CONFIGS, FAST], ids=["stock", "fast"])
def test_the_cases_exercise_acceptance(families: dict[str, Any]) -> None:
    """Without accepted branches, the tests above could not see a cache that is gathered wrongly."""
    paths = [
        step.path
        for family in families
        for step in written(runner(family), "logitspec_paper", 0.0).steps
    ]
    assert sum(len(path) > 1 for path in paths) > 20
    assert sum(path != list(range(len(path))) for path in paths) > 5


def test_the_draws_differ_from_the_argmax_and_by_position() -> None:
    assert expected("llama", 0.8) != expected("llama", 0.0)
    flat = np.zeros(1000)
    assert len({draw(flat, 1.0, SEED, position) for position in range(200)}) > 150


@pytest.mark.parametrize("fixed", [False, True], ids=["plain", "fixed"])
@pytest.mark.parametrize("families", [("llama", "gemma3", "gpt2"), FAST], ids=["stock", "fast"])
@pytest.mark.parametrize("fault", [NoGather, FlatPositions, FullMask, ShiftedDraw, NoRollback])
def test_a_seeded_fault_is_caught(
    fault: type[Runner], families: Iterable[str], fixed: bool
) -> None:
    caught = []
    for family in families:
        target = runner(family, fault)
        if fixed:
            target.replay(uncaptured)
        for temperature in (0.0, 0.8):
            output = written(target, "logitspec_paper", temperature).output_ids
            caught.append(output != expected(family, temperature))
        assert target.replays is fixed
    assert any(caught)


@pytest.mark.parametrize("folder", REAL, ids=lambda path: path.name)
def test_real_weights(folder: Path) -> None:
    target, tokenizer = load(folder, device="cpu", dtype="float64")
    prompt = tokenizer("Once upon a time there was a small cat who liked to")["input_ids"]
    for temperature in (0.0, 0.8):
        wanted = plain(target.model, prompt, 60, temperature)
        for method in METHODS:
            target.eos_ids = frozenset()
            trace = finished(decode(target, prompt, method, 60, temperature, SEED))
            assert trace.output_ids == wanted, method


@pytest.mark.parametrize("family", ["mistral-window", *FAST])
def test_prompts_longer_than_one_prefill_part(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.runtime.runner.PREFILL_ROWS", 7)
    trace = written(runner(family), "logitspec_paper", 0.0)
    assert trace.output_ids == expected(family, 0.0)


@pytest.mark.parametrize("family", ["gpt2", *FAST])
def test_buffers_that_have_to_grow(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.runtime.cache.FIRST_ROWS", 8)
    monkeypatch.setattr("logitspec.runtime.forward.FIRST_COLUMNS", 8)
    monkeypatch.setattr("logitspec.runtime.llama.FIRST_POSITIONS", 8)
    trace = written(runner(family), "logitspec_paper", 0.0)
    assert trace.output_ids == expected(family, 0.0)
