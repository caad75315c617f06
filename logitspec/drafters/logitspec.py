"""Our own method: one draft tree over all sources, which grows by its most probable node.

    copies of n-grams ───────┐
    successors of tokens ────┼─> evidence for each token ─> probability of each path ─> the best node, again
    runners-up of the root ──┘

The paper's tree has a fixed shape. Here every source says something about every token that any source
offers, the weights of this evidence give the token's probability, and the tree takes the most probable
nodes of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count
from time import perf_counter

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources import evidence
from logitspec.drafters.sources.evidence import GROUP_OF, MAX_RUNNERS_UP
from logitspec.drafters.sources.odds import Odds
from logitspec.drafters.sources.offers import (
    MAX_SHORTER,
    MAX_SUCCESSORS,
    ORDERS,
    Context,
    Copies,
    Copy,
    Offer,
    Successors,
)
from logitspec.drafters.sources.sizing import Sizing
from logitspec.drafters.sources.trust import PACE, Trust
from logitspec.drafters.sources.weights import WEIGHTS
from logitspec.trace.costs import UNKNOWN_COSTS, RunningMean, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

MAX_DEPTH = 24
MIN_PATH = 5e-4  # a less probable path is not worth a node
SIZINGS = ("measured", "capacity")
MAX_CONTEXT = max(evidence.SUCCESSOR_ORDERS) - 1  # tokens before the last one


@register
@dataclass
class LogitSpec(Drafter):
    """Copies, runners-up and successors in one tree, the most probable nodes first."""

    name = "logitspec"
    title = "LogitSpec (ours)"
    paper = ""

    draft_tree_capacity: int = option(64, "nodes in the tree, root included", 2, 128, "nodes")
    tree_size: str = option(
        "measured",
        "size of trees: by the measured cost of a forward pass, or always full",
        choices=SIZINGS,
    )
    max_ngram_size: int = option(8, "longest n-gram to look up, in tokens", choices=ORDERS)
    copies: bool = option(True, "draft what followed the same n-grams earlier in the text")
    runners_up: bool = option(True, "draft runners-up of the last logits after the root")
    successors: bool = option(True, "draft what the target last ranked best after a token")
    adaptive: bool = option(
        True,
        "adapt trust in copies to the text, and learn from what followed each token of the prompt",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.weights: Sequence[float] = WEIGHTS

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._odds = Odds(self.weights)
        self._copies = Copies(self.max_ngram_size)
        self._longest = self._copies.longest
        self._successors = Successors()
        self._trust = Trust(PACE if self.adaptive else 0.0)
        self._contexts: dict[int, Context] = {}
        self._copied: dict[int, dict[int, Copy]] = {}
        # By node: the odds of each offered token, and their sum with the odds of "none of them".
        self._odds_after: dict[int, tuple[dict[int, float], float]] = {}
        self._root, self._last = -1, TopK([], [])
        self._tree: DraftTree | None = None
        # Drafting time before the first node and per node, learning time per step and per node.
        self._start_seconds, self._node_seconds = RunningMean(), RunningMean()
        self._learn_seconds, self._learn_node_seconds = RunningMean(), RunningMean()
        for token in prompt_ids:
            self._copies.extend(token)

    def _settle(self) -> None:
        """Explain the last tree before what it was drafted from changes."""
        if self._tree is not None:
            self._tree.explain()
            self._tree = None

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        for place, row in enumerate(topk):
            following = place + 1
            mixes = self.adaptive and self.copies and following < len(ids)
            came = (ids[following], following) if mixes else None
            self._successors.observe(tuple(ids[max(0, place - MAX_CONTEXT) : place + 1]), row, came)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        began = perf_counter()
        self._settle()
        self._contexts, self._copied, self._odds_after = {}, {}, {}
        self._root, self._last = root, last
        sizing = self._sizing(costs)
        best: list[tuple[int, int]] = []
        first = 0.0
        for parent, token, path in self._best_first(root, sizing):
            first = first or perf_counter()
            best.append((parent, token))
            if len(best) + 1 >= self.draft_tree_capacity or sizing.enough(path):
                break
        del best[sizing.drafts :]
        self._tree = DraftTree.to_explain(
            [root, *(token for _, token in best)],
            [-1, *(parent for parent, _ in best)],
            partial(self._explain, best),
        )
        self._time(began, first, len(best))
        return self._tree

    def _explain(self, nodes: Sequence[tuple[int, int]]) -> list[Provenance]:
        """Where the root and `nodes` (parent, token) of the last tree come from."""
        provenance = plant(self._root, self._last).provenance
        for parent, token in nodes:
            above = provenance[parent]
            provenance.append(self._provenance(above, parent, self._offer(parent, token)))
        return provenance

    def _time(self, began: float, first: float, nodes: int) -> None:
        """Learn how long drafting takes, from the times of its start and of its first node."""
        ended = perf_counter()
        self._start_seconds.add((first or ended) - began)
        if nodes:
            self._node_seconds.add((ended - first) / nodes)

    @property
    def reads_prompt(self) -> bool:
        return self.successors

    @property
    def sizes_trees(self) -> bool:
        return self.tree_size == "measured"

    def _sizing(self, costs: StepCosts) -> Sizing:
        forward = costs.forward if self.sizes_trees else None
        # The loop's time includes learning, which is counted per node instead: a smaller tree teaches less.
        step_seconds = max(0.0, costs.loop - self._learn_seconds.value) + self._start_seconds.value
        node_seconds = self._node_seconds.value + self._learn_node_seconds.value
        return Sizing(forward, step_seconds, node_seconds, self.draft_tree_capacity)

    def _best_first(self, root: int, sizing: Sizing) -> Iterator[tuple[int, int, float]]:
        """Nodes as (parent, token, probability of the path), the most probable first.

        Nodes are numbered in this order; the root is 0. Nodes that can't pay for their time are left out.
        """
        order = count()
        heap: list[tuple[float, int, int, int, Context, int]] = []
        longest = self._longest

        def grow(node: int, context: Context, path: float, depth: int) -> None:
            self._contexts[node] = context
            odds, none = self._weigh(node, context)
            total = none + sum(odds.values())
            self._odds_after[node] = odds, total
            share = path / total
            least = max(MIN_PATH, sizing.min_path) / share
            for token, odd in odds.items():
                if odd > least:
                    heappush(heap, (-odd * share, next(order), node, token, context, depth))

        grow(0, (*self._end(), root), 1.0, 1)
        node = 0
        while heap:
            path, _, parent, token, context, depth = heappop(heap)
            node += 1
            yield parent, token, -path
            if depth < MAX_DEPTH:
                grow(node, (*context[-longest:], token), -path, depth + 1)

    def _weigh(self, node: int, context: Context) -> tuple[dict[int, float], float]:
        """The odds after a node: of each token that a source offers, and of none of them."""
        known = self._successors.known(context) if self.successors else []
        best = known[0][0] if known else 0
        odds = self._odds.of_successors(known)
        offers = self._copies.offers(context) if self.copies else []
        if not offers and node > 0:
            return odds, self._odds.of_none(None, best, False)
        odds = odds.copy()
        absent = self._odds.no_successor[best]
        best_copy = None
        if offers:
            longest = known[0][1] if known else None
            first = GROUP_OF[longest.buckets[0]] if longest else 0
            copied: dict[int, Copy] = {}
            best_copy, trust = offers[0].best, self._trust.factors
            for later, (_, copies) in enumerate(offers):
                for copy in copies:
                    token, kind, _, _ = copy
                    if token not in copied:
                        copied[token] = copy
                        group = longest.group(token) if longest else None
                        factor = self._odds.of_copy(kind, later > 0, best_copy, group, first)
                        odds[token] = odds.get(token, absent) * factor * trust[kind[0]]
            self._copied[node] = copied
        if self.runners_up and node == 0:
            groups = known[0][1].groups if known else {}
            self._weigh_runners_up(odds, context[-1], absent, groups)
        return odds, self._odds.of_none(best_copy, best, node == 0)

    def _weigh_runners_up(
        self, odds: dict[int, float], root: int, absent: float, successors: Collection[int]
    ) -> None:
        ids = self._last.ids[:MAX_RUNNERS_UP]
        for token in odds.keys() - set(ids):
            odds[token] *= self._odds.no_logit
        occurred, copied = self._copies.occurred, self._copied.get(0, {})
        for token, factors, joint in zip(ids, self._odds.logit, self._odds.ranked, strict=False):
            if token != root:
                factor = factors[occurred(token)]
                if token in copied or token in successors:
                    factor *= joint[token in copied]
                odds[token] = odds.get(token, absent) * factor

    def _offer(self, node: int, token: int) -> Offer:
        """Where a token after a node comes from: the first source that has it, copies before successors."""
        if (copied := self._copied.get(node)) and token in copied:
            return copied[token].offer
        if self.successors:
            most = MAX_SUCCESSORS
            for order, ranking in self._successors.known(self._contexts[node]):
                if token in ranking.ids[:most]:
                    return ranking.offer(token, order)
                most = MAX_SHORTER
        rank = self._last.ids.index(token)
        return Offer(token, Origin.LOGIT, rank, self._last.probs[rank])

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        self._settle()
        began = perf_counter()
        if result is not None:
            self._learn_trust(tree, path, result)
            self._remember(tree, path, result)
        for node in path:
            self._copies.extend(tree.tokens[node])
        seconds = perf_counter() - began
        self._learn_seconds.add(seconds)
        self._learn_node_seconds.add(seconds / len(tree))

    def _end(self) -> tuple[int, ...]:
        """The end of the text, as far back as the longest n-gram that includes the root reaches."""
        return tuple(self._copies.ids[max(0, len(self._copies.ids) - self._longest + 1) :])

    def _provenance(self, above: Provenance, parent: int, offer: Offer) -> Provenance:
        """Where a node comes from. A copy that continues its parent's copy belongs to that copy.

        above: the parent's provenance."""
        origin = offer.provenance
        if origin.match_length is None:
            return origin
        if above.copied_from is not None:
            following = above.copied_from + 1
            ids = self._copies.ids
            if following < len(ids) and ids[following] == offer.token:
                return Provenance(*above[:4], following, above.key)
        key = "root" if parent == 0 else "next_next" if above.origin is Origin.LOGIT else None
        return origin._replace(key=key)

    def _learn_trust(self, tree: DraftTree, path: Sequence[int], result: ForwardResult) -> None:
        """Learn from every accepted node after which a copy was offered."""
        following = [*(tree.tokens[node] for node in path[1:]), result.choices[path[-1]]]
        for node, token in zip(path, following, strict=True):
            if copied := self._copied.get(node):
                odds, total = self._odds_after[node]
                best = max(copied, key=odds.__getitem__)
                self._trust.learn(copied[best].kind[0], odds[best] / total, best == token)

    def _remember(self, tree: DraftTree, path: Sequence[int], result: ForwardResult) -> None:
        """Remember the best tokens after every node; verified tokens come last and so overwrite the rest."""
        end = tuple(self._copies.ids[-MAX_CONTEXT:])
        contexts: list[Context] = []
        for node, token in enumerate(tree.tokens):
            above = contexts[tree.parents[node]] if node else end
            contexts.append((*above[-MAX_CONTEXT:], token))
        accepted = set(path)
        rejected = [node for node in range(len(tree)) if node not in accepted]
        for node in (*rejected, *path):
            self._successors.observe(contexts[node], result.topk[node])
