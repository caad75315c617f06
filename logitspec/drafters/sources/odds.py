"""Probabilities from evidence: a multinomial logit over the tokens that sources offer, and "none of them".

The odds of a token are the product of the factors of its classes of evidence; its probability is its share
of all odds, those of "none of them" included. So sources that agree strengthen each other, and a silent
source is evidence, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, prod

from logitspec.drafters.sources import evidence
from logitspec.drafters.sources.evidence import CopyClass
from logitspec.drafters.sources.offers import MAX_SHORTER, Known


class Odds:
    """Factors of all classes of evidence, from their `weights` (natural logarithms).

    Odds after one context are all divided by the factor of "no copy", which most tokens share.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        factors = [exp(weight) for weight in weights]
        self.no_successor = {best: factors[kind] for best, kind in evidence.NO_SUCCESSOR.items()}
        self.logit = [[factors[kind] for kind in kinds] for kinds in evidence.LOGIT]
        self.no_logit = factors[evidence.NO_LOGIT]
        self._no_copy = {best: factors[kind] for best, kind in evidence.NO_COPY.items()}
        self._copy = {
            each: [factors[kind] for kind in kinds] for each, kinds in evidence.COPY.items()
        }
        self._both = {
            each: [factors[kind] for kind in kinds] for each, kinds in evidence.BOTH.items()
        }
        self._against = {
            length: [1.0 if kind is None else factors[kind] for kind in kinds]
            for length, kinds in evidence.AGAINST.items()
        }
        self.ranked = [[factors[kind] for kind in kinds] for kinds in evidence.RANKED]
        self._none_copy = {best: factors[kind] for best, kind in evidence.NONE_COPY.items()}
        self._none_known = {
            best: [factors[kind] for kind in kinds] for best, kinds in evidence.NONE_KNOWN.items()
        }
        self._by_bucket = {
            (best, best): [factors[kind] for kind in kinds]
            for best, kinds in evidence.SUCCESSOR.items()
        } | {
            orders: [factors[kind] for kind in kinds] for orders, kinds in evidence.SHORTER.items()
        }
        self._alone = {best: self._of_one(best) for best in evidence.SUCCESSOR}

    def _of_one(self, best: int) -> tuple[list[float], list[float]]:
        """By bucket, the odds of a token of the first MAX_SHORTER ranks and of a later one, if the same ranking is
        known after the longest context and all shorter ones."""
        later = self._by_bucket[best, best]
        shorter = [self._by_bucket[order, best] for order in range(best - 1, 0, -1)]
        return [prod(each) for each in zip(later, *shorter, strict=True)], later

    def of_copy(
        self, kind: CopyClass, later: bool, best: CopyClass, group: int | None, first: int
    ) -> float:
        """The factor of a copy.

        best: the class of the best copy after the context. group, first: the groups of this token and of
        the first one among the successors; group is None if this token is not among them.
        """
        length, _, share = kind
        joint = (
            self._against[length][first] if group is None else self._both[length, share == 2][group]
        )
        return joint * self._copy[kind][later] / self._no_copy[best]

    def of_none(self, best_copy: CopyClass | None, best: int, root: bool) -> float:
        """The odds of none of the offered tokens."""
        known = self._none_known[best][root]
        return known * self._none_copy[best_copy] / self._no_copy[best_copy]

    def of_successors(self, known: Known) -> dict[int, float]:
        """The odds of all successors by token, from rankings alone. The caller must not change them."""
        if not known:
            return {}
        best, ranking = known[0]
        for _, shorter in known:
            if shorter is not ranking:
                return self._of_several(known)
        odds = ranking.odds.get(best)
        if odds is None:
            first, later = self._alone[best]
            buckets = ranking.buckets
            factors = [first[each] for each in buckets[:MAX_SHORTER]]
            factors += [later[each] for each in buckets[MAX_SHORTER:]]
            odds = ranking.odds[best] = dict(zip(ranking.ids, factors, strict=True))
        return odds

    def _of_several(self, known: Known) -> dict[int, float]:
        best, ranking = known[0]
        by_bucket = self._by_bucket[best, best]
        factors = [by_bucket[each] for each in ranking.buckets]
        odds = dict(zip(ranking.ids, factors, strict=True))
        absent = self.no_successor[best]
        for order, shorter in known[1:]:
            by_bucket = self._by_bucket[order, best]
            pairs = zip(shorter.ids, shorter.buckets[:MAX_SHORTER], strict=False)
            for token, bucket in pairs:
                odds[token] = odds.get(token, absent) * by_bucket[bucket]
        return odds
