"""Where continuations come from: the text itself, the last logits, logits seen before.

A source answers a context, the last tokens of the text with the drafted ones behind them, with offers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from logitspec.drafters.rates import Kind
from logitspec.trace.results import TopK
from logitspec.trace.tree import Origin, Provenance

ORDERS = (1, 2, 4, 8, 16)  # n-grams between and beyond tell no more
COPIES_AT_MOST = 6  # continuations of one n-gram
SUCCESSOR_ORDERS = (2, 1)

Context = tuple[int, ...]
# A token, the class that its hit rate is learnt for, and where it comes from: for a copy the position
# and the length of the n-gram before it, else the rank and the probability in the logits it is from.
# Plain tuples, for hundreds are made in every step.
Offer = tuple[int, Kind, int, float]

_ORIGINS = {"copy": Origin.RETRIEVED, "successor": Origin.RECYCLED, "logit": Origin.LOGIT}
_RANKS = [(0, 3), (3, 5), (5, 9), (9, 17), (17, 33), (33, 64)]
_LOGIT_KINDS = [
    [("logit", rank, occurred) for occurred in (False, True)] for rank in range(len(_RANKS))
]
_SUCCESSOR_KINDS = {
    order: [("successor", order, min(rank, 3)) for rank in range(8)] for order in SUCCESSOR_ORDERS
}


def provenance(offer: Offer) -> Provenance:
    """Where a node with this offer comes from."""
    _, kind, place, size = offer
    origin = _ORIGINS[str(kind[0])]
    if origin is Origin.RETRIEVED:
        return Provenance(origin, None, None, int(size), place)
    return Provenance(origin, place, size)


class Followers:
    """What followed one n-gram: how often each token, where last, and which of them most often."""

    __slots__ = ("_offers", "best", "seen", "total")

    def __init__(self) -> None:
        self.seen: dict[int, list[int]] = {}  # token: [times, last position]
        self.best: list[int] = []
        self.total = 0
        self._offers: list[Offer] | None = None

    def add(self, token: int, position: int) -> None:
        """It followed once more."""
        self._offers = None
        entry = self.seen.setdefault(token, [0, position])
        entry[0] += 1
        entry[1] = position
        self.total += 1
        if token in self.best:
            return
        if len(self.best) < COPIES_AT_MOST:
            self.best.append(token)
            return
        # The latest of those that came as often is kept.
        least = min(range(COPIES_AT_MOST), key=lambda place: self.seen[self.best[place]])
        if self.seen[self.best[least]] < entry:
            self.best[least] = token

    def offers(self, order: int) -> list[Offer]:
        """The most frequent, as copies after an n-gram of that length."""
        if self._offers is None:
            rows = [(token, *self.seen[token]) for token in self.best]
            self._offers = [
                (token, copy_kind(order, times, self.total), position, order)
                for token, times, position in rows
            ]
        return self._offers


class Copies:
    """What followed the n-grams of the text. Costs O(orders) per token of text; `ids` is the text."""

    def __init__(self, most: int) -> None:
        self.ids: list[int] = []
        self._orders = [order for order in ORDERS if order <= most]
        # Most n-grams occur once: for those the position after it is enough.
        self._after: dict[Context, Followers | int] = {}
        self._followed: set[int] = set()

    @property
    def longest(self) -> int:
        """Tokens of the longest n-gram."""
        return self._orders[-1]

    def extend(self, token: int) -> None:
        """One more verified token."""
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
        """Per order, the longest match first, what followed it; none twice that stood at the same places.
        likely: the longest n-gram is tried before the others, as where the last token of the context is a
        copy after one."""
        first = self._after.get(context[-self.longest :]) if likely else None
        if first is not None:
            yield self._offers(self.longest, first)
        found: list[tuple[int, Followers | int]] = []
        times = 0
        for order in self._orders[: -1 if first is not None else None]:
            if order > len(context):
                break
            if (after := self._after.get(context[-order:])) is None:
                break  # nor can a longer n-gram have been there
            before, times = times, _times(after)
            if before == times:
                found.pop()
            found.append((order, after))
        if first is not None and times == _times(first):
            found.pop()
        for order, after in reversed(found):
            yield self._offers(order, after)

    def _offers(self, order: int, after: Followers | int) -> list[Offer]:
        if isinstance(after, int):
            return [(self.ids[after], _ONCE_KINDS[order], after, order)]
        return after.offers(order)


def _times(after: Followers | int) -> int:
    return 1 if isinstance(after, int) else after.total


def copy_kind(order: int, count: int, total: int) -> Kind:
    """The class of a continuation that followed an n-gram `count` of `total` times."""
    length = order if order < 8 else 8
    times = 1 if count == 1 else 2 if count < 4 else 4
    share = 2 if count == total else 1 if 3 * count >= total else 0
    return ("copy", length, times, share)


_ONCE_KINDS = {order: copy_kind(order, 1, 1) for order in ORDERS}


class Successors:
    """What the target put after a token, and after a pair of tokens, when it saw them last: in the
    text, or in drafts that it rejected."""

    def __init__(self) -> None:
        self._after: dict[Context, TopK] = {}

    def observe(self, context: Context, topk: TopK) -> None:
        """The target's best tokens after `context`."""
        if topk.ids:
            for order in SUCCESSOR_ORDERS:
                self._after[context[-order:]] = topk

    def offers(self, context: Context) -> list[Offer]:
        """The tokens that it put after the longest context known."""
        for order in SUCCESSOR_ORDERS:
            if len(context) >= order and (topk := self._after.get(context[-order:])) is not None:
                kinds = _SUCCESSOR_KINDS[order]
                return [
                    (topk.ids[rank], kinds[rank], rank, topk.probs[rank])
                    for rank in range(min(8, len(topk.ids)))
                ]
        return []


def runners_up(last: TopK, root: int, copies: Copies, worth: Callable[[Kind], bool]) -> list[Offer]:
    """The last logits' other tokens, as what may follow the root (the paper's next-next tokens), of
    classes that are worth it."""
    offers: list[Offer] = []
    for (first, end), kinds in zip(_RANKS, _LOGIT_KINDS, strict=True):
        wanted = [worth(kind) for kind in kinds]
        if not any(wanted):
            continue
        for rank in range(first, min(end, len(last.ids))):
            token = last.ids[rank]
            occurred = copies.occurred(token)
            if wanted[occurred] and token != root:
                offers.append((token, kinds[occurred], rank, last.probs[rank]))
    return offers
