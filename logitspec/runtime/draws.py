"""The target's choice at a position: its argmax, or a draw fixed by seed and position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from logitspec.trace.sampling import GREEDY, Sampling


def pick(
    logits: torch.Tensor, positions: Sequence[int], sampling: Sampling = GREEDY
) -> torch.Tensor:
    """Chosen token ids [rows] for `logits` [rows, vocabulary].

    positions: absolute position of the token that each row chooses, one per row. At temperature 0 the
    choice is the argmax; otherwise it is the argmax after adding Gumbel noise that depends on seed and
    position alone, which is a draw from the distribution at that temperature, after top-k and top-p.
    Rows that choose for the same position share the noise, so a draft that equals the draw is what
    plain sampling would have drawn there. Unlike a point in a cumulative distribution, such a draw
    hardly changes with the rounding of the logits.
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    dtype = torch.float32 if logits.device.type == "mps" else torch.float64
    logits = logits.to(dtype)
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if sampling.top_p < 1:
        logits = _nucleus(logits, sampling)
    distinct, rows = np.unique(positions, return_inverse=True)
    noise = np.stack([gumbel(sampling.seed, int(each), logits.shape[-1]) for each in distinct])
    noise_of_row = torch.from_numpy(noise).to(logits.device, dtype)[torch.from_numpy(rows)]
    return (logits + sampling.temperature * noise_of_row).argmax(-1)


def _nucleus(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """`logits` with the tail at minus infinity: the smallest set of top tokens reaching top-p stays."""
    best, order = (logits / sampling.temperature).softmax(-1).sort(dim=-1, descending=True)
    tail = best.cumsum(-1) - best >= sampling.top_p
    return logits.masked_fill(torch.zeros_like(tail).scatter_(-1, order, tail), -torch.inf)


def gumbel(seed: int, position: int, size: int) -> npt.NDArray[np.float64]:
    """Standard Gumbel noise [size] that depends on `seed` and `position` alone, on any device.

    From Philox, a counter-based generator (Salmon et al., 2011), keyed with seed and position.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, position]))
    with np.errstate(divide="ignore"):
        noise: npt.NDArray[np.float64] = -np.log(-np.log(generator.random(size)))
    return noise
