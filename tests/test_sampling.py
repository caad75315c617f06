"""Draws that seed and position fix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec.sampling import _mix, pick, uniform
from logitspec.target import Sampling

LOGITS = torch.tensor([2.0, 0.0, -1.0, 1.0, -9.0])


def drawn(sampling: Sampling, draws: int = 20_000) -> npt.NDArray[Any]:
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
    probs = softmax(1.0)
    for top_p, kept in ((0.5, [0]), (0.7, [0, 3]), (0.95, [0, 1, 3]), (1.0, [0, 1, 2, 3, 4])):
        wanted = np.zeros(5)
        wanted[kept] = probs[kept] / probs[kept].sum()
        shares = drawn(Sampling(1.0, top_p, 9))
        assert np.abs(shares - wanted).max() < 0.01
        assert (shares[[i for i in range(5) if i not in kept]] == 0).all()


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


def test_the_noise_is_even_and_the_same_everywhere() -> None:
    values = np.array([uniform(7, position) for position in range(50_000)])
    assert (values >= 0).all()
    assert (values < 1).all()
    counts = np.histogram(values, 50, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 100  # chi-squared, 49 degrees: p about 2e-5
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.02
    assert _mix(0) == 0xE220A8397B1DCDAF  # first number of SplitMix64 from seed 0
