"""Prompt lookup decoding (Saxena, 2023): copy what followed the same n-gram earlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources.ngram import NgramIndex
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance


@register
@dataclass
class PromptLookup(Drafter):
    """One chain of `num_pred_tokens` tokens: what followed the first earlier occurrence of the longest
    n-gram that ends in the root. If fewer tokens follow, a shorter n-gram is tried."""

    name = "prompt_lookup"
    title = "Prompt lookup"
    paper = "https://github.com/apoorvumang/prompt-lookup-decoding"

    max_ngram_size: int = option(3, "longest n-gram to look up", 1, 16, "tokens")
    num_pred_tokens: int = option(10, "tokens copied per draft", 1, 128, "tokens")

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._index = NgramIndex(self.max_ngram_size, prompt_ids)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        tree = plant(root, last)
        ids = self._index.ids
        for ngram in self._index.suffixes(root):
            first = next(iter(self._index.occurrences(ngram)), None)
            # The root may be copied too: it is already the end of the text.
            if first is not None and first + self.num_pred_tokens <= len(ids) + 1:
                node = 0
                for source in range(first, first + self.num_pred_tokens):
                    token = ids[source] if source < len(ids) else root
                    origin = Provenance(Origin.RETRIEVED, None, None, len(ngram), source, "root")
                    node = tree.add(node, token, origin)
                break
        return tree

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        self._index.extend(tree.tokens[node] for node in path)
