"""Hit rates: how often continuations of a class are right, learnt from each verified token.

A verified token speaks for or against every source, drafted or not, so rates need no extra forwards. A text
begins with rates from other texts, each of which weighs as much as PRIOR_WEIGHT observations.
"""

from __future__ import annotations

from collections.abc import Mapping

PRIOR_WEIGHT = 100.0
UNKNOWN = 0.01

Kind = tuple[object, ...]


class Rates:
    """Hit rates by class, 0 to 1; `priors` are those that a text begins with."""

    __slots__ = ("_priors", "_seen", "known", "learns")

    def __init__(self, priors: Mapping[Kind, float], learns: bool = True) -> None:
        self._priors = priors
        self._seen: dict[Kind, list[float]] = {}
        self.known: dict[Kind, float] = dict(priors)
        """Rate by class, for classes with a prior or an observation; all others have UNKNOWN."""
        self.learns = learns

    def rate(self, kind: Kind) -> float:
        """The share of continuations of this class that are right, 0 to 1."""
        return self.known.get(kind, UNKNOWN)

    def observe(self, kind: Kind, right: bool, tries: int = 1) -> None:
        """Count `tries` more continuations of this class, one of which the target wrote if `right`."""
        if not self.learns:
            return
        entry = self._seen.get(kind)
        if entry is None:
            entry = self._seen[kind] = [PRIOR_WEIGHT * self.rate(kind), PRIOR_WEIGHT]
        entry[0] += right
        entry[1] += tries
        self.known[kind] = entry[0] / entry[1]

    def observed(self) -> dict[Kind, tuple[float, float]]:
        """By class: how many were right and how many there were, priors not counted."""
        start = {kind: PRIOR_WEIGHT * self._priors.get(kind, UNKNOWN) for kind in self._seen}
        return {
            kind: (right - start[kind], tries - PRIOR_WEIGHT)
            for kind, (right, tries) in self._seen.items()
        }
