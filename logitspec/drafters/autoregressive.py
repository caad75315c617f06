"""Plain decoding: the baseline, through the same loop as every method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.registry import register
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree


@register
@dataclass
class Autoregressive(Drafter):
    """Drafts nothing: one token per forward."""

    name = "autoregressive"
    title = "Plain decoding"
    paper = ""

    def reset(self, prompt_ids: Sequence[int]) -> None:
        pass

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        return plant(root, last)

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        pass
