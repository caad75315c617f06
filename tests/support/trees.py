"""Random draft trees."""

from __future__ import annotations

import numpy as np

from logitspec.trace.tree import DraftTree, Origin, Provenance
from support.families import VOCABULARY


def tree(rng: np.random.Generator, nodes: int, chain: bool = False) -> DraftTree:
    made = DraftTree(int(rng.integers(VOCABULARY)))
    for node in range(1, nodes):
        parent = node - 1 if chain else int(rng.integers(node))
        token = int(rng.integers(VOCABULARY))
        made.add(parent, token, Provenance(Origin.LOGIT), merge=False)
    return made


def path(rng: np.random.Generator, made: DraftTree) -> list[int]:
    return list(made.path_to(int(rng.integers(len(made)))))
