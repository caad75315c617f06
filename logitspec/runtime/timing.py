"""What forwards of a target cost, on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import perf_counter

from logitspec.decoding.target import Target
from logitspec.trace.costs import envelope
from logitspec.trace.tree import DraftTree, Origin, Provenance

MAX_CONTEXT = 64
SECONDS = 0.04  # for each size, unless MIN_ROUNDS take longer; the first round also allocates
MIN_ROUNDS, MAX_ROUNDS = 3, 12


def fitting_sizes(target: Target, sizes: Sequence[int]) -> list[int]:
    """Those of `sizes` that the target can hold behind the text that `forward_seconds` reads."""
    return [size for size in sizes if _context(target) + size <= target.limit]


def forward_seconds(
    target: Target, vocabulary: int, sizes: Sequence[int], context: int = MAX_CONTEXT
) -> list[float]:
    """For each size, the shortest of a few forwards over trees of that many nodes behind a text of `context`
    tokens, or fewer where the target holds no more.

    All sizes take turns, so that a busy moment of the machine meets one round of each and not all rounds
    of one; none takes longer than a larger one.
    vocabulary: how many token ids the target knows. Forgets the text.
    """
    text = [place % vocabulary for place in range(_context(target, context))]
    trees = [some_tree(text, size) for size in sizes]
    shortest = [inf] * len(trees)
    target.prefill(text)
    until = perf_counter() + SECONDS * len(trees)
    for done in range(MAX_ROUNDS):
        if done >= MIN_ROUNDS and perf_counter() > until:
            break
        for place, tree in enumerate(trees):
            shortest[place] = min(shortest[place], target.verify(tree).seconds)
    target.length = 0
    return envelope(shortest)


def some_tree(text: Sequence[int], nodes: int) -> DraftTree:
    """A tree of so many nodes, their tokens from `text`, with two children a node and none for the last."""
    tree = DraftTree(text[0])
    for node in range(1, nodes):
        tree.add(node // 2, text[node % len(text)], Provenance(Origin.LOGIT), merge=False)
    return tree


def _context(target: Target, context: int = MAX_CONTEXT) -> int:
    """Length of the text behind which forwards are timed."""
    return min(context, target.limit // 2)
