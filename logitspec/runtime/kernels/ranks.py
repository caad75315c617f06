"""The best tokens of every row, by a tournament: maxima of maxima of eight, then back down.

    logits   8 8 8 ... 8      the best k lie in the k best groups of eight,
    level 1  |-8-| ... 8      those in the k best groups of eight groups,
    level 2  |---- 8 ----|    and so on: each level sorts 8 k keys, whatever the vocabulary
    level 3

A key holds a logit and its place, so that no two are equal: of equal logits the first one ranks higher, as
in an argmax.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from logitspec.runtime.kernels.launch import begin, launch

GROUP = tl.constexpr(8)
CHUNK = 4096  # logits that one program reads, a whole number of groups of groups of groups
NOTHING = tl.constexpr(-(2**63))  # below the key of any logit


@triton.jit
def _keys(logits, place, inside):
    """int64 keys, ordered by logit and then by first place."""
    bits = logits.to(tl.float32).to(tl.int32, bitcast=True)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    keys = (ordered.to(tl.int64) << 32) | (0x7FFFFFFF - place).to(tl.int64)
    return tl.where(inside, keys, NOTHING)


@triton.jit
def _places(keys):
    return 0x7FFFFFFF - (keys & 0x7FFFFFFF).to(tl.int32)


@triton.jit
def summarize(
    logits,
    levels,
    highests,
    totals,
    row_stride,
    vocabulary,
    chunk: tl.constexpr,
    early: tl.constexpr,
):
    """For one chunk of one row, the three levels, the highest logit, and the sum of exponentials relative to it."""
    begin(early)
    row, part, parts = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    groups: tl.constexpr = chunk // GROUP
    place = part * chunk + tl.arange(0, groups)[:, None] * GROUP + tl.arange(0, GROUP)[None, :]
    inside = place < vocabulary
    found = tl.load(logits + row * row_stride + place, inside, -float("inf")).to(tl.float32)
    highest = tl.max(tl.max(found, 1), 0)
    total = tl.sum(tl.sum(tl.exp(found - tl.maximum(highest, -1e38)), 1), 0)
    tl.store(highests + row * parts + part, highest)
    tl.store(totals + row * parts + part, total)
    size = parts * groups
    levels += row * (size + size // GROUP + size // GROUP // GROUP)
    best = tl.max(_keys(found, place, inside), 1)
    tl.store(levels + part * groups + tl.arange(0, groups), best)
    levels += size
    second: tl.constexpr = groups // GROUP
    best = tl.max(tl.reshape(best, (second, GROUP)), 1)
    tl.store(levels + part * second + tl.arange(0, second), best)
    levels += size // GROUP
    third: tl.constexpr = second // GROUP
    best = tl.max(tl.reshape(best, (third, GROUP)), 1)
    tl.store(levels + part * third + tl.arange(0, third), best)


@triton.jit
def rank(
    logits, levels, highests, totals, packed, row_stride, vocabulary, parts, k: tl.constexpr,
    top: tl.constexpr, most: tl.constexpr, wanted: tl.constexpr, chunk: tl.constexpr,
    early: tl.constexpr,
):  # fmt: skip
    """The best of one row, in the form of `pack_ranks`. top: room for the third level; most: room for parts."""
    begin(early)
    row = tl.program_id(0)
    part = tl.arange(0, most)
    highests = tl.load(highests + row * parts + part, part < parts, -float("inf"))
    highest = tl.max(highests, 0)
    totals = tl.load(totals + row * parts + part, part < parts, 0.0)
    total = tl.sum(totals * tl.exp(tl.maximum(highests, -1e38) - tl.maximum(highest, -1e38)), 0)
    first = parts * (chunk // GROUP)
    levels += row * (first + first // GROUP + first // GROUP // GROUP)
    group = tl.arange(0, top)
    third = levels + first + first // GROUP
    best = tl.topk(tl.load(third + group, group < first // GROUP // GROUP, NOTHING), k)
    for step in range(3):  # down to the second level, the first, the logits
        span = tl.where(step == 0, GROUP * GROUP, tl.where(step == 1, GROUP, 1))
        child = _places(best)[:, None] // (span * GROUP) * GROUP + tl.arange(0, GROUP)[None, :]
        there = (best[:, None] != NOTHING) & (child >= 0)  # of the shape of `child`
        if step < 2:
            keys = tl.load(levels + tl.where(step == 0, first, 0) + child, there, NOTHING)
        else:
            there &= child < vocabulary
            keys = _keys(tl.load(logits + row * row_stride + child, there, 0.0), child, there)
        best = tl.topk(tl.reshape(keys, (k * GROUP,)), k)
    place, order = _places(best), tl.arange(0, k)
    kept = order < wanted
    value = tl.load(logits + row * row_stride + place, kept, 0.0).to(tl.float32)
    share = tl.exp(value - highest) / total
    packed += row * (1 + 2 * wanted)
    tl.store(packed + order, place, order == 0)
    tl.store(packed + 1 + order, place, kept)
    tl.store(packed + 1 + wanted + order, share.to(tl.int32, bitcast=True), kept)


def pack_ranks(logits: torch.Tensor, k: int) -> torch.Tensor:
    """`ranks.pack_ranks`, for logits [rows, vocabulary] of at most single precision."""
    rows, vocabulary = logits.shape
    wanted = min(k, vocabulary)
    parts = triton.cdiv(vocabulary, CHUNK)
    size = parts * CHUNK // 8
    levels = logits.new_empty(rows, size + size // 8 + size // 64, dtype=torch.int64)
    sums = logits.new_empty(2, rows, parts, dtype=torch.float32)
    packed = logits.new_empty(rows, 1 + 2 * wanted, dtype=torch.int32)
    launch(
        summarize, (rows, parts), logits, levels, *sums, logits.stride(0), vocabulary, chunk=CHUNK
    )
    power = max(2, triton.next_power_of_2(wanted))
    launch(rank, (rows,),
        logits, levels, *sums, packed, logits.stride(0), vocabulary, parts,
        k=power,
        top=max(power, triton.next_power_of_2(size // 64)),
        most=triton.next_power_of_2(parts),
        wanted=wanted,
        chunk=CHUNK,
    )  # fmt: skip
    return packed
