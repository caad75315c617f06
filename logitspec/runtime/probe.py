"""Whether a target computes over a draft tree what its model computes over plain text."""

from __future__ import annotations

import torch

from logitspec.runtime.runner import Runner
from logitspec.trace.tree import DraftTree, Origin, Provenance


@torch.inference_mode()
def deviation(target: Runner, behind: int = 8) -> float:
    """The largest distance of the logits of a small tree from plain, uncached forwards over its paths.

    In standard deviations of the plain logits: rounding for a model that can be a target, a lot for one
    that takes no positions or reads its mask in another way. behind: tokens before the tree. Forgets the
    text.
    """
    vocabulary = target.vocabulary_size
    prefix = [3 * place % vocabulary for place in range(behind)]
    root, *drafts = (3 * place % vocabulary for place in (1, 2, 3, 5, 6))
    tree, provenance = DraftTree(root), Provenance(Origin.LOGIT)
    tree.add(tree.add(0, drafts[0], provenance), drafts[1], provenance)
    tree.add(tree.add(0, drafts[2], provenance), drafts[3], provenance)
    target.prefill(prefix)
    logits = target.tree_logits(tree)
    target.length = 0
    largest = 0.0
    for node, row in enumerate(logits):
        path = [tree.tokens[each] for each in tree.path_to(node)]
        ids = torch.tensor([prefix + path], device=logits.device)
        plain = target.model(input_ids=ids, use_cache=False).logits[0, -1].double()
        largest = max(largest, ((row.double() - plain).abs().max() / plain.std()).item())
    return largest
