"""What a decoder layer computes besides its products, in torch operations.

These run on every device and in every dtype; kernels that replace some of them are checked against them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from logitspec.runtime.cache import PrefixLayer
from logitspec.runtime.ranks import pack_ranks
from logitspec.runtime.shapes import Rows

Rotation = tuple[torch.Tensor, torch.Tensor]
"""Cosines and signed sines, each [rows, 1, rotary share of head_dim]."""


class Norm(NamedTuple):
    """weight: [width], in float32 where half precision would round it."""

    weight: torch.Tensor
    epsilon: float


@dataclass(frozen=True, slots=True)
class Attention:
    """The attention of a layer. window: how many positions a row attends to (None: all). score_cap: the
    bound on scores (None: none). each_head: weights [heads + key heads, head_dim] and epsilon of the norms of
    query and key, where each head is normalized by itself; query_norm, key_norm: used otherwise. doubles:
    whether one row is faster computed as two."""

    heads: int
    key_heads: int
    head_dim: int
    scale: float
    window: int | None = None
    score_cap: float | None = None
    each_head: Norm | None = None
    query_norm: Norm | None = None
    key_norm: Norm | None = None
    doubles: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What rows attend to, in one of two forms.

    mask: added to the scores; None where nothing is hidden, or in a chain without a prefix. chain: whether each
    row attends to those before it, with a mask that is not repeated for the groups of heads; never where scores
    are capped. rows, columns, reach: instead of a mask, the rows themselves, the columns of their ancestors
    by position [rows, rows], and how many columns the prefix may have.
    """

    mask: torch.Tensor | None = None
    chain: bool = False
    rows: Rows | None = None
    columns: torch.Tensor | None = None
    reach: int = 0


def add_norm(
    hidden: torch.Tensor, added: torch.Tensor | None, after: Norm | None, before: Norm | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """`hidden` [rows, hidden] plus `added` normalized by `after`, and this sum normalized by `before`."""
    if added is not None:
        hidden = hidden + normed(added, after)
    return hidden, normed(hidden, before)


def gate(gate_up: torch.Tensor, activation: Any) -> torch.Tensor:
    """[rows, width] for [rows, 2 width]: the activated first half times the second."""
    first, second = gate_up.chunk(2, -1)
    return activation(first) * second  # type: ignore[no-any-return]


def place(
    qkv: torch.Tensor, rotation: Rotation, shape: Attention, cache: PrefixLayer
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalize and rotate query and key of `qkv` [rows, heads + 2 key heads, head_dim], and write key and
    value; returns query [rows, heads, head_dim], and keys and values as cached."""
    both, heads = shape.heads + shape.key_heads, shape.heads
    query_key, value = torch.split(qkv, [both, shape.key_heads], 1)
    query_key = rotated(normed_query_key(query_key, shape), *rotation)
    query, key = torch.split(query_key, [heads, shape.key_heads], 1)
    keys, values = cache.update(key.transpose(0, 1)[None], value.transpose(0, 1)[None])
    return query, keys, values


def attend(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, view: View, shape: Attention
) -> torch.Tensor:
    """[rows, heads * head_dim] for query [rows, heads, head_dim]; keys and values as cached."""
    attention = _attend_in_order if view.chain else _attend
    return attention(query, keys, values, view.mask, shape)


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations of a forward. columns_by_position: makes a view's columns, where `attend` takes a view
    without a mask."""

    add_norm: Callable[..., tuple[torch.Tensor, torch.Tensor]] = add_norm
    place: Callable[..., tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = place
    attend: Callable[..., torch.Tensor] = attend
    gate: Callable[..., torch.Tensor] = gate
    pack_ranks: Callable[[torch.Tensor, int], torch.Tensor] = pack_ranks
    columns_by_position: Callable[[Rows], torch.Tensor] | None = None


PLAIN = Operations()


def _attend(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    shape: Attention,
) -> torch.Tensor:
    """The heads that share a key head are laid out as more rows of one head, so that keys and values are
    read once for all of them; the rows of `mask` are repeated likewise."""
    rows = len(query)
    folded = query.view(rows, shape.key_heads, -1, shape.head_dim).permute(1, 2, 0, 3)
    folded = folded.reshape(1, shape.key_heads, -1, shape.head_dim)
    if rows == 1 and shape.doubles:
        folded = torch.cat((folded, folded), 2)
    mixed = _mixed(folded, keys, values, mask, shape)
    if rows == 1 and shape.doubles:
        mixed = mixed[:, :, :1]
    mixed = mixed.reshape(shape.key_heads, -1, rows, shape.head_dim)
    return mixed.permute(2, 0, 1, 3).reshape(rows, -1)


def _mixed(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    shape: Attention,
) -> torch.Tensor:
    """[1, key heads, rows, head_dim] for `query` of that shape. Capped scores are computed here, as
    `F.scaled_dot_product_attention` has no cap."""
    if shape.score_cap is None:
        return F.scaled_dot_product_attention(
            query, keys, values, attn_mask=mask, scale=shape.scale
        )
    scores = capped(query @ keys.transpose(-1, -2) * shape.scale, shape.score_cap)
    if mask is not None:
        scores = scores + mask
    wide = torch.promote_types(scores.dtype, torch.float32)
    return torch.softmax(scores, -1, dtype=wide).to(values.dtype) @ values


def _attend_in_order(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    shape: Attention,
) -> torch.Tensor:
    """`_attend` for the many rows of a prompt, each of which attends to those before it."""
    mixed = F.scaled_dot_product_attention(
        query.transpose(0, 1)[None],
        keys,
        values,
        attn_mask=mask,
        is_causal=mask is None,
        scale=shape.scale,
        enable_gqa=shape.heads != shape.key_heads,
    )
    return mixed[0].transpose(0, 1).reshape(len(query), -1)


def normed_query_key(query_key: torch.Tensor, shape: Attention) -> torch.Tensor:
    """`query_key` [rows, heads + key heads, head_dim] after the norms of query and key, if any."""
    if shape.each_head is not None:
        weight, epsilon = shape.each_head
        return F.rms_norm(query_key, query_key.shape[-1:], None, epsilon) * weight
    if shape.query_norm is None and shape.key_norm is None:
        return query_key
    query, key = torch.split(query_key, [shape.heads, shape.key_heads], 1)
    query = normed(query.flatten(1), shape.query_norm)
    key = normed(key.flatten(1), shape.key_norm)
    return torch.cat((query, key), 1).view_as(query_key)


def rotated(rows: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of `rows` [rows, heads, head_dim]: pairs lie half the width of `cosines` apart, and
    numbers beyond that width stay as they are."""
    width = cosines.shape[-1]
    if width < rows.shape[-1]:
        return torch.cat((rotated(rows[..., :width], cosines, sines), rows[..., width:]), -1)
    found = torch.addcmul(rows * cosines, rows.roll(width // 2, -1), sines)
    # Some models give cosines in float32 whatever their dtype. Even a cast that changes nothing takes time.
    return found if found.dtype == rows.dtype else found.to(rows.dtype)


def normed(hidden: torch.Tensor, norm: Norm | None) -> torch.Tensor:
    """`hidden` normalized by `norm`, or `hidden` itself without one."""
    if norm is None:
        return hidden
    weight, epsilon = norm
    if weight.dtype == hidden.dtype:
        return F.rms_norm(hidden, hidden.shape[-1:], weight, epsilon)
    wide = F.rms_norm(hidden.to(weight.dtype), hidden.shape[-1:], weight, epsilon)
    return wide.to(hidden.dtype)


def capped(values: torch.Tensor, cap: float) -> torch.Tensor:
    """Soft cap: nearly `values` where they are small, never beyond `cap` in either direction."""
    return torch.tanh(values / cap) * cap
