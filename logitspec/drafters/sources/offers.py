"""Offers of continuations: from the text itself, the last logits, and logits of earlier steps.

A source answers a context, which is the end of the text with drafted tokens behind it, with offers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from logitspec.drafters.sources.rates import Kind
from logitspec.trace.results import TopK
from logitspec.trace.tree import Origin, Provenance

ORDERS = (1, 2, 4, 8, 16)  # n-grams between and beyond predict no better
MAX_COPIES = 6  # continuations of one n-gram
SUCCESSOR_ORDERS = (2, 1)
MAX_SUCCESSORS = 8

Context = tuple[int, ...]


class Offer(NamedTuple):
    """A token that a source puts after a context.

    kind: the class of continuations whose hit rate it shares. rank, probability: in the logits that it
    is from; None for a copy. match_length, copied_from: tokens of the n-gram before a copy, and the
    absolute position of the copied token; None for others.
    """

    token: int
    kind: Kind
    rank: int | None = None
    probability: float | None = None
    match_length: int | None = None
    copied_from: int | None = None

    @property
    def provenance(self) -> Provenance:
        """Of a node with this offer."""
        return Provenance(_ORIGINS[str(self.kind[0])], *self[2:])


_ORIGINS = {"copy": Origin.RETRIEVED, "successor": Origin.RECYCLED, "logit": Origin.LOGIT}
_RANKS = [(0, 3), (3, 5), (5, 9), (9, 17), (17, 33), (33, 64)]
_LOGIT_KINDS = [
    [("logit", rank, occurred) for occurred in (False, True)] for rank in range(len(_RANKS))
]
_SUCCESSOR_KINDS = {
    order: [("successor", order, min(rank, 3)) for rank in range(MAX_SUCCESSORS)]
    for order in SUCCESSOR_ORDERS
}


class Followers:
    """What followed one n-gram: each token, how often and where last, and the most frequent of them."""

    __slots__ = ("_offers", "best", "counts", "total")

    def __init__(self) -> None:
        self.counts: dict[int, list[int]] = {}  # token: [times, last position]
        self.best: list[int] = []
        self.total = 0
        self._offers: list[Offer] | None = None

    def add(self, token: int, position: int) -> None:
        """Count one more occurrence of `token` after the n-gram."""
        self._offers = None
        entry = self.counts.setdefault(token, [0, position])
        entry[0] += 1
        entry[1] = position
        self.total += 1
        if token in self.best:
            return
        if len(self.best) < MAX_COPIES:
            self.best.append(token)
            return
        # Among tokens that came equally often the latest stays.
        least = min(range(MAX_COPIES), key=lambda place: self.counts[self.best[place]])
        if self.counts[self.best[least]] < entry:
            self.best[least] = token

    def offers(self, order: int) -> list[Offer]:
        """The most frequent followers, as copies after an n-gram of `order` tokens."""
        if self._offers is None:
            kinds, total = _COPY_KINDS[order], self.total
            rows = [(token, *self.counts[token]) for token in self.best]
            self._offers = [
                Offer(
                    token,
                    # Spelt out, for this runs hundreds of times a step.
                    kinds[1 if times == 1 else 2 if times < 4 else 4][
                        2 if times == total else 1 if 3 * times >= total else 0
                    ],
                    None,
                    None,
                    order,
                    position,
                )
                for token, times, position in rows
            ]
        return self._offers


class Copies:
    """What followed the n-grams of the text, up to `max_order` tokens long; `ids` is the text.

    Costs O(orders) per token of text.
    """

    def __init__(self, max_order: int) -> None:
        self.ids: list[int] = []
        self._orders = [order for order in ORDERS if order <= max_order]
        # Most n-grams occur once: for those the position after it is enough.
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
        """Whether the token stands in the text, followed by another."""
        return token in self._followed

    def offers(self, context: Context, likely: bool = False) -> Iterator[list[Offer]]:
        """What followed the n-grams that end `context`, the longest first.

        An n-gram that occurred at the same places as a longer one has nothing to add and is left out.
        likely: look up the longest first, because it probably occurred (the last token is a copy after it).
        """
        first = self._after.get(context[-self.longest :]) if likely else None
        if first is not None:
            yield self._offers(self.longest, first)
        matches: list[tuple[int, Followers | int]] = []
        times = 0
        for order in self._orders[: -1 if first is not None else None]:
            if order > len(context):
                break
            if (after := self._after.get(context[-order:])) is None:
                break  # then no longer n-gram occurred either
            before, times = times, 1 if isinstance(after, int) else after.total
            if before == times:
                matches.pop()
            matches.append((order, after))
        if first is not None and times == _times(first):
            matches.pop()
        for order, after in reversed(matches):
            yield self._offers(order, after)

    def _offers(self, order: int, after: Followers | int) -> list[Offer]:
        if isinstance(after, int):
            return [Offer(self.ids[after], _COPY_KINDS[order][1][2], None, None, order, after)]
        return after.offers(order)


def _times(after: Followers | int) -> int:
    return 1 if isinstance(after, int) else after.total


# The class of a continuation by order of the n-gram, then how often it followed (1; 2 for 2 and 3; 4 for
# more), then how often in relation to all others (0: less than a third, 1: less than always, 2: always).
_COPY_KINDS: dict[int, dict[int, list[Kind]]] = {
    order: {
        times: [("copy", min(order, 8), times, share) for share in range(3)] for times in (1, 2, 4)
    }
    for order in ORDERS
}


class Successors:
    """What the target ranked best after a token and after a pair of tokens, the last time that it read
    them, be it in the text or in drafts that it rejected."""

    def __init__(self) -> None:
        self._after: dict[Context, TopK] = {}

    def observe(self, context: Context, topk: TopK) -> None:
        """Remember the target's best tokens after `context`."""
        if topk.ids:
            for order in SUCCESSOR_ORDERS:
                self._after[context[-order:]] = topk

    def offers(self, context: Context) -> list[Offer]:
        """The best tokens after the pair that ends `context`, or else after its last token."""
        for order in SUCCESSOR_ORDERS:
            if len(context) >= order and (topk := self._after.get(context[-order:])) is not None:
                kinds = _SUCCESSOR_KINDS[order]
                return [
                    Offer(topk.ids[rank], kinds[rank], rank, topk.probs[rank])
                    for rank in range(min(MAX_SUCCESSORS, len(topk.ids)))
                ]
        return []


def runners_up(last: TopK, root: int, copies: Copies, worth: Callable[[Kind], bool]) -> list[Offer]:
    """The other tokens of the last logits as children of the root: the paper's next-next tokens.

    worth: whether a class of them is worth offering.
    """
    offers: list[Offer] = []
    for (first, end), kinds in zip(_RANKS, _LOGIT_KINDS, strict=True):
        worthy = [worth(kind) for kind in kinds]
        if not any(worthy):
            continue
        for rank in range(first, min(end, len(last.ids))):
            token = last.ids[rank]
            occurred = copies.occurred(token)
            if worthy[occurred] and token != root:
                offers.append(Offer(token, kinds[occurred], rank, last.probs[rank]))
    return offers
