"""SAM-Decoding (Hu et al., arXiv 2411.10666): a long copy where the text repeats itself, or else a tree.

The authors' method without its corpus: their dynamic automaton, which covers prompt and output, with
token recycling as the auxiliary method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logitspec.drafters.base import Drafter, plant
from logitspec.drafters.options import option
from logitspec.drafters.registry import register
from logitspec.drafters.sources.automaton import Match, OnlineAutomaton
from logitspec.drafters.token_recycling import SEED_FROM_PROMPT, TokenRecycling
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance


@register
@dataclass
class SuffixAutomaton(Drafter):
    """One chain after the longest suffix of text + root that occurred earlier, if it is long enough;
    otherwise the tree of token recycling.

    The chain is copied from the first occurrence. (The authors pad a copy that is too short with
    token 0; here it stays short.)
    """

    name = "suffix_automaton"
    title = "Suffix automaton"
    paper = "https://arxiv.org/abs/2411.10666"

    threshold: int = option(
        5,
        "shortest match to copy after; otherwise draft the tree of token recycling",
        1,
        128,
        "tokens",
    )
    num_pred_tokens: int = option(40, "longest continuation to copy", 1, 128, "tokens")
    seed_from_prompt: bool = option(True, f"of token recycling: {SEED_FROM_PROMPT}")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._recycling = TokenRecycling(self.seed_from_prompt)

    @property
    def reads_prompt(self) -> bool:
        return self._recycling.reads_prompt

    def reset(self, prompt_ids: Sequence[int]) -> None:
        self._recycling.reset(prompt_ids)
        self._automaton = OnlineAutomaton(prompt_ids)

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        self._recycling.learn(ids, topk)

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        match = self._match(root)
        return (
            self._recycling.draft(root, last, costs)
            if match is None
            else self._copy(root, last, match)
        )

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        self._recycling.observe(tree, path, result)
        self._automaton.extend(tree.tokens[node] for node in path)

    def _match(self, root: int) -> Match | None:
        """The longest match if it reaches the threshold, or None.

        As in the authors' code, a shorter match, even one below the threshold, replaces it while fewer
        than `num_pred_tokens` tokens follow: the earlier of two occurrences has more to copy.
        """
        shorter = self._automaton.matches(root)
        match = next(shorter, None)
        if match is None or match.length < self.threshold:
            return None
        while self._following(match) < self.num_pred_tokens and (other := next(shorter, None)):
            match = other
        return match if self._following(match) else None

    def _following(self, match: Match) -> int:
        """The number of verified tokens from the start of the continuation on."""
        return len(self._automaton.ids) - match.start

    def _copy(self, root: int, last: TopK, match: Match) -> DraftTree:
        tree, node = plant(root, last), 0
        most = min(self.num_pred_tokens, self._following(match))
        for source in range(match.start, match.start + most):
            origin = Provenance(Origin.SUFFIX, None, None, match.length, source)
            node = tree.add(node, self._automaton.ids[source], origin)
        return tree
