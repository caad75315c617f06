"""Targets and traces without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logitspec import DraftTree, ForwardResult, Sampling, Target, TopK
from logitspec.trace.sampling import GREEDY


class ScriptedTarget(Target):
    """A target whose text is fixed: after n tokens it wants `text[n]`, whatever those tokens were.

    Its second choice is the token after that one, so that drafts from the last logits can hit.
    """

    info: dict[str, Any] = {"id": "scripted", "dtype": "none", "device": "none"}

    def __init__(
        self, text: Sequence[int], eos_ids: Sequence[int] = (), limit: int = 10**6
    ) -> None:
        self.text, self.eos_ids, self.limit, self.length = list(text), eos_ids, limit, 0
        self.verified: list[int] = []

    def with_new_cache(self) -> ScriptedTarget:
        return type(self)(self.text, list(self.eos_ids), self.limit)

    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = False
    ) -> ForwardResult:
        self.length = len(ids)
        return self._result([self.length])

    def verify(self, tree: DraftTree) -> ForwardResult:
        self.verified.append(len(tree))
        return self._result([self.length + depth + 1 for depth in tree.depths()])

    def commit(self, path: Sequence[int]) -> None:
        self.length += len(path)

    def _result(self, places: list[int]) -> ForwardResult:
        best = [TopK([self.text[p], self.text[p + 1], 999], [0.6, 0.3, 0.1]) for p in places]
        return ForwardResult([top.ids[0] for top in best], best, 0.001)


def finished(decoding: Any) -> Any:
    """The trace that a `decode()` generator returns."""
    while True:
        try:
            next(decoding)
        except StopIteration as end:
            return end.value
