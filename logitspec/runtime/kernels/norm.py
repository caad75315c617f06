"""Norm of what a layer adds to the hidden state, the sum, and norm of what enters next, in one pass over each row."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from logitspec.runtime.kernels.launch import INTERPRETED, begin, launch, rounded
from logitspec.runtime.operations import Norm


@triton.jit
def _normed(row, weights, epsilon, inner, width: tl.constexpr):
    scale = tl.rsqrt(tl.sum(row * row) / width + epsilon)
    return row * scale * tl.load(weights + inner, inner < width, 0.0).to(tl.float32)


@triton.jit
def add_and_norm(
    hidden, added, after, before, summed, normed, after_epsilon, before_epsilon, width: tl.constexpr,
    size: tl.constexpr, adds: tl.constexpr, norms_after: tl.constexpr, norms_before: tl.constexpr,
    interpreted: tl.constexpr, early: tl.constexpr,
):  # fmt: skip
    """One row. Rounds where the plain operations do: after a norm and after the sum."""
    dtype: tl.constexpr = hidden.dtype.element_ty
    begin(early)
    inner = tl.arange(0, size)
    inside = inner < width
    at = tl.program_id(0) * width + inner
    row = tl.load(hidden + at, inside, 0.0).to(tl.float32)
    if adds:
        more = tl.load(added + at, inside, 0.0).to(tl.float32)
        if norms_after:
            more = _normed(more, after, after_epsilon, inner, width)
            more = rounded(more, dtype, interpreted).to(tl.float32)
        total = rounded(row + more, dtype, interpreted)
        tl.store(summed + at, total, inside)
        row = total.to(tl.float32)
    if norms_before:
        row = _normed(row, before, before_epsilon, inner, width)
        tl.store(normed + at, rounded(row, dtype, interpreted), inside)


def add_norm(
    hidden: torch.Tensor, added: torch.Tensor | None, after: Norm | None, before: Norm | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """`operations.add_norm`."""
    if added is None and before is None:
        return hidden, hidden
    rows, width = hidden.shape
    summed = hidden if added is None else torch.empty_like(hidden)
    normed = summed if before is None else torch.empty_like(hidden)
    given = hidden if added is None else added
    first, second = after or Norm(hidden, 0.0), before or Norm(hidden, 0.0)
    size = triton.next_power_of_2(width)
    launch(add_and_norm, (rows,),
        hidden, given, first.weight, second.weight, summed, normed, first.epsilon, second.epsilon,
        width=width,
        size=size,
        adds=added is not None,
        norms_after=after is not None,
        norms_before=before is not None,
        interpreted=INTERPRETED,
        num_warps=min(16, max(1, size // 512)),
    )  # fmt: skip
    return summed, normed
