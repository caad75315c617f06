"""Ranks by tournament are those of a plain sort."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.interpreter import DEVICE

from logitspec.errors import LogitSpecError
from logitspec.runtime.kernels.ranks import pack_ranks
from logitspec.runtime.ranks import unpack_ranks

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)


def some(vocabulary: int, dtype: torch.dtype) -> torch.Tensor:
    """Random logits; in half precision many of them are equal."""
    generator = torch.Generator().manual_seed(vocabulary)
    return (torch.randn(2, vocabulary, generator=generator) * 3).to(DEVICE, dtype)


@DTYPES
@pytest.mark.parametrize(("vocabulary", "k"), [(5000, 8), (300, 16), (10, 16), (512, 1)])
def test_they_are_those_of_a_plain_sort(vocabulary: int, k: int, dtype: torch.dtype) -> None:
    """Of equal logits the first one ranks higher, as in an argmax."""
    logits = some(vocabulary, dtype)
    packed = pack_ranks(logits, k).cpu().numpy()
    exact = logits.double().cpu().numpy()
    expected = np.argsort(-exact, axis=1, kind="stable")[:, : min(k, vocabulary)]
    chances = torch.softmax(torch.from_numpy(exact), -1).numpy()
    assert packed[:, 0].tolist() == exact.argmax(1).tolist()
    for row, actual in enumerate(unpack_ranks(packed, k)):
        assert actual.ids == expected[row].tolist()
        assert actual.probs == pytest.approx(chances[row, expected[row]], rel=2e-3)


def test_all_of_the_best_may_stand_side_by_side_or_at_the_end() -> None:
    logits = torch.zeros(2, 4100, device=DEVICE)
    logits[0, 4090:] = torch.arange(10.0, device=DEVICE)
    logits[1, 8:24] = 5.0
    packed = pack_ranks(logits, 8).cpu()
    assert packed[0, 1:9].tolist() == [*range(4099, 4091, -1)]
    assert packed[1, 1:9].tolist() == [*range(8, 16)]


def test_what_is_hidden_has_no_chance_and_no_number_is_refused() -> None:
    logits = torch.full((1, 20), -torch.inf, device=DEVICE)
    logits[0, 7] = 0.5
    assert unpack_ranks(pack_ranks(logits, 2).cpu().numpy(), 2)[0].probs == [1.0, 0.0]
    logits[0, 3] = torch.nan
    with np.errstate(invalid="ignore"), pytest.raises(LogitSpecError, match="not finite"):
        unpack_ranks(pack_ranks(logits, 2).cpu().numpy(), 2)
