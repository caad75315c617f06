"""The probe accepts a forward that rounds like the stock one, and finds one that computes something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from support.families import CONFIGS, FAST, VOCABULARY, WINDOW, model, runner
from support.forward_faults import FAULTS

from logitspec.errors import LogitSpecError
from logitspec.models.checks import check_tree_equivalence
from logitspec.models.loader import prepare
from logitspec.models.probing import TEXTS, probe_of
from logitspec.runtime.probe import Probe, likely_text
from logitspec.runtime.runner import Runner

HALF_TOO = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["single", "half"])


@HALF_TOO
@pytest.mark.parametrize("family", FAST)
def test_the_fast_forward_errs_like_the_stock_one_and_no_fault_does(
    family: str, dtype: torch.dtype
) -> None:
    probe, stock = check_tree_equivalence(prepare(model(family, dtype)), family)
    assert probe.excess(probe.errors(runner(family, dtype=dtype)), stock) == 0.0
    for plant in FAULTS:
        target = runner(family, dtype=dtype)
        if plant(target.forward):  # type: ignore[arg-type]
            assert probe.excess(probe.errors(target), stock) > 0.01, plant.__name__


class FlatMask(Runner):
    def _ancestor_mask(self, tree: Any) -> Any:
        return super()._ancestor_mask(tree) | True


class LateDepths(Runner):
    def _depths(self, tree: Any) -> Any:
        return np.minimum(np.arange(len(tree)), 7)


@HALF_TOO
@pytest.mark.parametrize("family", CONFIGS)
def test_stock_models_pass_and_wrong_trees_do_not(family: str, dtype: torch.dtype) -> None:
    net = model(family, dtype)
    check_tree_equivalence(prepare(net), family)
    with pytest.raises(LogitSpecError, match=f"{family} computes different logits"):
        check_tree_equivalence(prepare(net, kind=FlatMask), family)
    if family != "gpt2":  # its random positions say little
        with pytest.raises(LogitSpecError, match="standard deviations apart"):
            check_tree_equivalence(prepare(net, kind=LateDepths), family)


def test_logits_that_are_no_numbers_are_found() -> None:
    probe, stock = check_tree_equivalence(prepare(model("fast", torch.float32)), "net")
    assert probe.excess(np.full_like(stock, np.nan), stock) != 0.0


def test_a_fault_that_one_place_meets_is_found() -> None:
    probe, stock = check_tree_equivalence(prepare(model("fast", torch.bfloat16)), "net")
    beyond = stock.copy()
    last = 8 * len(probe.places)
    assert probe.excess(beyond, stock) == 0.0
    beyond[last - 8 : last] *= 9
    assert probe.excess(beyond, stock) > 0.0
    assert probe.excess(1.2 * stock, stock) == 0.0
    assert probe.excess(1.8 * stock, stock) > 0.0


def test_likely_text_is_what_the_model_finds_likely() -> None:
    net = model("llama", torch.float32)
    ids = likely_text(net, 60)
    assert ids == likely_text(net, 60)
    assert len(ids) == 60
    assert set(ids) <= set(range(VOCABULARY))

    @torch.inference_mode()
    def chance(text: list[int]) -> float:
        logits = net(input_ids=torch.tensor([text])).logits[0, :-1].log_softmax(-1)
        return float(logits[range(len(text) - 1), text[1:]].mean())

    rng = np.random.default_rng(1)
    assert chance(ids) > chance(rng.integers(VOCABULARY, size=60).tolist()) + 0.3


class Letters:
    """Knows lower-case letters, as ids from 1; begins a text with 0."""

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        known = [ord(each) - ord("a") + 1 for each in text if "a" <= each <= "z"]
        return {"input_ids": [0, *known] if add_special_tokens else known}


def test_the_text_is_of_all_kinds_and_reaches_beyond_a_window_where_that_is_affordable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probe = probe_of(prepare(model("mistral-window", torch.float32)), Letters())
    assert len(probe.text) == 256 > WINDOW
    assert probe.text.count(0) == 1 == 1 + probe.text[0]
    start = Letters()(TEXTS[-1], add_special_tokens=False)["input_ids"][:30]
    assert any(probe.text[n : n + 30] == start for n in range(256))
    assert max(probe.places) == 248
    monkeypatch.setattr("logitspec.models.probing.TOKENS", 20)
    tokens: Callable[[str], int] = lambda family: len(probe_of(prepare(model(family))).text)  # noqa: E731
    assert tokens("mistral-window") == WINDOW + 32
    assert tokens("llama") == 20
    monkeypatch.setattr("logitspec.models.probing.MAX_WORK", {})
    assert tokens("mistral-window") == 20


def test_half_precision_is_held_to_single_precision_where_that_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = prepare(model("llama", torch.bfloat16))
    exact = Probe(model("llama", torch.bfloat16), probe_of(target).text, None)
    assert exact.rounding.max() == 0.0
    assert 0.002 < np.median(probe_of(target).rounding) < 0.1
    monkeypatch.setattr("logitspec.models.probing.free_bytes", lambda device: 1000)
    assert probe_of(target).rounding.max() == 0.0
    # Then the errors of the stock forward at another shape say what rounding does.
    probe, stock = check_tree_equivalence(target, "net")
    assert probe.excess(probe.errors(target), stock) == 0.0
