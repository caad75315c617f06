"""What forwards of a target cost, on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from logitspec.decoding.target import Target
from logitspec.trace.tree import DraftTree, Origin, Provenance

MAX_CONTEXT = 64
SECONDS = 0.04  # for each size


def fitting_sizes(target: Target, sizes: Sequence[int]) -> list[int]:
    """Those of `sizes` that the target can hold behind the text that `forward_seconds` reads."""
    return [size for size in sizes if _context(target) + size <= target.limit]


def forward_seconds(target: Target, vocabulary: int, sizes: Sequence[int]) -> list[float]:
    """For each size, the shortest of a few forwards over trees of that many nodes behind a short text.

    vocabulary: how many token ids the target knows. Forgets the text.
    """
    text = [place % vocabulary for place in range(_context(target))]
    shortest = []
    for size in sizes:
        tree = some_tree(text, size)
        target.prefill(text)
        target.verify(tree)  # allocates the buffers of this size
        times: list[float] = []
        until = perf_counter() + SECONDS
        while len(times) < 3 or (perf_counter() < until and len(times) < 12):
            times.append(target.verify(tree).seconds)
            if times[-1] > SECONDS:
                break
        shortest.append(min(times))
    target.length = 0
    return shortest


def some_tree(text: Sequence[int], nodes: int) -> DraftTree:
    """A tree of so many nodes, their tokens from `text`, with two children a node and none for the last."""
    tree = DraftTree(text[0])
    for node in range(1, nodes):
        tree.add(node // 2, text[node % len(text)], Provenance(Origin.LOGIT), merge=False)
    return tree


def _context(target: Target) -> int:
    """Length of the text behind which forwards are timed."""
    return min(MAX_CONTEXT, target.limit // 2)
