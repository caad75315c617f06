"""The result of one target forward, in plain ints and floats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TopK:
    """The best token ids of one distribution and their probabilities at temperature 1, best first; never
    modified. (A frozen class takes longer to create, and a step creates one for each node.)"""

    ids: list[int]
    probs: list[float]

    def __len__(self) -> int:
        return len(self.ids)

    def rank(self, token: int) -> int | None:
        """Rank of `token` (0 is the most probable), or None when it is not among the best."""
        return self.ids.index(token) if token in self.ids else None

    def head(self, k: int) -> TopK:
        """The first `k`."""
        return self if len(self.ids) <= k else TopK(self.ids[:k], self.probs[:k])


@dataclass(slots=True)
class ForwardResult:
    """One target forward over a tree.

    choices: the target's token after each node (its argmax, or its draw).
    topk: the best tokens after each node, and more of them after the last accepted one: 16 and 128 from a model.
    seconds: time on the device.
    """

    choices: list[int]
    topk: list[TopK]
    seconds: float
