"""Offers of continuations: from the text itself, the last logits, and logits of earlier steps.

Given a context, which is the end of the text followed by drafted tokens, a source makes offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from logitspec.drafters.sources.evidence import (
    GROUP_OF,
    SUCCESSOR_ORDERS,
    CopyClass,
    buckets_of,
)
from logitspec.trace.results import TopK
from logitspec.trace.tree import Origin, Provenance

ORDERS = (1, 2, 4, 8, 16)  # lengths between and beyond these predict no better
ONCE = {order: (min(order, 8), 1, 2) for order in ORDERS}
"""By tokens of an n-gram, the class of a token that followed it once, as its only follower."""

MAX_COPIES = 6  # continuations of one n-gram
MAX_SUCCESSORS = 16  # after the longest known context
MAX_SHORTER = 8  # after the shorter ones
MAX_ORDER = max(SUCCESSOR_ORDERS)
CAME = 0.2  # chosen like the pace of `trust`; twice as much makes no difference

Context = tuple[int, ...]


class Offer(NamedTuple):
    """A token that a source puts after a context.

    origin: the source. rank, probability: in the logits that it comes from; None for a copy. match_length,
    copied_from: tokens of the n-gram before a copy, and the absolute position of the copied token; None
    for other origins.
    """

    token: int
    origin: Origin
    rank: int | None = None
    probability: float | None = None
    match_length: int | None = None
    copied_from: int | None = None

    @property
    def provenance(self) -> Provenance:
        """The provenance of a node with this offer."""
        return Provenance(*self[1:])


class Copy(NamedTuple):
    """A token that followed an n-gram of `order` tokens, last at `position`, and the class of that evidence."""

    token: int
    kind: CopyClass
    order: int
    position: int

    @property
    def offer(self) -> Offer:
        """The token as a copy."""
        return Offer(self.token, Origin.RETRIEVED, None, None, self.order, self.position)


class Copied(NamedTuple):
    """What followed one n-gram. best: the best of their classes, by share of all followers, then by count."""

    best: CopyClass
    copies: Sequence[Copy]


class Followers:
    """What followed one n-gram: each token, how often and where last, and the most frequent ones."""

    __slots__ = ("_copied", "best", "counts", "total")

    def __init__(self) -> None:
        self.counts: dict[int, list[int]] = {}  # token: [times, last position]
        self.best: list[int] = []
        self.total = 0
        self._copied: Copied | None = None

    def add(self, token: int, position: int) -> None:
        """Count one more occurrence of `token` after the n-gram."""
        self._copied = None
        entry = self.counts.setdefault(token, [0, position])
        entry[0] += 1
        entry[1] = position
        self.total += 1
        if token in self.best:
            return
        if len(self.best) < MAX_COPIES:
            self.best.append(token)
            return
        # Among equally frequent tokens, the latest stays.
        least = min(range(MAX_COPIES), key=lambda place: self.counts[self.best[place]])
        if self.counts[self.best[least]] < entry:
            self.best[least] = token

    def copied(self, order: int) -> Copied:
        """The most frequent followers of an n-gram of `order` tokens."""
        if self._copied is None:
            length, total = min(order, 8), self.total
            copies = []
            for token in self.best:
                times, position = self.counts[token]
                often = 1 if times == 1 else 2 if times < 4 else 4
                share = 2 if times == total else 1 if 3 * times >= total else 0
                copies.append(Copy(token, (length, often, share), order, position))
            best = max((each.kind for each in copies), key=lambda kind: (kind[2], kind[1]))
            self._copied = Copied(best, copies)
        return self._copied


class Copies:
    """What followed the n-grams of the text, up to `max_order` tokens long; `ids` is the text.

    Costs O(orders) per token of text.
    """

    def __init__(self, max_order: int) -> None:
        self.ids: list[int] = []
        self._orders = [order for order in ORDERS if order <= max_order]
        # Most n-grams occur once: for those, the position after them is enough.
        self._after: dict[Context, Followers | int] = {}
        self._followed: set[int] = set()

    @property
    def longest(self) -> int:
        """Tokens of the longest n-gram."""
        return self._orders[-1]

    def extend(self, token: int) -> None:
        """Append a verified token."""
        ids, end = self.ids, len(self.ids)
        if ids:
            self._followed.add(ids[-1])
        tail = tuple(ids[-self.longest :])
        for order in self._orders:
            if order > end:
                break
            ngram = tail[-order:]
            after = self._after.get(ngram)
            if after is None:
                self._after[ngram] = end
            elif isinstance(after, Followers):
                after.add(token, end)
            else:
                followers = self._after[ngram] = Followers()
                followers.add(ids[after], after)
                followers.add(token, end)
        ids.append(token)

    def occurred(self, token: int) -> bool:
        """Whether the token occurs in the text, followed by another."""
        return token in self._followed

    def offers(self, context: Context) -> list[Copied]:
        """What followed the n-grams that end `context`, the longest first.

        An n-gram that occurred at the same places as a longer one has nothing to add and is left out.
        """
        if (after := self._after.get(context[-1:])) is None:
            return []
        matches: list[tuple[int, Followers | int]] = []
        times = 0
        for order in self._orders:
            if order > len(context):
                break
            if order > 1 and (after := self._after.get(context[-order:])) is None:
                break  # then no longer n-gram occurred either
            before, times = times, after.total if isinstance(after, Followers) else 1
            if before == times:
                matches.pop()
            matches.append((order, after))
        return [self._copied(order, after) for order, after in reversed(matches)]

    def _copied(self, order: int, after: Followers | int) -> Copied:
        if isinstance(after, Followers):
            return after.copied(order)
        kind = ONCE[order]
        return Copied(kind, (Copy(self.ids[after], kind, order, after),))


Known = Sequence[tuple[int, "Ranking"]]
Came = tuple[int, int]
"""A token of the text and its position."""


class Successors:
    """What the target ranked best after a token, and after the two and the three tokens that end with it, when
    it last read them, in the text or in rejected drafts."""

    def __init__(self) -> None:
        self._after: dict[Context, Ranking] = {}

    def observe(self, context: Context, topk: TopK, came: Came | None = None) -> None:
        """Remember the target's best tokens after `context`, and the token that came there if it did not choose it."""
        if topk.ids:
            ranking = Ranking(topk, came)
            for order in SUCCESSOR_ORDERS:
                if order <= len(context):
                    self._after[context[-order:]] = ranking

    def known(self, context: Context) -> list[tuple[int, Ranking]]:
        """The rankings after the suffixes of `context`, as (tokens of the suffix, ranking), longest first.
        If one is known after a suffix, one is known after all shorter suffixes."""
        after, found = self._after, []
        for order in range(1, min(len(context), MAX_ORDER) + 1):
            if (ranking := after.get(context[-order:])) is None:
                break
            found.append((order, ranking))
        return found[::-1]


class Ranking:
    """The best tokens of one row of logits, with the bucket of each probability.

    In a prompt, the next token came whatever the target expected, and a target that reads the same again expects it
    more than it did. So `ids` and `buckets` are those of a mixture, in which that token has a share of CAME.

    topk: the tokens as the target ranked them. odds: those of `ids`, by the length of the longest context after which
    the ranking is known, if it is also the one after all shorter contexts (`Odds`).
    """

    __slots__ = ("_came", "_groups", "_mixture", "odds", "topk")

    def __init__(self, topk: TopK, came: Came | None = None) -> None:
        self.topk = topk
        self.odds: dict[int, dict[int, float]] = {}
        self._came = came
        self._mixture: tuple[Sequence[int], list[int]] | None = None
        self._groups: dict[int, int] | None = None

    @property
    def ids(self) -> Sequence[int]:
        """Its tokens, the most probable first."""
        return (self._mixture or self._mix())[0]

    @property
    def buckets(self) -> list[int]:
        """The bucket of each of `ids`."""
        return (self._mixture or self._mix())[1]

    def _mix(self) -> tuple[Sequence[int], list[int]]:
        """Mix on first use only, since most rankings are never used."""
        ids, probabilities = self.topk.ids[:MAX_SUCCESSORS], self.topk.probs[:MAX_SUCCESSORS]
        if self._came is not None:
            shares = {
                token: (1 - CAME) * each for token, each in zip(ids, probabilities, strict=True)
            }
            token, _ = self._came
            shares[token] = shares.get(token, 0.0) + CAME
            ids = sorted(shares, key=shares.__getitem__, reverse=True)[:MAX_SUCCESSORS]
            probabilities = [shares[token] for token in ids]
        self._mixture = ids, buckets_of(probabilities)
        return self._mixture

    def group(self, token: int) -> int | None:
        """The group of a token's probability; None if the token is not among the best."""
        return GROUP_OF[self.buckets[self.ids.index(token)]] if token in self.ids else None

    @property
    def groups(self) -> dict[int, int]:
        """The group of each token's probability."""
        if self._groups is None:
            groups = map(GROUP_OF.__getitem__, self.buckets)
            self._groups = dict(zip(self.ids, groups, strict=True))
        return self._groups

    def offer(self, token: int, order: int) -> Offer:
        """A token of `ids` as a successor; or as a copy from the prompt, if the target had not ranked it there.

        order: tokens of the context."""
        if token in self.topk.ids:
            rank = self.topk.ids.index(token)
            return Offer(token, Origin.RECYCLED, rank, self.topk.probs[rank])
        assert self._came is not None
        return Offer(token, Origin.RETRIEVED, None, None, order, self._came[1])
