"""An online suffix automaton: the longest suffix of a growing token sequence that occurred before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Match(NamedTuple):
    """The last `length` tokens, seen before; their first continuation starts at position `start`."""

    length: int
    start: int


class OnlineAutomaton:
    """The suffix automaton of `ids`, extended by one token at a time (Blumer et al., 1985).

    A state stands for the n-grams that end at the same positions of the sequence. For each state:

    _next[state]: the state that one more token leads to. _link[state]: its suffix link, the state of
    the longest suffix of its n-grams that ends at more positions; -1 for state 0, the empty n-gram.
    _length[state]: tokens of its longest n-gram. _start[state]: absolute position of the token after
    its first occurrence, where the continuation starts.

    At most two states and O(1) time per token, amortised over the sequence. Nothing is rescanned.
    """

    __slots__ = ("_last", "_length", "_link", "_next", "_start", "ids")

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self.ids: list[int] = []
        self._next: list[dict[int, int]] = [{}]
        self._link = [-1]
        self._length = [0]
        self._start = [0]
        self._last = 0
        self.extend(ids)

    def __len__(self) -> int:
        """The number of states."""
        return len(self._link)

    def extend(self, ids: Iterable[int]) -> None:
        """Append verified tokens to the sequence."""
        for token in ids:
            self._append(token)

    def matches(self, token: int) -> Iterator[Match]:
        """The suffixes of the sequence + `token` that occur in the sequence, longest first.

        `token` has not been appended yet. One match for each set of positions: the longest of the
        suffixes that end there. A match may start at the end of the sequence: then nothing follows it.
        """
        # The suffix link of the whole sequence is its longest suffix that occurred earlier, so
        # this is the state that SAM-Decoding carries along, moving it by each token before the token is
        # added.
        state = self._link[self._last]
        while state >= 0 and token not in self._next[state]:
            state = self._link[state]
        if state < 0:
            return
        length = self._length[state] + 1
        state = self._next[state][token]
        while state > 0:
            yield Match(length, self._start[state])
            state = self._link[state]
            length = self._length[state]

    def _append(self, token: int) -> None:
        self.ids.append(token)
        whole = self._new({}, 0, len(self.ids), len(self.ids))
        state = self._redirect(self._last, token, None, whole)
        if state >= 0:
            self._link[whole] = self._exactly(state, token)
        self._last = whole

    def _exactly(self, state: int, token: int) -> int:
        """The state of the longest n-gram of `state` + `token`, and of no longer n-gram.

        Longer n-grams in the same state don't end at the new token, so the state is split: the shorter
        ones move to a copy, which keeps the first occurrence.
        """
        reached = self._next[state][token]
        length = self._length[state] + 1
        if self._length[reached] == length:
            return reached
        copy = self._new(
            self._next[reached].copy(), self._link[reached], length, self._start[reached]
        )
        self._link[reached] = copy
        self._redirect(state, token, reached, copy)
        return copy

    def _redirect(self, state: int, token: int, old: int | None, new: int) -> int:
        """Lead `token` to `new` from `state` up the suffix links while it leads to `old` (None:
        nowhere); return the first state where it leads elsewhere, or -1."""
        while state >= 0 and self._next[state].get(token) == old:
            self._next[state][token] = new
            state = self._link[state]
        return state

    def _new(self, following: dict[int, int], link: int, length: int, start: int) -> int:
        self._next.append(following)
        self._link.append(link)
        self._length.append(length)
        self._start.append(start)
        return len(self._link) - 1
