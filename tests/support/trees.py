"""Random draft trees."""

from __future__ import annotations

import numpy as np

from logitspec.trace.tree import DraftTree, Origin, Provenance
from support.families import VOCABULARY


def tree(rng: np.random.Generator, nodes: int, chain: bool = False) -> DraftTree:
    draft_tree = DraftTree(int(rng.integers(VOCABULARY)))
    for node in range(1, nodes):
        parent = node - 1 if chain else int(rng.integers(node))
        token = int(rng.integers(VOCABULARY))
        draft_tree.add(parent, token, Provenance(Origin.LOGIT), merge=False)
    return draft_tree


def path(rng: np.random.Generator, draft_tree: DraftTree) -> list[int]:
    return list(draft_tree.path_to(int(rng.integers(len(draft_tree)))))
