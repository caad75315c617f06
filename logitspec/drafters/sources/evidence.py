"""Classes of evidence: what a source says about a token, and its number in the table of weights.

Every token that a source offers after a context has one class for each kind of source, even where that source
doesn't offer it. `weights.py` has a weight for each class, and `odds.py` turns them into probabilities.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import product

Kind = tuple[object, ...]
CopyClass = tuple[int, int, int]  # length, times, share

LENGTHS = (1, 2, 4, 8)  # tokens of an n-gram; 8 stands for longer ones, too
TIMES = (1, 2, 4)  # how often the token followed: once, twice or thrice, more often
SHARES = (0, 1, 2)  # of all that followed: less than a third, less than all, all
SUCCESSOR_ORDERS = (3, 2, 1)
_PROBABILITIES = (0.003, 0.01, 0.03, 0.06, 0.12, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
_RANKS = (3, 5, 9, 17, 33)
GROUPS = range(4)  # of buckets: a probability below 0.12, below 0.5, below 0.9, all others
MAX_RUNNERS_UP = 64  # of the last logits, as children of the root
RANK_GROUPS = range(3)  # of ranks: below 3, below 5, all others

_COPY_CLASSES = list(product(LENGTHS, TIMES, SHARES))
_BUCKETS = range(len(_PROBABILITIES) + 1)
KINDS: list[Kind] = [
    *(("copy", *each, later) for each in _COPY_CLASSES for later in (False, True)),
    *(("no copy", *each) for each in _COPY_CLASSES),
    ("no copy", 0, 0, 0),
    *(("successor", order, bucket) for order in SUCCESSOR_ORDERS for bucket in _BUCKETS),
    *(
        ("shorter", order, best, bucket)
        for best in SUCCESSOR_ORDERS
        for order in SUCCESSOR_ORDERS
        if order < best
        for bucket in range(len(_BUCKETS) // 2 + 1)
    ),
    *(("no successor", best) for best in (*SUCCESSOR_ORDERS, 0)),
    *(("logit", rank, occurred) for rank in range(len(_RANKS) + 1) for occurred in (False, True)),
    ("no logit", 0),
    *(
        ("both", length, sure, group)
        for length in LENGTHS
        for sure in (False, True)
        for group in GROUPS
    ),
    *(("against", length, group) for length in LENGTHS for group in GROUPS[1:]),
    *(("ranked", copied, group) for copied in (False, True) for group in RANK_GROUPS),
    *(("none", best, root) for best in (*SUCCESSOR_ORDERS, 0) for root in (False, True)),
    *(("none", *each) for each in _COPY_CLASSES),
    ("none", 0, 0, 0),
]
"""All classes in the order of the table. copy: length of the n-gram, times, share, whether a longer n-gram
had other continuations. no copy, none: the class of the best copy after this context, if there is one.
successor: tokens of the known context, bucket of the probability. shorter: the same if a longer context is
known, too. none: the event that no source offers the right token.

Evidence that agrees is not independent, and the product of its factors says too much. both: a copy that is
also ranked after the longest known context; sure: nothing else followed. against: a copy that is not ranked
there, by the group of the token ranked first. ranked: a runner-up that is also a copy, or a successor."""

NUMBERS: dict[Kind, int] = {kind: number for number, kind in enumerate(KINDS)}


def _number(*kind: object) -> int:
    return NUMBERS[kind]


COPY = {each: [_number("copy", *each, later) for later in (False, True)] for each in _COPY_CLASSES}
NO_COPY: dict[CopyClass | None, int] = {
    **{each: _number("no copy", *each) for each in _COPY_CLASSES},
    None: NUMBERS["no copy", 0, 0, 0],
}
"""By class of the best copy after the context; None: there is none."""
SUCCESSOR = {
    order: [NUMBERS["successor", order, bucket] for bucket in _BUCKETS]
    for order in SUCCESSOR_ORDERS
}
SHORTER = {
    (order, best): [NUMBERS["shorter", order, best, bucket // 2] for bucket in _BUCKETS]
    for best in SUCCESSOR_ORDERS
    for order in SUCCESSOR_ORDERS
    if order < best
}
NO_SUCCESSOR = {best: NUMBERS["no successor", best] for best in (*SUCCESSOR_ORDERS, 0)}
LOGIT = [
    [NUMBERS["logit", bisect_right(_RANKS, rank), occurred] for occurred in (False, True)]
    for rank in range(MAX_RUNNERS_UP)
]
NO_LOGIT = NUMBERS["no logit", 0]
BOTH = {
    (length, sure): [NUMBERS["both", length, sure, group] for group in GROUPS]
    for length in LENGTHS
    for sure in (False, True)
}
AGAINST = {
    length: [None, *(NUMBERS["against", length, group] for group in GROUPS[1:])]
    for length in LENGTHS
}
"""By group of the token ranked first; None: too improbable to speak against anything."""
RANKED = [
    [
        NUMBERS["ranked", copied, min(bisect_right(_RANKS, rank), RANK_GROUPS[-1])]
        for copied in (False, True)
    ]
    for rank in range(MAX_RUNNERS_UP)
]
NONE_KNOWN = {
    best: [NUMBERS["none", best, root] for root in (False, True)] for best in (*SUCCESSOR_ORDERS, 0)
}
NONE_COPY: dict[CopyClass | None, int] = {
    **{each: _number("none", *each) for each in _COPY_CLASSES},
    None: NUMBERS["none", 0, 0, 0],
}


def buckets_of(probabilities: Sequence[float]) -> list[int]:
    """The buckets of successors' probabilities, which are in descending order; 0 for the smallest."""
    least = bisect_left(probabilities[::-1], _PROBABILITIES[0])
    likely = [
        bisect_right(_PROBABILITIES, each) for each in probabilities[: len(probabilities) - least]
    ]
    return likely + [0] * least


GROUP_OF = [bisect_right((5, 8, 11), bucket) for bucket in _BUCKETS]
"""By a successor's bucket."""
