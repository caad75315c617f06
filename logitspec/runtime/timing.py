"""Times the forwards of a target."""

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
    """Those of `sizes` that the target can hold after the text that `forward_seconds` reads."""
    return [size for size in sizes if _context(target) + size <= target.limit]


def forward_seconds(
    target: Target, vocabulary: int, sizes: Sequence[int], context: int = MAX_CONTEXT
) -> list[float]:
    """For each size, the seconds of the fastest of a few forwards over trees of that many nodes, after a text
    of `context` tokens, or fewer where the target holds no more.

    All sizes take turns, so that a busy moment of the machine affects one round of each and not all rounds
    of one; no size is given a longer time than a larger one.
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
    """A tree of `nodes` nodes, with tokens from `text`: two children per node, none for the last ones."""
    tree = DraftTree(text[0])
    for node in range(1, nodes):
        tree.add(node // 2, text[node % len(text)], Provenance(Origin.LOGIT), merge=False)
    return tree


def _context(target: Target, context: int = MAX_CONTEXT) -> int:
    """Length of the text after which forwards are timed."""
    return min(context, target.limit // 2)
