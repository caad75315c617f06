"""The best tokens after each row of logits, and their probabilities, as plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec.errors import LogitSpecError
from logitspec.trace.results import TopK

DIGITS = 4


def wide(logits: torch.Tensor) -> torch.Tensor:
    """`logits` in float32 at least: exact, and on a CPU an argmax in half precision is slow."""
    return logits if logits.dtype == torch.float64 else logits.float()


def topk(logits: torch.Tensor, k: int) -> list[TopK]:
    """The best `k` of each row of wide `logits` [rows, vocabulary], with probabilities at temperature 1."""
    ids = logits.topk(min(k, logits.shape[-1]), dim=-1).indices
    probs = logits.softmax(-1).gather(-1, ids)
    return _tops(ids.cpu().numpy(), probs.cpu().numpy())


def ranked(logits: torch.Tensor, k: int) -> torch.Tensor:
    """Argmax and best `k` of each row of wide `logits` in one tensor, to be copied as a whole.

    [rows, 1 + 2 k] int32: the argmax, the ids, and the bits of their probabilities in float32.
    """
    best = logits.topk(min(k, logits.shape[-1]), dim=-1)
    probs = (best.values - logits.logsumexp(-1, keepdim=True)).exp().float()
    parts = (logits.argmax(-1, keepdim=True).int(), best.indices.int(), probs.view(torch.int32))
    return torch.cat(parts, -1)


def unpacked(packed: npt.NDArray[Any], k: int) -> list[TopK]:
    """The best `k` of each row, of what `ranked` has packed."""
    ids, bits = np.split(packed[:, 1:], 2, axis=1)
    return _tops(ids[:, :k], np.ascontiguousarray(bits[:, :k]).view(np.float32))


def _tops(ids: npt.NDArray[Any], probs: npt.NDArray[Any]) -> list[TopK]:
    rounded = _rounded(probs.astype(np.float64)).tolist()
    return [TopK(row, prob) for row, prob in zip(ids.tolist(), rounded, strict=True)]


def _rounded(probs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`probs` to a few significant digits, which is what a trace has use for."""
    if not np.isfinite(probs).all():
        raise LogitSpecError(
            "The model's logits are not finite; choose dtype float32 or bfloat16, or other weights."
        )
    least = np.maximum(probs, 1e-18)
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(least)))
    digits: npt.NDArray[Any] = np.round(probs * scale) / scale
    return digits
