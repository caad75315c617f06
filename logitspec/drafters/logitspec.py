"""Our own method: one draft tree over all sources that grows by its most probable node.

    copies of n-grams ───────┐
    successors of tokens ────┼─> offers with hit rates ─> probability of each path ─> the best node, again
    runners-up of the root ──┘

The paper's tree has a fixed shape. Here the probability of a node is that of its parent times the hit rate
of its source, and the tree takes the most probable nodes of all. Each source shares out what the sources
before it leave open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, islice
from time import perf_counter

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources.offers import (
    ORDERS,
    Context,
    Copies,
    Offer,
    Successors,
    runners_up,
)
from logitspec.drafters.sources.priors import PRIORS
from logitspec.drafters.sources.rates import UNKNOWN, Kind, Rates
from logitspec.drafters.sources.sizing import Sizing
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

MAX_DEPTH = 24
MIN_PATH = 5e-4  # a less probable path is worth no node
MIN_OPEN = 3e-3  # a smaller probability is not worth another source
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
        "measured", "size of trees: by the measured cost of a forward, or full", choices=SIZINGS
    )
    max_ngram_size: int = option(8, "tokens of the longest n-gram to look up", choices=ORDERS)
    copies: bool = option(True, "draft what followed n-grams of the text")
    runners_up: bool = option(True, "draft runners-up of the last logits after the root")
    successors: bool = option(True, "draft what the target ranked best after a token the last time")
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
        # Drafting takes so long before its first node, and for each node.
        self._start_seconds = self._node_seconds = 0.0
        for token in prompt_ids:
            self._copies.extend(token)

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        for place, row in enumerate(topk):
            self._successors.observe(tuple(ids[max(0, place - 1) : place + 1]), row)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        began = perf_counter()
        self._contexts, self._last = {}, last
        sizing = self._sizing(costs)
        tree = plant(root, last)
        best: list[tuple[int, Offer]] = []
        first = 0.0
        for parent, offer, path in self._best_first(root, sizing):
            first = first or perf_counter()
            best.append((parent, offer))
            if len(best) + 1 >= self.draft_tree_capacity or sizing.enough(path):
                break
        for parent, offer in best[: sizing.drafts]:
            tree.add(parent, offer.token, self._provenance(tree, parent, offer), merge=False)
        self._time(began, first, len(best))
        return tree

    def _time(self, began: float, first: float, nodes: int) -> None:
        """Learn what drafting takes, from the times of its start and of its first node."""
        ended = perf_counter()
        self._start_seconds += PACE * ((first or ended) - began - self._start_seconds)
        if nodes:
            self._node_seconds += PACE * ((ended - first) / nodes - self._node_seconds)

    def observed(self) -> dict[Kind, tuple[float, float]]:
        """By class of continuation: how many were right in this text, and how many there were."""
        return self._rates.observed()

    @property
    def reads_prompt(self) -> bool:
        return self.successors

    @property
    def sizes_trees(self) -> bool:
        return self.tree_size == "measured"

    def _sizing(self, costs: StepCosts) -> Sizing:
        forward = costs.forward if self.sizes_trees else None
        step_seconds = costs.loop + self._start_seconds
        return Sizing(forward, step_seconds, self._node_seconds, self.draft_tree_capacity)

    def _best_first(self, root: int, sizing: Sizing) -> Iterator[tuple[int, Offer, float]]:
        """Nodes as (parent, offer, probability of the path), the most probable first.

        Nodes are numbered in this order; the root is 0. Nodes that can't pay for their time are missing.
        """
        order = count()
        heap: list[tuple[float, int, int, Offer, Context, int]] = []

        def grow(node: int, context: Context, path: float, depth: int, copied: bool) -> None:
            self._contexts[node] = context
            least = max(MIN_PATH, sizing.min_path)
            sources = self._sources(node, least, copied=copied)
            for offer, probability in self._likely(sources, path, least):
                heappush(heap, (-probability, next(order), node, offer, context, depth))

        grow(0, (*self._end(), root), 1.0, 1, False)
        node = 0
        while heap:
            path, _, parent, offer, context, depth = heappop(heap)
            node += 1
            yield parent, offer, -path
            if depth < MAX_DEPTH:
                copied = offer.match_length == self._longest
                grow(node, (*context[-self._longest :], offer.token), -path, depth + 1, copied)

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            for node in path:
                if node in self._contexts:
                    # Only the longest n-gram learns: it alone is always the first source.
                    self._teach(self._sources(node, ngrams=1), result.choices[node])
            self._remember(tree, path, result)
        for node in path:
            self._copies.extend(tree.tokens[node])

    def _end(self) -> tuple[int, ...]:
        """The end of the text, as far back as the longest n-gram that includes the root reaches."""
        return tuple(self._copies.ids[max(0, len(self._copies.ids) - self._longest + 1) :])

    def _sources(
        self, node: int, least: float = 0.0, ngrams: int | None = None, copied: bool = False
    ) -> Iterator[list[Offer]]:
        """The offers of each source after a node, the most reliable source first.

        least: runners-up of classes with a hit rate up to this may be missing. ngrams: how many n-grams
        may answer, all by default. copied: whether the node is a copy after the longest n-gram.
        """
        context = self._contexts[node]
        if self.copies:
            yield from islice(self._copies.offers(context, copied), ngrams)
        if self.successors and (offers := self._successors.offers(context)):
            yield offers
        if self.runners_up and node == 0:
            rate_of = self._rates.rate
            yield runners_up(
                self._last, context[-1], self._copies, lambda kind: rate_of(kind) > least
            )

    def _likely(
        self, sources: Iterable[list[Offer]], path: float, least: float
    ) -> list[tuple[Offer, float]]:
        """Each token once, with the probability of its path if that is more than `least`.

        path: the probability of the path before it. A source shares out what those before it left open.
        """
        rates = self._rates.known
        tokens: dict[int, bool] = {}  # a set would take a call for each of hundreds of offers
        likely: list[tuple[Offer, float]] = []
        open_ = 1.0
        for offers in sources:
            total = 0.0
            for offer in offers:
                if offer.token in tokens:
                    continue
                tokens[offer.token] = True
                rate = rates.get(offer.kind, UNKNOWN)
                total += rate
                probability = path * open_ * rate
                if probability > least:
                    likely.append((offer, probability))
            open_ *= max(0.0, 1.0 - total)
            if open_ < MIN_OPEN or path * open_ <= least:
                break
        return likely

    def _teach(self, sources: Iterable[list[Offer]], token: int) -> None:
        """Count `token`, which the target wrote, for or against each source up to the first that had it."""
        tokens: set[int] = set()
        for offers in sources:
            tries: dict[Kind, int] = {}
            right = None
            for offer in offers:
                if offer.token not in tokens:
                    tries[offer.kind] = tries.get(offer.kind, 0) + 1
                    right = offer.kind if offer.token == token else right
            for kind, times in tries.items():
                self._rates.observe(kind, kind == right, times)
            tokens.update(offer.token for offer in offers)
            if token in tokens:
                return

    def _provenance(self, tree: DraftTree, parent: int, offer: Offer) -> Provenance:
        """Where a node comes from. A copy that continues the copy of its parent belongs to that one."""
        origin = offer.provenance
        if origin.match_length is None:
            return origin
        above = tree.provenance[parent]
        if above.copied_from is not None:
            following = above.copied_from + 1
            ids = self._copies.ids
            if following < len(ids) and ids[following] == offer.token:
                return Provenance(*above[:4], following, above.key)
        key = "root" if parent == 0 else "next_next" if above.origin is Origin.LOGIT else None
        return origin._replace(key=key)

    def _remember(self, tree: DraftTree, path: Sequence[int], result: ForwardResult) -> None:
        """Remember the best tokens after every node; verified tokens come last, and so overwrite the rest."""
        before = self._copies.ids[-1] if self._copies.ids else -1
        accepted = set(path)
        rejected = [node for node in range(len(tree)) if node not in accepted]
        for node in (*rejected, *path):
            above = tree.tokens[tree.parents[node]] if node else before
            self._successors.observe((above, tree.tokens[node]), result.topk[node])
