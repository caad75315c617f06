"""How many nodes a tree should have: as many as give the most tokens per second."""

from __future__ import annotations

from bisect import bisect_right

from logitspec.trace.costs import ForwardCosts

# Tokens that a node brings in later steps, since its logits tell what follows its token: LEARNED, but at most
# LEARNED_SHARE of its probability, since a token that hardly ever follows is hardly ever looked up again.
LEARNED = 0.02
LEARNED_SHARE = 0.3


class Sizing:
    """Finds the best size of one tree while its nodes arrive, the most probable first.

    A tree of n nodes takes a forward over n rows, `node_seconds` for each node and `step_seconds` whatever
    their number. It yields 1 token, the sum of its drafts' probabilities, and the tokens that they bring
    later: trees of probable nodes alone teach so little that a fixed size does better. Without costs every
    node counts as worth drafting.
    """

    def __init__(
        self, costs: ForwardCosts | None, step_seconds: float, node_seconds: float, capacity: int
    ) -> None:
        self._costs = costs
        self._forward = costs.table(capacity) if costs else []
        self._step_seconds, self._node_seconds = step_seconds, node_seconds
        self._capacity = capacity
        self._expected = 1.0
        self._rows = 1
        self._best = 1.0 / self._seconds(1) if costs else 0.0
        self.drafts = 0 if costs else capacity - 1
        """The number of drafts in the best tree so far."""

    def enough(self, path: float) -> bool:
        """Count one more node, whose path has probability `path`; True when no other node can pay for its time."""
        if self._costs is None:
            return False
        path += min(LEARNED, LEARNED_SHARE * path)
        self._rows += 1
        self._expected += path
        speed = self._expected / self._seconds(self._rows)
        if speed > self._best:
            self._best, self.drafts = speed, self._rows - 1
        return not self._may_pay(path)

    @property
    def min_path(self) -> float:
        """Probability below which a path can't pay for its time: drafting a node takes time, however flat the
        cost of a forward is."""
        worth = self._best * self._node_seconds
        return max(worth - LEARNED, worth / (1 + LEARNED_SHARE))

    def _may_pay(self, path: float) -> bool:
        """Whether some larger tree would be faster if all its additional nodes were like the last.

        Costs are linear between the measured sizes, so it is enough to check these sizes and the next one.
        """
        assert self._costs is not None
        sizes, following = self._costs.rows, self._rows + 1
        for size in (following, *sizes[bisect_right(sizes, following) :]):
            rows = min(size, self._capacity)
            if rows <= self._rows:
                return False
            expected = self._expected + path * (rows - self._rows)
            if expected > self._best * self._seconds(rows):
                return True
        return False

    def _seconds(self, rows: int) -> float:
        return self._forward[rows] + self._step_seconds + rows * self._node_seconds
