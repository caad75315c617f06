"""RACER (Zhang et al., arXiv 2604.14885): continuations of the end of the text, and the tokens that the target
ranked best after each token, in one tree.

    trie of n-grams ── the most frequent continuations ──┐
                                                         ├─> merged, level by level
    table of successors ── a tree that narrows ──────────┘

It drafts what the authors' code (github.com/hkr04/RACER, fc494a3) drafts, with its peculiarities: a token
that the target has not read yet is followed by token 0, and a node that both halves draft counts
twice against the budget.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources.trie import NgramTrie
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

MIN_MATCH = 2  # tokens, the root included


@register
@dataclass
class Racer(Drafter):
    """Retrieved continuations first; the table of successors fills the rest of the budget.

    A reset keeps what the drafter has learnt, as in the authors' evaluation; each run makes a new drafter,
    which knows nothing.
    """

    name = "racer"
    title = "RACER"
    paper = "https://arxiv.org/abs/2604.14885"

    draft_tree_capacity: int = option(64, "largest draft tree, root included", 2, 128, "nodes")
    ngram: int = option(10, "longest n-gram of the trie; 0: no retrieval", 0, 32, "tokens")
    max_nodes: int = option(10_000, "size of the trie of n-grams", 40, 1_000_000, "nodes")
    max_breadth: int = option(8, "successors kept for each token; 0: none drafted", 0, 8, "tokens")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._trie = NgramTrie(self.ngram, self.max_nodes)
        self._successors: dict[int, TopK] = {}
        self._unknown = TopK([0] * self.max_breadth, [])
        self._ids: list[int] = []  # of all texts; the current one begins at _start
        self._start = 0

    @property
    def reads_prompt(self) -> bool:
        return self.max_breadth > 0

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._start = len(self._ids)
        self._ids += prompt_ids
        if self.ngram:
            for end in range(self._start + self.ngram, len(self._ids) + 1):
                self._insert(end)
            self._trie.link()

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        for token, best in zip(ids, topk, strict=True):
            if best.ids:
                self._successors[token] = best.head(self.max_breadth)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        tree = plant(root, last)
        kept = self._retrieve(tree)
        self._recycle(tree, self.draft_tree_capacity - kept)
        return _level_by_level(tree)

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            self.learn(tree.tokens, result.topk)
        accepted = [tree.tokens[node] for node in path]
        self._ids += accepted
        if self.ngram:
            oldest = max(len(self._ids) - len(accepted), self._start + self.ngram - 1)
            for end in range(len(self._ids), oldest, -1):
                self._insert(end)
            if len(accepted) > 1:
                self._trie.follow(accepted[1:])

    def _insert(self, end: int) -> None:
        start = end - self.ngram
        self._trie.insert(self._ids[start:end], start)

    def _retrieve(self, tree: DraftTree) -> int:
        """Add what followed the matches under the root; return the number of trie nodes used, where a
        token that follows several matches counts once for each."""
        if not self.ngram:
            return 0
        matches = self._trie.matches(tree.tokens[0], MIN_MATCH)
        kept = self._most_frequent(matches)
        nodes = {(match, match): 0 for match in matches}
        for match, node, parent in kept:
            if node != match:
                above = nodes[match, parent]
                origin = self._provenance(match, node)
                nodes[match, node] = tree.add(above, self._trie.tokens[node], origin)
        return len(kept)

    def _most_frequent(self, matches: Sequence[int]) -> list[tuple[int, int, int]]:
        """(match, node, parent) of the most frequent nodes of the subtries under `matches`, matches
        included, level by level; at most `draft_tree_capacity`. Of equally frequent nodes, those nearest to
        the root stay."""
        counts, depths, children = self._trie.counts, self._trie.depths, self._trie.children
        lowest: list[tuple[int, int, int, int]] = []  # count, -depth, node, match
        found: dict[tuple[int, int], int] = {}  # (match, node): parent
        level = [(match, match, match) for match in matches]
        while level:
            entered = []
            for match, node, parent in level:
                full = len(lowest) >= self.draft_tree_capacity
                if full and counts[node] <= lowest[0][0]:
                    continue
                found[match, node] = parent
                heappush(lowest, (counts[node], -depths[node], node, match))
                entered.append((match, node))
                if full:
                    *_, dropped, under = heappop(lowest)
                    del found[under, dropped]
            level = [
                (match, child, node) for match, node in entered for child in children[node].values()
            ]
        return [(match, node, parent) for (match, node), parent in found.items()]

    def _provenance(self, match: int, node: int) -> Provenance:
        """Where a retrieved token occurred, and how much of its match there also ends the text: the state
        may belong to an older context, so that is not always the whole match."""
        trie, ids = self._trie, self._ids
        before = trie.places[node] - (trie.depths[node] - trie.depths[match])
        length = 1
        while (
            length < trie.depths[match]
            and length <= len(ids) - self._start
            and ids[before - length] == ids[-length]
        ):
            length += 1
        place = trie.places[node] - self._start
        return Provenance(
            Origin.RETRIEVED, None, None, length, place if place >= 0 else None, "root"
        )

    def _recycle(self, tree: DraftTree, budget: int) -> None:
        """Grow a tree of successors from the root, first in, first out: `budget` nodes, counting the root
        and any that the tree already has."""
        budget -= 1
        waiting = deque([(0, self.max_breadth, 0)])
        while waiting and budget > 0:
            node, breadth, depth = waiting.popleft()
            best = self._successors.get(tree.tokens[node], self._unknown)
            below = _breadths(breadth, depth)
            for rank, token in enumerate(best.ids[: min(breadth, budget)]):
                probability = best.probs[rank] if best.probs else None
                child = tree.add(node, token, Provenance(Origin.RECYCLED, rank, probability))
                waiting.append((child, next(below), depth + 1))
                budget -= 1


def _breadths(breadth: int, depth: int) -> Iterator[int]:
    """How many children each child of a node at `depth` gets, if the node itself has `breadth`."""
    width = breadth if depth == 1 else breadth // 2
    while True:
        yield max(1, width)
        width //= 2


def _level_by_level(tree: DraftTree) -> DraftTree:
    """The same tree with its nodes ordered by depth."""
    depths = tree.depths()
    ordered = DraftTree(tree.tokens[0], tree.provenance[0])
    renumbered = {0: 0}
    for node in sorted(range(1, len(tree)), key=depths.__getitem__):
        above = renumbered[tree.parents[node]]
        renumbered[node] = ordered.add(above, tree.tokens[node], tree.provenance[node])
    return ordered
