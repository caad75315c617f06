"""The activated gate times what it lets through, in one pass."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from logitspec.runtime import operations
from logitspec.runtime.kernels.launch import INTERPRETED, begin, launch, rounded

KINDS = {
    "SiLU": "silu",
    "SiLUActivation": "silu",
    "GELUActivation": "gelu",
    "GELUTanh": "gelu_tanh",
    "NewGELUActivation": "gelu_tanh",
}
"""Keyed by the class of a model's activation."""

SIZE = 1024


@triton.jit
def gate_part(
    gate_up, output, width, kind: tl.constexpr, size: tl.constexpr, interpreted: tl.constexpr,
    early: tl.constexpr,
):  # fmt: skip
    """A part of one row."""
    dtype: tl.constexpr = output.dtype.element_ty
    begin(early)
    row, inner = tl.program_id(0), tl.program_id(1) * size + tl.arange(0, size)
    inside = inner < width
    gate = tl.load(gate_up + row * 2 * width + inner, inside, 0.0).to(tl.float32)
    up = tl.load(gate_up + (row * 2 + 1) * width + inner, inside, 0.0).to(tl.float32)
    if kind == "silu":
        activated = gate / (1 + tl.exp(-gate))
    elif kind == "gelu":
        activated = gate * 0.5 * (1 + tl.erf(gate * 0.7071067811865476))
    else:
        bent = 1.5957691216057308 * (gate + 0.044715 * gate * gate * gate)
        activated = gate / (1 + tl.exp(-bent))
    tl.store(output + row * width + inner, rounded(activated * up, dtype, interpreted), inside)


def gate(gate_up: torch.Tensor, activation: Any) -> torch.Tensor:
    """`operations.gate`, for the activations of KINDS; others fall back to it."""
    kind = KINDS.get(type(activation).__name__)
    if kind is None:
        return operations.gate(gate_up, activation)
    rows, width = len(gate_up), gate_up.shape[-1] // 2
    output = gate_up.new_empty(rows, width)
    launch(
        gate_part,
        (rows, triton.cdiv(width, SIZE)),
        gate_up,
        output,
        width,
        kind=kind,
        size=SIZE,
        interpreted=INTERPRETED,
    )
    return output
