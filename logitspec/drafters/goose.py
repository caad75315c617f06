"""GOOSE (Jin, Nguyen and Inoue, arXiv 2604.02047): a copy as the spine of the tree, and around it the tokens
that the target ranked best after each token.

    root ── copied ── copied ── copied ── ...      the spine: the surer the copy, the longer
      │       └──── successor
      └──── successor ── successor                 branches share the rest of the budget

It drafts what the authors' code (github.com/2kinto/GOOSE_Speculative_Decoding, c5c8bb3) drafts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources.ngram import NgramIndex
from logitspec.drafters.sources.two_tiers import TwoTiers
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

LONG_COPY = 8  # length in tokens from which a copy is trusted
LONGER = 12  # more tokens, after which length adds no more confidence
EXTENDED = 0.6  # confidence above which more copies follow a copy
FIRST_MEAN = 0.5


class Copy(NamedTuple):
    """Copied tokens with their provenance, and the confidence in them: 0 to 1, where 1 is for an n-gram that
    was followed by the same token every time, and more than once."""

    tokens: list[tuple[int, Provenance]]
    confidence: float


@register
@dataclass
class Goose(Drafter):
    """A tree if successors of the root are known; otherwise the copy alone, or nothing."""

    name = "goose"
    title = "GOOSE"
    paper = "https://arxiv.org/abs/2604.02047"

    node_budget: int = option(60, "largest tree without a copy, root included", 2, 127, "nodes")
    max_chain: int = option(20, "longest copy after one match", 1, 127, "tokens")
    max_extended_chain: int = option(
        100,
        "longest chain of copies after a sure one, and largest tree then, root excluded",
        1,
        127,
        "tokens",
    )
    ngram_lengths: tuple[int, ...] = option(
        (5, 4, 3), "lengths of the n-grams to look up, longest first", choices=range(1, 9)
    )
    adjacency_top_k: int = option(
        8,
        "successors kept for each token; the paper keeps 10",
        1,
        10,
        "tokens",
    )
    use_bigram: bool = option(True, "also keep successors of pairs of tokens")
    use_prefill_harvest: bool = option(
        True, "learn successors from the prompt before the first step"
    )
    max_branch_depth: int = option(6, "depth at which branches end", 1, 64, "tokens")
    min_score: float = option(0.01, "minimum share of a successor among those kept", 0.0, 1.0)
    spine_branch_ratio: float = option(0.5, "share of the branches that leave the spine", 0.0, 1.0)
    ema_alpha: float = option(0.3, "weight of the last spine in the mean accepted share", 0.0, 1.0)

    @property
    def reads_prompt(self) -> bool:
        return self.use_prefill_harvest

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._index = NgramIndex(max(self.ngram_lengths), prompt_ids)
        self._successors = TwoTiers(self.adjacency_top_k, self.use_bigram)
        self._mean = FIRST_MEAN  # accepted share of the spines
        self._spine = 0  # tokens of the last spine
        self._branched = False  # whether the last tree was grown

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        if self.use_prefill_harvest:
            for place, best in enumerate(topk):
                self._successors.observe(ids[max(0, place - 1) : place + 1], best)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        self._index.extend([root])  # a copy may include it
        tree = plant(root, last)
        copy = self._copy([], "root")
        if self._successors.after(self._pair(tree, 0)).ids:
            self._spine = self._grow(tree, self._extend(copy))
            self._branched = len(tree) > 1
        else:
            _hang(tree, copy.tokens)
            self._spine, self._branched = 0, False
        return tree

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            for node, best in enumerate(result.topk):
                # In the authors' code, a grown tree teaches nothing about the pair that ends with the root.
                known = 1 if node == 0 and self._branched else 2
                self._successors.observe(self._pair(tree, node)[-known:], best)
        if self._spine:
            accepted = sum(1 <= node <= self._spine for node in path) / self._spine
            self._mean = self.ema_alpha * accepted + (1 - self.ema_alpha) * self._mean
        self._index.extend(tree.tokens[node] for node in path[1:])

    def _pair(self, tree: DraftTree, node: int) -> list[int]:
        """The token before a node, and the node's own."""
        if node == 0:
            return self._index.ids[-2:]
        return [tree.tokens[tree.parents[node]], tree.tokens[node]]

    def _copy(self, behind: Sequence[int], key: str | None) -> Copy:
        """What followed the first occurrence of the longest n-gram that ends text + root + `behind`."""
        ids = self._index.ids
        tail = [*ids[-self._index.max_order :], *behind]
        for length in sorted(self.ngram_lengths, reverse=True):
            if len(tail) >= length and (starts := self._index.occurrences(tail[-length:])):
                first = starts[0]
                copied = ids[first : first + self.max_chain]
                tokens = [
                    (token, Provenance(Origin.RETRIEVED, None, None, length, place, key))
                    for place, token in enumerate(copied, first)
                ]
                same = len(starts) > 1 and all(ids[start] == copied[0] for start in starts)
                return Copy(tokens, 1.0 if same else _confidence(len(copied)))
        return Copy([], 0.0)

    def _extend(self, copy: Copy) -> Copy:
        """The copy with more copies after it, if it is sure enough; after a copy of confidence 1, the first
        less sure one is the last."""
        if copy.confidence <= EXTENDED:
            return copy
        tokens = list(copy.tokens)
        while len(tokens) < int(self.max_extended_chain * copy.confidence):
            more = self._copy([token for token, _ in tokens[-self._index.max_order :]], None)
            tokens += more.tokens
            if not more.tokens or more.confidence < copy.confidence == 1:
                break
        return Copy(tokens, copy.confidence)

    def _grow(self, tree: DraftTree, copy: Copy) -> int:
        """Add the spine and its branches under the root; return the length of the spine."""
        budget = self.node_budget + int(
            copy.confidence * max(0, self.max_extended_chain - self.node_budget)
        )
        share = 0.15 if self._mean < 0.2 else 0.30 if self._mean < 0.4 else 0.50
        spine = copy.tokens[: int(budget * (share + copy.confidence * (1 - share)))]
        _hang(tree, spine)
        left = budget - len(tree)
        at_spine = max(1, int(left * self.spine_branch_ratio)) if spine and left > 0 else 0
        waiting = self._branch(tree, 0, 0, left - at_spine, copy.tokens[:1])
        whole = sum(1 / number for number in range(1, len(spine) + 1))
        rest = at_spine
        for node in range(1, len(spine) + 1):
            most = min(rest, max(1, int(at_spine * (1 / node) / whole)))
            branches = self._branch(tree, node, node, most, spine[node : node + 1])
            rest -= len(branches)
            waiting += branches
        self._grow_branches(tree, deque(waiting), budget)
        return len(spine)

    def _branch(
        self,
        tree: DraftTree,
        parent: int,
        depth: int,
        most: int,
        copied: Sequence[tuple[int, Provenance]] = (),
    ) -> list[tuple[int, int, float]]:
        """Add up to `most` successors under `parent`, which is at `depth`, except those in `copied`; return
        each as (node, depth, score). The scores of all successors kept after a token sum to 1."""
        best = self._successors.after(self._pair(tree, parent))
        branches: list[tuple[int, int, float]] = []
        whole = sum(best.probs) or 1.0
        for rank, (token, probability) in enumerate(zip(best.ids, best.probs, strict=True)):
            score = probability / whole
            if len(branches) >= most or score < self.min_score:
                break
            if token not in [each for each, _ in copied]:
                origin = Provenance(Origin.RECYCLED, rank, probability)
                branches.append((tree.add(parent, token, origin), depth + 1, score))
        return branches

    def _grow_branches(
        self, tree: DraftTree, waiting: deque[tuple[int, int, float]], budget: int
    ) -> None:
        """Grow the branches, first in, first out, while the budget lasts: the more probable, the wider."""
        while waiting and len(tree) < budget:
            node, depth, score = waiting.popleft()
            if depth < self.max_branch_depth:
                left = budget - len(tree)
                width = min(ceil(left * score), max(1, self.adjacency_top_k // depth))
                waiting += self._branch(tree, node, depth, min(left, max(1, width)))


def _confidence(copied: int) -> float:
    """The confidence in a copy of `copied` tokens whose n-gram occurred once or had different followers."""
    if copied < LONG_COPY:
        return EXTENDED * copied / LONG_COPY
    return min(0.9, 0.7 + 0.2 * (copied - LONG_COPY) / LONGER)


def _hang(tree: DraftTree, tokens: Sequence[tuple[int, Provenance]]) -> None:
    """Add a chain under the root."""
    for node, (token, origin) in enumerate(tokens):
        tree.add(node, token, origin)
