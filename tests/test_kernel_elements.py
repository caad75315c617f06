"""Norms, rotation and gate in kernels compute what the plain operations do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support.interpreter import DEVICE
from transformers.activations import ACT2FN

from logitspec.runtime import operations
from logitspec.runtime.cache import PrefixLayer
from logitspec.runtime.kernels.gate import gate
from logitspec.runtime.kernels.norm import add_norm
from logitspec.runtime.kernels.rotary import place
from logitspec.runtime.operations import Attention, Norm

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)


def some(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).to(DEVICE, dtype)


def near(actual: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    """Within two roundings of the dtype. expected: in float64."""
    assert actual.dtype == dtype
    bound = 2 * torch.finfo(dtype).eps * expected.abs().clamp(min=1.0)
    return bool(((actual.double() - expected).abs() <= bound).all())


def wide(each: Any) -> Any:
    """The same numbers in float64."""
    if isinstance(each, Norm):
        return Norm(each.weight.double(), each.epsilon)
    return None if each is None else each.double()


@DTYPES
@pytest.mark.parametrize("wide_weights", [False, True], ids=["", "float32 weights"])
@pytest.mark.parametrize("norms", ["before", "after and before", "after", "first"])
def test_sum_and_norms(norms: str, wide_weights: bool, dtype: torch.dtype) -> None:
    """Llama's order, Gemma's, Olmo's, and that of the first layer."""
    of = torch.float32 if wide_weights else dtype
    hidden, added = some(3, 40, dtype=dtype), some(3, 40, dtype=dtype, seed=1)
    one, other = (Norm(some(40, dtype=of, seed=seed), 1e-5) for seed in (2, 3))
    given = (
        hidden,
        None if norms == "first" else added,
        one if "after" in norms else None,
        other if norms != "after" else None,
    )
    summed, normed = add_norm(*given)
    wanted_sum, wanted_normed = operations.add_norm(*(wide(each) for each in given))
    assert near(summed, wanted_sum, dtype)
    # The norm is that of the rounded sum, as in the plain operations.
    wanted_normed = (
        operations.normed(summed.double(), wide(given[3]))
        if given[1] is not None
        else wanted_normed
    )
    assert near(normed, wanted_normed, dtype)


@DTYPES
@pytest.mark.parametrize("case", ["plain", "norms of heads", "norms of all", "a share"])
def test_rotation_and_the_write_into_the_cache(case: str, dtype: torch.dtype) -> None:
    rows, width, turned = 3, 10, 6 if case == "a share" else 10
    norms: dict[str, Any] = {}
    if case == "norms of heads":
        norms = {"each_head": Norm(some(6, width, dtype=dtype, seed=3), 1e-5)}
    if case == "norms of all":
        norms["query_norm"] = Norm(some(4 * width, dtype=dtype, seed=3), 1e-5)
        norms["key_norm"] = Norm(some(2 * width, dtype=dtype, seed=4), 1e-5)
    shape = Attention(4, 2, width, 0.3, **norms)
    qkv = some(rows, 8, width, dtype=dtype)
    table = some(rows, 2, 1, turned, dtype=dtype, seed=5)
    slots = torch.arange(5, 5 + rows, device=DEVICE)
    actual, expected = (cache_of(kind, slots) for kind in (dtype, torch.float64))
    query, keys, values = place(qkv, (table[:, 0], table[:, 1]), shape, actual)
    exact = operations.Attention(
        4, 2, width, 0.3, **{name: wide(each) for name, each in norms.items()}
    )
    rotation = table[:, 0].double(), table[:, 1].double()
    plain = operations.place(qkv.double(), rotation, exact, expected)
    for mine, other in zip((query, keys, values), plain, strict=True):
        assert mine.shape == other.shape
        # Normed queries and keys are rounded before they are rotated.
        tolerant = 4 if norms else 1
        assert near(mine / tolerant, other / tolerant, dtype)


def cache_of(dtype: torch.dtype, slots: torch.Tensor) -> PrefixLayer:
    cache = PrefixLayer()
    cache.lazy_initialization(*(torch.zeros(1, 2, 1, 10, dtype=dtype, device=DEVICE),) * 2)
    cache.keys.zero_(), cache.values.zero_()
    cache.slots, cache.columns = slots, 16
    return cache


@DTYPES
@pytest.mark.parametrize("name", ["silu", "gelu", "gelu_pytorch_tanh", "relu"])
def test_gate(name: str, dtype: torch.dtype) -> None:
    """relu: an activation that no kernel knows is computed plainly."""
    gate_up = some(3, 2 * 1100, dtype=dtype)
    assert near(gate(gate_up, ACT2FN[name]), operations.gate(gate_up.double(), ACT2FN[name]), dtype)
