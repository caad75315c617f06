"""Every method on every model family writes what plain, uncached decoding writes, token for token."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from support.conformance import (
    FAMILIES,
    FAULTS,
    FAULTY_DRAFTERS,
    PROMPT,
    SEED,
    TOKENS,
    conform,
    draw,
    expected,
    plain,
    random_trees,
)
from support.fakes import finished
from support.families import FAST, model, runner

from logitspec import METHODS, decode, load
from logitspec.drafters import Drafter
from logitspec.runtime.graphs import uncaptured
from logitspec.runtime.runner import Runner

MODELS = Path(os.environ.get("LOGITSPEC_MODELS", Path(__file__).parents[2] / "shared" / "models"))
REAL = sorted(p.parent for p in MODELS.glob("*/config.json"))
TEMPERATURES = [0.0, 0.8]


def prepared(family: str, fixed: bool, kind: type[Runner] = Runner) -> Runner:
    target = runner(family, kind)
    if fixed:
        target.enable_replay(uncaptured)
    return target


@pytest.mark.parametrize("fixed", [False, True], ids=["plain", "fixed"])
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_writes_what_plain_decoding_writes(
    family: str, temperature: float, fixed: bool
) -> None:
    """fixed: through padded forwards of fixed shape, which a GPU replays as graphs; here each is run."""
    target = prepared(family, fixed)
    trace = conform(target, family, random_trees(family, temperature), temperature)
    assert target.replays is fixed
    paths = [step.path for step in trace.steps]
    assert max(map(len, paths)) > 3
    assert any(path != list(range(len(path))) for path in paths)


@pytest.mark.parametrize("fixed", [False, True], ids=["plain", "fixed"])
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["llama", "fast"])
def test_every_method_writes_what_plain_decoding_writes(
    family: str, method: str, temperature: float, fixed: bool
) -> None:
    conform(prepared(family, fixed), family, method, temperature)


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
    assert len(topk[-1]) > len(topk[0]) == 16
    for place in range(0, len(ids), 37):
        best = logits[place].double().softmax(-1).numpy()
        assert np.allclose(best[topk[place].ids], topk[place].probs, rtol=2e-3, atol=1e-12)
        assert best[topk[place].ids[0]] == pytest.approx(best.max(), rel=1e-5)


def test_the_draws_differ_from_the_argmax_and_by_position() -> None:
    assert expected("llama", 0.8) != expected("llama", 0.0)
    flat = np.zeros(1000)
    assert len({draw(flat, 1.0, SEED, position) for position in range(200)}) > 150


@pytest.mark.parametrize("fixed", [False, True], ids=["plain", "fixed"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_fault_of_the_runner_is_found(family: str, fault: type[Runner], fixed: bool) -> None:
    target = prepared(family, fixed, fault)
    with pytest.raises(AssertionError, match="plain decoding"):
        conform(target, family, random_trees(family, 0.8), 0.8, tokens=24)
    assert target.replays is fixed


@pytest.mark.parametrize("fault", FAULTY_DRAFTERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_drafter_that_changes_its_tree_after_verifying_is_found(
    family: str, fault: type[Drafter]
) -> None:
    with pytest.raises(AssertionError, match="another tree than was verified"):
        conform(runner(family), family, fault, 0.0, tokens=12)


@pytest.mark.parametrize("folder", REAL, ids=lambda path: path.name)
def test_real_weights(folder: Path) -> None:
    target, tokenizer = load(folder, device="cpu", dtype="float64")
    prompt = tokenizer("Once upon a time there was a small cat who liked to")["input_ids"]
    for temperature in (0.0, 0.8):
        expected, _ = plain(target.model, prompt, 60, temperature)
        for method in METHODS:
            target.eos_ids = frozenset()
            trace = finished(decode(target, prompt, method, 60, temperature, SEED))
            assert trace.output_ids == expected, method


@pytest.mark.parametrize("family", ["mistral-window", *FAST])
def test_prompts_longer_than_one_prefill_part(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.runtime.runner.PREFILL_ROWS", 7)
    conform(runner(family), family, random_trees(family, 0.0), 0.0)


@pytest.mark.parametrize("family", ["gpt2", *FAST])
def test_buffers_that_have_to_grow(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.runtime.cache.FIRST_ROWS", 8)
    monkeypatch.setattr("logitspec.runtime.masks.FIRST_COLUMNS", 8)
    monkeypatch.setattr("logitspec.runtime.fast.FIRST_POSITIONS", 8)
    conform(runner(family), family, random_trees(family, 0.0), 0.0)
