"""Token recycling (Luo et al., arXiv 2408.08696): draft again what the target last ranked best after a token.

A table keeps, for each token that the target has read, the eight tokens that it ranked best after it
the last time. A draft tree of fixed shape is filled from it, level by level: a node of rank k is
the k-th successor of its parent's token.

The shape is our own. It has the sizes of the authors' tree, 8, 21, 25, 15, 8 and 3 nodes below the
root, and this rule: if the successor of rank k is right with a probability proportional to 1 / (k + 1),
each level takes the most probable paths. So the better a rank, the more children it gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

LEVEL_SIZES = (8, 21, 25, 15, 8, 3)
SUCCESSORS = 8

SEED_FROM_PROMPT = "fill the table from the prompt before the first step, as SAM-Decoding does and the paper does not"


def shape(sizes: Sequence[int], successors: int) -> list[tuple[int, int]]:
    """(parent, rank) of nodes 1, 2, ... below root 0, level by level; sizes: nodes per level.

    Each level takes the cheapest children of the level above, where a path costs the product of its
    ranks + 1. Of equally cheap children, the child of the cheaper parent comes first.
    """
    nodes: list[tuple[int, int]] = []
    level = [(1, 0)]  # cost and number of each node
    for size in sizes:
        children = sorted(
            (cost * (rank + 1), parent, rank)
            for cost, parent in level
            for rank in range(successors)
        )[:size]
        first = len(nodes) + 1
        level = [(cost, first + place) for place, (cost, _, _) in enumerate(children)]
        nodes += [(parent, rank) for _, parent, rank in children]
    return nodes


SHAPE = shape(LEVEL_SIZES, SUCCESSORS)


@register
@dataclass
class TokenRecycling(Drafter):
    """A tree of up to 80 drafts from a table of successors, which every step refreshes.

    Tokens that the target has not read yet have no successors: the nodes below them are left out.
    (The authors' table starts with zeros, so their tree then drafts token 0.)
    """

    name = "token_recycling"
    title = "Token recycling"
    paper = "https://arxiv.org/abs/2408.08696"

    seed_from_prompt: bool = option(True, SEED_FROM_PROMPT)

    @property
    def reads_prompt(self) -> bool:
        return self.seed_from_prompt

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._table: dict[int, TopK] = {}

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        if self.seed_from_prompt:
            self._recycle(ids, topk)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        tree = plant(root, last)
        nodes = {0: 0}  # node of the shape -> node of the tree
        for number, (parent, rank) in enumerate(SHAPE, start=1):
            above = nodes.get(parent)
            known = None if above is None else self._table.get(tree.tokens[above])
            if above is not None and known is not None and rank < len(known):
                origin = Provenance(Origin.RECYCLED, rank, known.probs[rank])
                nodes[number] = tree.add(above, known.ids[rank], origin)
        return tree

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            self._recycle(tree.tokens, result.topk)

    def _recycle(self, tokens: Sequence[int], topk: Sequence[TopK]) -> None:
        """Store the target's best tokens after each of `tokens`, rejected drafts included; if a token
        occurs twice, the later one counts."""
        for token, best in zip(tokens, topk, strict=True):
            self._table[token] = best.head(SUCCESSORS)
