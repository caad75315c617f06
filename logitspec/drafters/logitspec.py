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
MIN_PATH = 5e-4  # probability of a path that is worth a node
MIN_OPEN = 3e-3  # probability that the sources so far leave to others
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
    max_ngram_size: int = option(8, "tokens of the longest n-gram to look up", choices=ORDERS)
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
        self._start_seconds = self._node_seconds = (
            0.0  # of drafting: before the first node, and each
        )
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
        chosen: list[tuple[int, Offer]] = []
        first = 0.0
        for parent, offer, path in self._best_first(root, sizing):
            first = first or perf_counter()
            chosen.append((parent, offer))
            if len(chosen) + 1 >= self.draft_tree_capacity or sizing.enough(path):
                break
        for parent, offer in chosen[: sizing.drafts]:
            tree.add(parent, offer.token, self._birth(tree, parent, offer), merge=False)
        self._time(began, first, len(chosen))
        return tree

    def _time(self, began: float, first: float, nodes: int) -> None:
        """Learn what drafting takes, from when it began and when it had its first node."""
        ended = perf_counter()
        self._start_seconds += PACE * ((first or ended) - began - self._start_seconds)
        if nodes:
            self._node_seconds += PACE * ((ended - first) / nodes - self._node_seconds)

    def observed(self) -> dict[Kind, tuple[float, float]]:
        """By class how many continuations were right, and of how many, in the text up to here."""
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

        Nodes are numbered in this order, the root being 0. Those that can't pay are left out.
        """
        order = count()
        heap: list[tuple[float, int, int, Offer, Context, int]] = []

        def grow(node: int, context: Context, path: float, depth: int, copied: bool) -> None:
            self._contexts[node] = context
            least = max(MIN_PATH, sizing.min_path)
            sources = self._sources(node, least, copied=copied)
            for offer, likely in self._likely(sources, path, least):
                heappush(heap, (-likely, next(order), node, offer, context, depth))

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
        had: dict[
            int, bool
        ] = {}  # no set, no get: a call for each offer would cost more than the rest
        found: list[tuple[Offer, float]] = []
        left = 1.0
        for offers in sources:
            taken = 0.0
            for offer in offers:
                if offer.token in had:
                    continue
                had[offer.token] = True
                rate = rates.get(offer.kind, UNKNOWN)
                taken += rate
                likely = path * left * rate
                if likely > least:
                    found.append((offer, likely))
            left *= max(0.0, 1.0 - taken)
            if left < MIN_OPEN or path * left <= least:
                break
        return found

    def _teach(self, sources: Iterable[list[Offer]], token: int) -> None:
        """What the target wrote, held against each source where those before it had it not."""
        had: set[int] = set()
        for offers in sources:
            tries: dict[Kind, int] = {}
            right = None
            for offer in offers:
                if offer.token not in had:
                    tries[offer.kind] = tries.get(offer.kind, 0) + 1
                    right = offer.kind if offer.token == token else right
            for kind, times in tries.items():
                self._rates.observe(kind, kind == right, times)
            had.update(offer.token for offer in offers)
            if token in had:
                return

    def _birth(self, tree: DraftTree, parent: int, offer: Offer) -> Provenance:
        """Where a node comes from; a copy that goes on where its parent was copied stays that copy."""
        born = offer.provenance
        if born.match_length is None:
            return born
        above = tree.provenance[parent]
        if above.copied_from is not None:
            following = above.copied_from + 1
            ids = self._copies.ids
            if following < len(ids) and ids[following] == offer.token:
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
