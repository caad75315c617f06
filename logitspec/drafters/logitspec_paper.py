"""LogitSpec as its authors run it (arXiv 2507.01449; options and tables of their implementation).

The tree begins with the whole continuation of the root's n-gram. Then comes one branch per runner-up
of the last logits, best first: the runner-up as next-next token, and under it what followed its
n-gram. Its rank decides how long a branch may be; the tree is filled until it holds
`draft_tree_capacity` nodes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources.ngram import NgramIndex
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance


class Match(NamedTuple):
    """A retrieved continuation: `length` tokens from position `start`, after an n-gram of `order`."""

    order: int
    start: int
    length: int


def branch_length(rank: int) -> int:
    """Tokens that a branch may have, its next-next token included, by that token's rank."""
    return 4 if rank <= 8 else 3 if rank <= 32 else 1


@register
@dataclass
class LogitSpecPaper(Drafter):
    """Last-logit runners-up as next-next tokens, each extended by the latest n-gram match."""

    name = "logitspec_paper"
    title = "LogitSpec (paper)"
    paper = "https://arxiv.org/abs/2507.01449"

    max_ngram_size: int = option(3, "longest n-gram to look up", 1, 16, "tokens")
    num_pred_tokens: int = option(20, "longest continuation to copy", 1, 128, "tokens")
    draft_tree_capacity: int = option(64, "nodes in the tree, root included", 2, 128, "nodes")

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._index = NgramIndex(self.max_ngram_size, prompt_ids)
        self._lengths = [len(prompt_ids)]
        # The authors' code can't run with 3 tokens or fewer; their window would then miss n-grams.
        least = self.num_pred_tokens + self.max_ngram_size + 2
        self._window = 2 * self.num_pred_tokens if self.num_pred_tokens > 3 else least

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        tree = plant(root, last)
        if match := self._retrieve(root):
            self._copy(tree, 0, match, match.length, "root")
        for rank, (token, probability) in enumerate(zip(last.ids, last.probs, strict=True)):
            if len(tree) >= self.draft_tree_capacity:
                break
            if token == root:
                continue
            node = tree.add(0, token, Provenance(Origin.LOGIT, rank, probability), merge=False)
            if match := self._retrieve(root, token):
                self._copy(tree, node, match, branch_length(rank) - 1, "next_next")
        return tree

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        self._index.extend(tree.tokens[node] for node in path)
        self._lengths.append(len(self._index.ids))

    def _copy(self, tree: DraftTree, node: int, match: Match, most: int, key: str) -> None:
        room = self.draft_tree_capacity - len(tree)
        for source in range(match.start, match.start + min(match.length, most, room)):
            origin = Provenance(Origin.RETRIEVED, None, None, match.order, source, key)
            node = tree.add(node, self._index.ids[source], origin, merge=False)

    def _retrieve(self, *unverified: int) -> Match | None:
        """The continuation of the longest known n-gram that ends the text + `unverified`."""
        for ngram in self._index.suffixes(*unverified):
            if match := self._latest(len(ngram), self._index.occurrences(ngram)):
                return match
        return None

    def _latest(self, order: int, seen: Sequence[int]) -> Match | None:
        """The latest occurrence, unless an older one has the longer continuation.

        Lengths are as of the last time that the authors' update looked at the occurrence: it
        starts 2 x num_pred_tokens before the end of the text, so after a step that accepts nearly
        a whole copy, a few n-grams are not updated.
        """
        best = None
        for start in reversed(seen):
            within = bisect_right(self._lengths, start - order + self._window)
            looked_at = self._lengths[max(within - 1, 0)]
            length = min(self.num_pred_tokens, looked_at - start)
            if length > (best.length if best else 0):
                best = Match(order, start, length)
            if length == self.num_pred_tokens:
                break
        return best
