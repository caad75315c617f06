"""A repetition penalty: a function of the tokens before a position, so that a tree can apply it exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch


def penalise(
    logits: torch.Tensor, penalty: float, text: Collection[int], paths: Sequence[Sequence[int]]
) -> torch.Tensor:
    """`logits` [rows, vocabulary] with the tokens before each row made less likely (Keskar et al., 2019).

    text: tokens before all rows. paths: for each row, those after the text. As in transformers, a positive
    logit is divided by `penalty` and a negative one multiplied by it, once however often the token occurs.
    """
    pairs = [(row, token) for row, path in enumerate(paths) for token in {*path}]
    rows = torch.tensor([row for row, _ in pairs], dtype=torch.long, device=logits.device)
    tokens = torch.tensor([token for _, token in pairs], dtype=torch.long, device=logits.device)
    everywhere = torch.tensor(sorted({*text}), dtype=torch.long, device=logits.device)
    changed = logits.clone()
    changed[:, everywhere] = _less(logits[:, everywhere], penalty)
    changed[rows, tokens] = _less(logits[rows, tokens], penalty)
    return changed


def _less(logits: torch.Tensor, penalty: float) -> torch.Tensor:
    return torch.where(logits < 0, logits * penalty, logits / penalty)
