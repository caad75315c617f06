"""The target's choice at a position: its argmax, or a draw that seed and position fix."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from logitspec.target import Sampling

_MASK = 2**64 - 1


def pick(
    logits: torch.Tensor, positions: Sequence[int], sampling: Sampling = Sampling()
) -> torch.Tensor:
    """Chosen token ids [rows] for `logits` [rows, vocabulary].

    positions: absolute position of the token that each row chooses, one per row. At temperature 0
    the argmax; otherwise the inverse of the cumulative distribution (after temperature and top-p) at
    `uniform(seed, position)`. Rows that choose for the same position share the noise, so a draft
    that equals the draw is what plain sampling would have drawn there.
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    wide = torch.float32 if logits.device.type == "mps" else torch.float64
    scaled = (logits if logits.dtype == torch.float64 else logits.float()) / sampling.temperature
    probs = scaled.softmax(-1)
    if sampling.top_p < 1:
        probs = _nucleus(probs, sampling.top_p)
    cdf = probs.cumsum(-1, dtype=wide)
    noise = [uniform(sampling.seed, position) for position in positions]
    level = torch.tensor(noise, dtype=wide, device=logits.device)[:, None] * cdf[:, -1:]
    drawn = torch.searchsorted(cdf, level, right=True)[:, 0]
    return drawn.clamp_(max=logits.shape[-1] - 1)


def _nucleus(probs: torch.Tensor, top_p: float) -> torch.Tensor:
    """`probs` without the tail: the fewest best tokens that reach `top_p` stay."""
    best, order = probs.sort(dim=-1, descending=True)
    best = best.masked_fill(best.cumsum(-1) - best >= top_p, 0.0)
    return torch.zeros_like(probs).scatter_(-1, order, best)


def uniform(seed: int, position: int) -> float:
    """A number in [0, 1) that depends on `seed` and `position` alone, the same on every device.

    Twice the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
    """
    return (_mix(_mix(seed) + position) >> 11) * 2.0**-53


def _mix(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
    return value ^ value >> 31
