"""Ours: one draft tree over all sources, grown best-first by the probability that a path is right.

    copies of n-grams ──┐   each asked for what those before it leave open; hit rates are learnt
    successors seen  ───┼─> offers ─> probability of each path ─> the most probable next, and so on
    runners-up, root's ─┘

The paper's tree has a fixed shape; here a node's probability is that of its parent times its source's
hit rate, and the tree takes the most probable nodes of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, islice
from time import perf_counter

from logitspec.drafters.base import Drafter, option, plant, register
from logitspec.drafters.priors import PRIORS
from logitspec.drafters.rates import UNKNOWN, Kind, Rates
from logitspec.drafters.sizing import Sizing
from logitspec.drafters.sources import (
    Context,
    Copies,
    Offer,
    Successors,
    provenance,
    runners_up,
)
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

DEEPEST = 24
LEAST = 5e-4
LEFT_OPEN = 3e-3
SIZINGS = ("measured", "capacity")
PACE = 0.1


@register
@dataclass
class LogitSpec(Drafter):
    """Copies, runners-up and successors in one tree, the most probable nodes first."""

    name = "logitspec"
    title = "LogitSpec (ours)"
    paper = ""

    draft_tree_capacity: int = option(64, "nodes in the tree, root included", 2, 128, "nodes")
    tree_size: str = option(
        "measured", "how large trees are: by measured cost, or always full", choices=SIZINGS
    )
    max_ngram_size: int = option(8, "longest n-gram to look up", 1, 16, "tokens")
    copies: bool = option(True, "draft what followed n-grams of the text")
    runners_up: bool = option(True, "draft runners-up of the last logits after the root")
    successors: bool = option(True, "draft what the target put after a token when it saw it last")
    learn_rates: bool = option(True, "learn the sources' hit rates from every verified token")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.priors: Mapping[Kind, float] = PRIORS

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._rates = Rates(self.priors, self.learn_rates)
        self._copies = Copies(self.max_ngram_size)
        self._longest = self._copies.longest
        self._successors = Successors()
        self._contexts: dict[int, Context] = {}
        self._last = TopK([], [])
        self._step_seconds = self._node_seconds = 0.0
        # When the last tree was ready, and the seconds that it took beside its nodes.
        self._drafted = self._beyond = 0.0
        for token in prompt_ids:
            self._copies.extend(token)

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        for place, row in enumerate(topk):
            self._successors.observe(tuple(ids[max(0, place - 1) : place + 1]), row)

    def draft(self, root: int, last: TopK) -> DraftTree:
        started = perf_counter()
        self._contexts, self._last = {}, last
        sized = self._sizing()
        tree = plant(root, last)
        chosen: list[tuple[int, Offer]] = []
        rooted = 0.0
        for parent, offer, path in self._best_first(root, sized):
            rooted = rooted or perf_counter()
            chosen.append((parent, offer))
            if len(chosen) + 1 >= self.draft_tree_capacity or sized.enough(path):
                break
        for parent, offer in chosen[: sized.drafts]:
            tree.add(parent, offer[0], self._birth(tree, parent, offer), merge=False)
        self._drafted = perf_counter()
        rooted = rooted or self._drafted
        self._beyond = rooted - started
        if chosen:
            spent = (self._drafted - rooted) / len(chosen)
            self._node_seconds += PACE * (spent - self._node_seconds)
        return tree

    def observed(self) -> dict[Kind, tuple[float, float]]:
        """By class how many continuations were right, and of how many, in the text up to here."""
        return self._rates.observed()

    @property
    def reads_prompt(self) -> bool:
        return self.successors

    @property
    def sizes_trees(self) -> bool:
        return self.tree_size == "measured"

    def _sizing(self) -> Sizing:
        costs = self.costs if self.sizes_trees else None
        return Sizing(costs, self._step_seconds, self._node_seconds, self.draft_tree_capacity)

    def _best_first(self, root: int, sized: Sizing) -> Iterator[tuple[int, Offer, float]]:
        """Nodes as (parent, offer, probability of the path), the most probable first.

        Nodes are numbered in this order, the root being 0. Those that can't pay are left out.
        """
        order = count()
        heap: list[tuple[float, int, int, Offer, Context, int]] = []

        def grow(node: int, context: Context, path: float, depth: int, copied: bool) -> None:
            self._contexts[node] = context
            least = max(LEAST, sized.least)
            sources = self._sources(node, least, copied=copied)
            for offer, likely in self._likely(sources, path, least):
                heappush(heap, (-likely, next(order), node, offer, context, depth))

        grow(0, (*self._end(), root), 1.0, 1, False)
        node = 0
        while heap:
            path, _, parent, offer, context, depth = heappop(heap)
            node += 1
            yield parent, offer, -path
            if depth < DEEPEST:
                copied = offer[3] == self._longest  # or a probability of 1, where that is 1
                grow(node, (*context[-self._longest :], offer[0]), -path, depth + 1, copied)

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            if self.costs is not None and self.sizes_trees:
                beyond = self._beyond + perf_counter() - self._drafted - result.seconds
                self._step_seconds += PACE * (beyond - self._step_seconds)
                self.costs.observe(len(tree), result.seconds)
            for node in path:
                if node in self._contexts:
                    # Of the n-grams only the longest learns, because only that one is asked first.
                    self._teach(self._sources(node, ngrams=1), result.choices[node])
            self._keep_logits(tree, path, result)
        for node in path:
            self._copies.extend(tree.tokens[node])

    def _end(self) -> tuple[int, ...]:
        """As much of the text's end as n-grams with one more token behind it reach back."""
        return tuple(self._copies.ids[max(0, len(self._copies.ids) - self._longest + 1) :])

    def _sources(
        self, node: int, least: float = 0.0, ngrams: int | None = None, copied: bool = False
    ) -> Iterator[list[Offer]]:
        """What each source offers after a node, in the order in which they are asked. Of the last one
        classes with rates up to `least` may be left out; `ngrams` limits how many are looked up; copied:
        the node is a copy after the longest n-gram."""
        context = self._contexts[node]
        if self.copies:
            yield from islice(self._copies.offers(context, copied), ngrams)
        if self.successors and (seen := self._successors.offers(context)):
            yield seen
        if self.runners_up and node == 0:
            rate_of = self._rates.rate
            yield runners_up(
                self._last, context[-1], self._copies, lambda kind: rate_of(kind) > least
            )

    def _likely(
        self, sources: Iterable[list[Offer]], path: float, least: float
    ) -> list[tuple[Offer, float]]:
        """Each token once, with its probability after a path with that of `path`, if it is more than
        `least`: a source shares out what those before left open."""
        rates = self._rates.known
        had: set[int] = set()
        found: list[tuple[Offer, float]] = []
        left = 1.0
        for offers in sources:
            taken = 0.0
            for offer in offers:
                if offer[0] in had:
                    continue
                had.add(offer[0])
                rate = rates.get(offer[1], UNKNOWN)
                taken += rate
                likely = path * left * rate
                if likely > least:
                    found.append((offer, likely))
            left *= max(0.0, 1.0 - taken)
            if left < LEFT_OPEN or path * left <= least:
                break
        return found

    def _teach(self, sources: Iterable[list[Offer]], token: int) -> None:
        """What the target wrote, held against each source where those before it had it not."""
        had: set[int] = set()
        for offers in sources:
            tries: dict[Kind, int] = {}
            right = None
            for offer in offers:
                if offer[0] not in had:
                    tries[offer[1]] = tries.get(offer[1], 0) + 1
                    right = offer[1] if offer[0] == token else right
            for kind, times in tries.items():
                self._rates.observe(kind, kind == right, times)
            had.update(offer[0] for offer in offers)
            if token in had:
                return

    def _birth(self, tree: DraftTree, parent: int, offer: Offer) -> Provenance:
        """Where a node comes from; a copy that goes on where its parent was copied stays that copy."""
        born = provenance(offer)
        if not born.match_length:
            return born
        above = tree.provenance[parent]
        if above.copied_from is not None and above.match_length:
            following = above.copied_from + 1
            ids = self._copies.ids
            if following < len(ids) and ids[following] == offer[0]:
                return Provenance(*above[:4], following, above.key)
        key = "root" if parent == 0 else "next_next" if above.origin is Origin.LOGIT else None
        return born._replace(key=key)

    def _keep_logits(self, tree: DraftTree, path: Sequence[int], result: ForwardResult) -> None:
        """The logits after every node, those of verified tokens last, so that they count."""
        before = self._copies.ids[-1] if self._copies.ids else -1
        accepted = set(path)
        rejected = [node for node in range(len(tree)) if node not in accepted]
        for node in (*rejected, *path):
            above = tree.tokens[tree.parents[node]] if node else before
            self._successors.observe((above, tree.tokens[node]), result.topk[node])
