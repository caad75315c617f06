"""Draws that are fixed by seed and position."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from logitspec import LogitSpecError
from logitspec.runtime.draws import gumbel, pick
from logitspec.trace.sampling import Sampling

LOGITS = torch.tensor([2.0, 0.0, -1.0, 1.0, -9.0])


def drawn(sampling: Sampling, draws: int = 8_000) -> npt.NDArray[Any]:
    rows = LOGITS.expand(draws, -1)
    drawn_ids = pick(rows, range(draws), sampling).tolist()
    return np.array([drawn_ids.count(token) / draws for token in range(5)])


def softmax(temperature: float) -> npt.NDArray[Any]:
    weights = [math.exp(logit / temperature) for logit in LOGITS.tolist()]
    return np.array(weights) / sum(weights)


def test_temperature_zero_is_the_argmax() -> None:
    assert pick(torch.stack([LOGITS, -LOGITS]), [0, 1]).tolist() == [0, 4]


def test_draws_follow_the_distribution_at_each_temperature() -> None:
    for temperature in (0.5, 1.0, 3.0):
        shares = drawn(Sampling(temperature, seed=4))
        assert np.abs(shares - softmax(temperature)).max() < 0.01


def test_top_p_keeps_the_fewest_best_tokens_that_reach_it() -> None:
    for temperature, top_p, tokens in (
        (1.0, 0.5, [0]), (1.0, 0.7, [0, 3]), (1.0, 0.95, [0, 1, 3]), (1.0, 1.0, [0, 1, 2, 3, 4]),
        (3.0, 0.5, [0, 3]), (0.5, 0.7, [0]),
    ):  # fmt: skip
        probs = softmax(temperature)
        expected = np.zeros(5)
        expected[tokens] = probs[tokens] / probs[tokens].sum()
        shares = drawn(Sampling(temperature, top_p, 9))
        assert np.abs(shares - expected).max() < 0.01
        assert (shares[[i for i in range(5) if i not in tokens]] == 0).all()


def test_top_k_keeps_the_best_and_top_p_counts_what_is_left() -> None:
    probs = softmax(1.0)
    for top_k, top_p, tokens in (
        (1, 1.0, [0]),
        (3, 1.0, [0, 1, 3]),
        (2, 0.7, [0]),
        (9, 1.0, range(5)),
    ):
        expected = np.zeros(5)
        expected[list(tokens)] = probs[list(tokens)] / probs[list(tokens)].sum()
        shares = drawn(Sampling(1.0, top_p, 5, top_k))
        assert np.abs(shares - expected).max() < 0.01
        assert (shares[[i for i in range(5) if i not in tokens]] == 0).all()
    for wrong in (-1, 2.0, True):
        with pytest.raises(LogitSpecError, match="top_k"):
            Sampling(1.0, top_k=wrong)  # type: ignore[arg-type]


def test_a_draw_depends_on_seed_and_position_alone() -> None:
    def one(row: int, rows: int, position: int, seed: int) -> int:
        positions = [1000 + i for i in range(rows)]
        positions[row] = position
        logits = torch.randn(rows, 5, generator=torch.Generator().manual_seed(rows))
        logits[row] = LOGITS
        return int(pick(logits, positions, Sampling(2.0, seed=seed))[row])

    for position in range(40):
        assert one(0, 1, position, 3) == one(5, 64, position, 3)
    assert [one(0, 1, p, 3) for p in range(40)] != [one(0, 1, p, 4) for p in range(40)]


def test_the_noise_is_gumbel_noise_and_the_same_everywhere() -> None:
    values = np.concatenate([gumbel(7, position, 500) for position in range(100)])
    even = np.exp(-np.exp(-values))  # its distribution function makes it uniform
    counts = np.histogram(even, 50, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 100  # chi-squared, 49 degrees: p about 2e-5
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(gumbel(7, 1, 5000), gumbel(7, 2, 5000))[0, 1]) < 0.05
    assert (gumbel(7, 3, 9) == gumbel(7, 3, 20)[:9]).all()
    keys = [(7, 2), (7, 3), (7, 4), (8, 3), (3, 7)]
    assert len({gumbel(*key, 9)[0] for key in keys}) == len(keys)


def test_a_small_change_of_the_logits_rarely_changes_a_draw() -> None:
    """As rounding does in half precision: a draw must not depend on all tokens before it."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 2000, generator=generator, dtype=torch.float64)
    moved = logits + 1e-3 * torch.randn(4000, 2000, generator=generator, dtype=torch.float64)
    hot = Sampling(0.8, seed=1)
    changed = pick(logits, range(4000), hot) != pick(moved, range(4000), hot)
    assert changed.double().mean() < 0.005


def test_a_temperature_near_zero_is_nearly_greedy() -> None:
    for temperature in (1e-6, 1e-30, 1e-320):
        assert pick(LOGITS[None], [3], Sampling(temperature, 0.9)).tolist() == [0]
