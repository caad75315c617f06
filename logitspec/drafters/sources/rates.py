"""How often a source is right: hit rates of classes of continuations, learnt while a text is written.

Every verified token tells about every source, whether its continuation was drafted or not, so the rates
need no extra forwards. They start from rates seen on other texts, worth PRIOR_WEIGHT observations each.
"""

from __future__ import annotations

from collections.abc import Mapping

PRIOR_WEIGHT = 100.0
UNKNOWN = 0.01

Kind = tuple[object, ...]


class Rates:
    """Hit rates by class. `priors` holds the rate that a class starts with."""

    __slots__ = ("_priors", "_seen", "known", "learns")

    def __init__(self, priors: Mapping[Kind, float], learns: bool = True) -> None:
        self._priors = priors
        self._seen: dict[Kind, list[float]] = {}
        self.known: dict[Kind, float] = dict(priors)
        """Of the classes with a prior or an observation the rate; others have UNKNOWN."""
        self.learns = learns

    def rate(self, kind: Kind) -> float:
        """The share of continuations of this class that were right, 0 to 1."""
        return self.known.get(kind, UNKNOWN)

    def observe(self, kind: Kind, right: bool, tries: int = 1) -> None:
        """So many more continuations of this class, and whether the target wrote one of them."""
        if not self.learns:
            return
        entry = self._seen.get(kind)
        if entry is None:
            entry = self._seen[kind] = [PRIOR_WEIGHT * self.rate(kind), PRIOR_WEIGHT]
        entry[0] += right
        entry[1] += tries
        self.known[kind] = entry[0] / entry[1]

    def observed(self) -> dict[Kind, tuple[float, float]]:
        """Per class how many were right, and of how many, without what they started with."""
        start = {kind: PRIOR_WEIGHT * self._priors.get(kind, UNKNOWN) for kind in self._seen}
        return {
            kind: (right - start[kind], tries - PRIOR_WEIGHT)
            for kind, (right, tries) in self._seen.items()
        }
