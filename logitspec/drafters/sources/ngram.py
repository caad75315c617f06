"""Where each n-gram of a growing text occurred."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class NgramIndex:
    """All occurrences of all n-grams up to `max_order` tokens that have a token after them.

    `ids` is the sequence. An occurrence is the absolute position of the token *after* the n-gram,
    where its continuation starts. Extending costs O(new tokens x max_order); nothing is rescanned.
    """

    __slots__ = ("_seen", "ids", "max_order")

    def __init__(self, max_order: int, ids: Iterable[int] = ()) -> None:
        self.max_order = max_order
        self.ids: list[int] = []
        self._seen: dict[tuple[int, ...], list[int]] = {}
        self.extend(ids)

    def extend(self, ids: Iterable[int]) -> None:
        """Append verified tokens to the sequence."""
        for token in ids:
            end = len(self.ids)
            for order in range(1, min(self.max_order, end) + 1):
                self._seen.setdefault(tuple(self.ids[end - order :]), []).append(end)
            self.ids.append(token)

    def occurrences(self, ngram: Sequence[int]) -> Sequence[int]:
        """Positions where the continuations of `ngram` start, ascending; empty when never seen."""
        return self._seen.get(tuple(ngram), ())

    def suffixes(self, *unverified: int) -> Iterable[tuple[int, ...]]:
        """The n-grams that end the sequence followed by `unverified`, longest first."""
        tail = (*self.ids[max(0, len(self.ids) - self.max_order) :], *unverified)
        for order in range(min(self.max_order, len(tail)), 0, -1):
            yield tail[len(tail) - order :]
