"""What a drafter is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from logitspec.drafters.options import check, option_fields
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance


@dataclass
class Drafter:
    """Drafts what follows the root, from token ids and the last logits alone.

    Subclasses are dataclasses whose fields are their options. One drafter serves one text at a time:
    `reset` starts a new one. name: the method's name in code; title: its name in the page;
    paper: the paper's address.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for each in option_fields(type(self)):
            check(each, getattr(self, each.name))

    @property
    def reads_prompt(self) -> bool:
        """Whether it wants `learn` to be called."""
        return False

    @property
    def sizes_trees(self) -> bool:
        """Whether the cost of forwards decides the size of its trees."""
        return False

    def reset(self, prompt_ids: Sequence[int]) -> None:
        """Start a new text with the tokens of the prompt."""
        raise NotImplementedError

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        """Take the target's best tokens after each of the prompt's `ids`: one TopK per token.

        Called after `reset` for methods with `reads_prompt`, if the target gives a TopK per token.
        """

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        """A tree of drafts under `root`, the next token.

        last: the best tokens of the logits that chose the root. costs: those of a step, for methods
        with `sizes_trees`. The tree is verified as it is and must not change afterwards.
        """
        raise NotImplementedError

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        """Learn what became of the last tree: `path` (nodes, root first) was accepted.

        result: that of the forward over the tree; None if only the text is known.
        """
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """The values of the options by name, as JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def plant(root: int, last: TopK) -> DraftTree:
    """A tree of the root alone, with its rank and probability in the last logits."""
    rank = last.rank(root)
    probability = None if rank is None else last.probs[rank]
    return DraftTree(root, Provenance(Origin.ROOT, rank, probability))
