"""What the target ranked best after a token, and after a pair of tokens, when it last read them."""

from __future__ import annotations

from collections.abc import Sequence

from logitspec.trace.results import TopK

NOTHING = TopK([], [])


class TwoTiers:
    """The `kept` best tokens after one token and, with `pairs`, after two."""

    __slots__ = ("_after", "_kept", "_orders")

    def __init__(self, kept: int, pairs: bool = True) -> None:
        self._kept = kept
        self._orders = (2, 1) if pairs else (1,)
        self._after: dict[tuple[int, ...], TopK] = {}

    def observe(self, context: Sequence[int], topk: TopK) -> None:
        """Remember the best tokens after `context`: one token, or a pair, which counts for its second, too."""
        for order in self._orders:
            if order <= len(context) and topk.ids:
                self._after[tuple(context[-order:])] = topk.head(self._kept)

    def after(self, context: Sequence[int]) -> TopK:
        """The best tokens after the pair `context`, or after its last token; none if both are unknown."""
        known = (self._after.get(tuple(context[-order:])) for order in self._orders)
        return next((best for best in known if best is not None), NOTHING)
