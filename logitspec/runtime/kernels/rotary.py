"""Query, key and value on their way into attention: norms of heads, rotation, and the write into the cache."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from logitspec.runtime.cache import PrefixLayer
from logitspec.runtime.kernels.launch import INTERPRETED, begin, launch, rounded
from logitspec.runtime.operations import Attention, Rotation, normed_query_key


@triton.jit
def place_head(
    qkv, cosines, sines, weights, slots, query, keys, values, key_head, key_row, rotation_row,
    epsilon, heads: tl.constexpr, key_heads: tl.constexpr, width: tl.constexpr, turned: tl.constexpr,
    dim: tl.constexpr, norms: tl.constexpr, interpreted: tl.constexpr, early: tl.constexpr,
):  # fmt: skip
    """One head of one row. turned: how many of its numbers are rotated, in pairs half of that apart."""
    dtype: tl.constexpr = query.dtype.element_ty
    begin(early)
    row, head = tl.program_id(0), tl.program_id(1)
    inner = tl.arange(0, dim)
    inside = inner < width
    source = qkv + (row * (heads + 2 * key_heads) + head) * width
    found = tl.load(source + inner, inside, 0.0).to(tl.float32)
    if head < heads + key_heads:
        turns = inner < turned
        other = tl.where(inner < turned // 2, inner + turned // 2, inner - turned // 2)
        partner = tl.load(source + other, turns, 0.0).to(tl.float32)
        if norms:
            scale = tl.rsqrt(tl.sum(found * found) / width + epsilon)
            found *= scale * tl.load(weights + head * width + inner, inside, 0.0).to(tl.float32)
            partner *= scale * tl.load(weights + head * width + other, turns, 0.0).to(tl.float32)
        cosine = tl.load(cosines + row * rotation_row + inner, turns, 1.0).to(tl.float32)
        sine = tl.load(sines + row * rotation_row + inner, turns, 0.0).to(tl.float32)
        found = found * cosine + partner * sine
    result = rounded(found, dtype, interpreted)
    if head < heads:
        tl.store(query + (row * heads + head) * width + inner, result, inside)
    else:
        slot = tl.load(slots + row)
        if head < heads + key_heads:
            tl.store(keys + (head - heads) * key_head + slot * key_row + inner, result, inside)
        else:
            of = head - heads - key_heads
            tl.store(values + of * key_head + slot * key_row + inner, result, inside)


def place(
    qkv: torch.Tensor, rotation: Rotation, shape: Attention, cache: PrefixLayer
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """`operations.place`, for a forward of fixed shape."""
    rows, every, width = qkv.shape
    assert cache.slots is not None
    if shape.each_head is None and shape.query_norm is not None:
        both = shape.heads + shape.key_heads
        qkv = torch.cat((normed_query_key(qkv[:, :both], shape), qkv[:, both:]), 1)
    cosines, sines = rotation
    query = qkv.new_empty(rows, shape.heads, width)
    weights, epsilon = shape.each_head or (qkv, 0.0)
    launch(place_head, (rows, every),
        qkv, cosines, sines, weights, cache.slots, query, cache.keys, cache.values, cache.keys.stride(1),
        cache.keys.stride(2), cosines.stride(0), epsilon,
        heads=shape.heads,
        key_heads=shape.key_heads,
        width=width,
        turned=cosines.shape[-1],
        dim=triton.next_power_of_2(width),
        norms=shape.each_head is not None,
        interpreted=INTERPRETED,
        num_warps=1,
    )  # fmt: skip
    return query, cache.keys[:, :, : cache.columns], cache.values[:, :, : cache.columns]
