"""Attention of a few rows of a draft tree after a long text, summed by position.

    position    0 ............ 127 | 128 ...... 191 | 192  193  194 ...       blocks of 32, splits of 128
    column      the same           | the same       | by the row's own ancestors, wherever they lie

A row's sums run over blocks of fixed positions within splits of fixed positions, and over the splits in their
order. Neither depends on what else is in the call or in which columns the ancestors lie, so a row's bits
are those of the same row alone.

    read_prefix      every tile of rows x every split: blocks that lie wholly in the prefix
    read_ancestors   every row: merges its splits, and continues the last one block by block through the map from
                     positions to columns

The query heads that share a key head are rows of one tile, so that each key is read once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl

from logitspec.runtime.kernels.launch import INTERPRETED, begin, launch, rounded
from logitspec.runtime.operations import Attention, View
from logitspec.runtime.shapes import Rows

LOWEST = tl.constexpr(-1e38)  # below any score, but finite: hidden positions add 0, not NaN


@dataclass(frozen=True, slots=True)
class Plan:
    """How the work is divided. tile: rows times heads that share keys, in one multiplication. block: positions
    in one multiplication. split: positions that one program sums, several blocks; constant, so that sums
    don't depend on the length of the text."""

    tile: int = 16
    block: int = 32
    split: int = 256
    warps: int = 4


PLANS = (
    Plan(split=128),
    Plan(),
    Plan(tile=32),
    Plan(tile=64),
    Plan(tile=64, split=512, warps=8),
    Plan(tile=64, block=64, split=512),
)


@triton.jit
def _attended(
    best,
    total,
    mixed,
    query,
    keys,
    values,
    seen,
    scale,
    cap: tl.constexpr,
    interpreted: tl.constexpr,
):
    """The running softmax after one more block. seen: [tile, block]."""
    if interpreted:
        query, keys, values = query.to(tl.float32), keys.to(tl.float32), values.to(tl.float32)
    scores = tl.dot(query, tl.trans(keys), input_precision="ieee")
    scores *= scale
    if cap > 0:
        shrunk = tl.exp(-2 * tl.abs(scores) / cap)
        bounded = cap * (1 - shrunk) / (1 + shrunk)
        scores = tl.where(scores < 0, -bounded, bounded)
    scores = tl.where(seen, scores, -float("inf"))
    highest = tl.maximum(best, tl.max(scores, 1))
    shares = tl.exp(scores - highest[:, None])
    fade = tl.exp(best - highest)
    mixed = tl.dot(shares.to(values.dtype), values, mixed * fade[:, None], input_precision="ieee")
    return highest, total * fade + tl.sum(shares, 1), mixed


@triton.jit
def _merged(best, total, mixed, other_best, other_total, other_mixed):
    highest = tl.maximum(best, other_best)
    fade, other_fade = tl.exp(best - highest), tl.exp(other_best - highest)
    total = total * fade + other_total * other_fade
    return highest, total, mixed * fade[:, None] + other_mixed * other_fade[:, None]


@triton.jit
def _first_position(prefix, block: tl.constexpr, window: tl.constexpr):
    """Where the earliest row begins to attend, rounded down to the start of a block."""
    first = 0
    if window > 0:
        first = tl.maximum(prefix - window + 1, 0) // block * block
    return first


@triton.jit(do_not_specialize=["rows"])
def read_prefix(
    query, keys, values, positions, slots, real, bests, totals, mixes, query_row, key_head, key_row, rows,
    scale, groups: tl.constexpr, width: tl.constexpr, tile: tl.constexpr, dim: tl.constexpr,
    block: tl.constexpr, split: tl.constexpr, window: tl.constexpr, cap: tl.constexpr,
    interpreted: tl.constexpr, early: tl.constexpr,
):  # fmt: skip
    """Partial softmaxes of one tile over those blocks of one split that lie wholly in the prefix."""
    begin(early)
    head, part, heads = tl.program_id(0), tl.program_id(1), tl.num_programs(0) * groups
    folded = tl.program_id(2) * tile + tl.arange(0, tile)
    row = folded // groups
    inside = row < rows
    prefix = tl.load(slots).to(tl.int32)
    first = tl.maximum(part * split, _first_position(prefix, block, window))
    last = tl.minimum(part * split + split, prefix // block * block)
    some = tl.load(real + tl.program_id(2) * tile // groups) > 0
    if some and first < last:
        inner = tl.arange(0, dim)
        wide = inner < width
        from_query = row * query_row + (head * groups + folded % groups) * width
        asked = tl.load(
            query + from_query[:, None] + inner[None, :], inside[:, None] & wide[None, :], 0.0
        )
        own = tl.load(positions + row, inside, 0).to(tl.int32)
        best = tl.full([tile], LOWEST, tl.float32)
        total = tl.zeros([tile], tl.float32)
        mixed = tl.zeros([tile, dim], tl.float32)
        for start in range(first, last, block):
            position = start + tl.arange(0, block)
            cached = head * key_head + position[:, None] * key_row + inner[None, :]
            key = tl.load(keys + cached, wide[None, :], 0.0)
            value = tl.load(values + cached, wide[None, :], 0.0)
            seen = position[None, :] <= own[:, None]
            if window > 0:
                seen &= own[:, None] - position[None, :] < window
            best, total, mixed = _attended(
                best, total, mixed, asked, key, value, seen, scale, cap, interpreted
            )
        to = (part * rows + row) * heads + head * groups + folded % groups
        tl.store(bests + to, best, inside)
        tl.store(totals + to, total, inside)
        tl.store(
            mixes + to[:, None] * width + inner[None, :], mixed, inside[:, None] & wide[None, :]
        )


@triton.jit(do_not_specialize=["rows"])
def read_ancestors(
    query, keys, values, positions, slots, real, columns, bests, totals, mixes, output, query_row, key_head,
    key_row, rows, scale, groups: tl.constexpr, width: tl.constexpr, tile: tl.constexpr,
    dim: tl.constexpr, block: tl.constexpr, split: tl.constexpr, window: tl.constexpr, cap: tl.constexpr,
    interpreted: tl.constexpr, early: tl.constexpr,
):  # fmt: skip
    """The output of one row, for the heads of one key head."""
    begin(early)
    head, row, heads = tl.program_id(0), tl.program_id(1), tl.num_programs(0) * groups
    group, inner = tl.arange(0, tile), tl.arange(0, dim)
    inside, wide = group < groups, inner < width
    both = inside[:, None] & wide[None, :]
    prefix, own = tl.load(slots).to(tl.int32), tl.load(positions + row).to(tl.int32)
    of_head = row * heads + head * groups + group
    best = tl.full([tile], LOWEST, tl.float32)
    total = tl.zeros([tile], tl.float32)
    mixed = tl.zeros([tile, dim], tl.float32)
    if tl.load(real + row) > 0:
        from_query = row * query_row + (head * groups + group) * width
        asked = tl.load(query + from_query[:, None] + inner[None, :], both, 0.0)
        first, whole = _first_position(prefix, block, window), prefix // block * block
        for part in range(first // split, whole // split):
            of_part = part * rows * heads + of_head
            best, total, mixed = _merged(
                best, total, mixed,
                tl.load(bests + of_part, inside, LOWEST),
                tl.load(totals + of_part, inside, 0.0),
                tl.load(mixes + of_part[:, None] * width + inner[None, :], both, 0.0),
            )  # fmt: skip
        # The split that holds the end of the prefix, as far as `read_prefix` has read it.
        begun = group < tl.where(whole > tl.maximum(whole // split * split, first), groups, 0)
        of_last = whole // split * rows * heads + of_head
        state_best = tl.load(bests + of_last, begun, LOWEST)
        state_total = tl.load(totals + of_last, begun, 0.0)
        state_mixed = tl.load(
            mixes + of_last[:, None] * width + inner[None, :], begun[:, None] & wide[None, :], 0.0
        )
        for start in range(whole, own + 1, block):
            if start % split == 0:
                best, total, mixed = _merged(
                    best, total, mixed, state_best, state_total, state_mixed
                )
                state_best = tl.full([tile], LOWEST, tl.float32)
                state_total = tl.zeros([tile], tl.float32)
                state_mixed = tl.zeros([tile, dim], tl.float32)
            position = start + tl.arange(0, block)
            seen = position <= own
            if window > 0:
                seen &= own - position < window
            new = seen & (position >= prefix)
            column = tl.load(columns + row * rows + position - prefix, new, 0)
            column = tl.where(new, column, position)
            cached = head * key_head + column[:, None] * key_row + inner[None, :]
            key = tl.load(keys + cached, seen[:, None] & wide[None, :], 0.0)
            value = tl.load(values + cached, seen[:, None] & wide[None, :], 0.0)
            state_best, state_total, state_mixed = _attended(
                state_best,
                state_total,
                state_mixed,
                asked,
                key,
                value,
                seen[None, :],
                scale,
                cap,
                interpreted,
            )
        best, total, mixed = _merged(best, total, mixed, state_best, state_total, state_mixed)
    found = mixed / tl.where(total > 0, total, 1.0)[:, None]
    dtype: tl.constexpr = output.dtype.element_ty
    tl.store(
        output + of_head[:, None] * width + inner[None, :], rounded(found, dtype, interpreted), both
    )


@triton.jit(do_not_specialize=["rows"])
def map_positions(ancestors, positions, slots, columns, rows, size: tl.constexpr):
    """For one row, the column of its ancestor at each position after the prefix."""
    row, other = tl.program_id(0), tl.arange(0, size)
    inside = other < rows
    above = tl.load(ancestors + row * rows + other, inside, 0) > 0
    place = tl.load(positions + other, inside, 0) - tl.load(slots)
    column = tl.load(slots + other, inside, 0)
    above &= (place >= 0) & (place < rows)
    tl.store(columns + row * rows + place, column.to(tl.int32), above)


def columns_by_position(rows: Rows) -> torch.Tensor:
    """int32 [rows, rows]: the column of each row's ancestor at each position after the prefix."""
    count = len(rows.slots)
    columns = rows.slots.new_zeros((count, count), dtype=torch.int32)
    launch(map_positions, (count,),
        rows.ancestors.view(torch.uint8), rows.positions, rows.slots, columns, count, triton.next_power_of_2(count)
    )  # fmt: skip
    return columns


def attend(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    view: View,
    shape: Attention,
    plan: Plan,
) -> torch.Tensor:
    """`operations.attend` for a view by position."""
    rows, columns = view.rows, view.columns
    assert rows is not None
    count, heads, width = query.shape
    key_heads = keys.shape[1]
    groups = heads // key_heads
    parts = triton.cdiv(view.reach, plan.split)
    bests, totals = query.new_empty((2, parts, count, heads), dtype=torch.float32)
    mixes = query.new_empty((parts, count, heads, width), dtype=torch.float32)
    output = torch.empty_like(query, memory_format=torch.contiguous_format)
    inputs = query, keys, values, rows.positions, rows.slots, rows.real
    sizes = query.stride(0), keys.stride(1), keys.stride(2), count, shape.scale
    options = {
        "groups": groups,
        "width": width,
        "tile": max(plan.tile, triton.next_power_of_2(groups)),
        "dim": max(16, triton.next_power_of_2(width)),
        "block": plan.block,
        "split": plan.split,
        "window": shape.window or 0,
        "cap": shape.score_cap or 0.0,
        "interpreted": INTERPRETED,
        "num_warps": plan.warps,
    }
    tiles = triton.cdiv(count * groups, options["tile"])
    launch(read_prefix, (key_heads, parts, tiles), *inputs, bests, totals, mixes, *sizes, **options)
    launch(
        read_ancestors,
        (key_heads, count),
        *inputs,
        columns,
        bests,
        totals,
        mixes,
        output,
        *sizes,
        **options,
    )
    return output.view(count, heads * width)
