"""The best tokens after each row of logits, and their probabilities, as plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec.errors import LogitSpecError
from logitspec.runtime.shapes import BUCKETS
from logitspec.trace.results import TopK

DIGITS = 4
_EXPONENTS = np.arange(-18, 1)
_POWERS = 10.0**_EXPONENTS
_SCALES = 10.0 ** (DIGITS - 1 - np.concatenate((_EXPONENTS[:1], _EXPONENTS)))
"""Indexed by the number of powers that a probability reaches."""


def not_finite() -> LogitSpecError:
    """The sentence for logits that overflowed, or come from broken weights."""
    return LogitSpecError(
        "The model's logits are not finite; choose dtype float32 or bfloat16, or other weights."
    )


def upcast(logits: torch.Tensor) -> torch.Tensor:
    """`logits` in float32 or float64: this is exact, and on a CPU an argmax in half precision is slow."""
    return logits if logits.dtype == torch.float64 else logits.float()


def topk(logits: torch.Tensor, k: int) -> list[TopK]:
    """The best `k` of each row of upcast `logits` [rows, vocabulary]; probabilities at temperature 1."""
    best = logits.topk(min(k, logits.shape[-1]), dim=-1)
    ids = best.indices
    if (best.values[:, :1] == best.values[:, 1:2]).any():
        ids = _begun_with(logits.argmax(-1, keepdim=True), ids)
    probs = logits.softmax(-1).gather(-1, ids)
    return _topk(ids.cpu().numpy(), probs.cpu().numpy())


def pack_ranks(logits: torch.Tensor, k: int) -> torch.Tensor:
    """Argmax and best `k` of each row of `logits` in one tensor, for one copy to the host.

    [rows, 1 + 2 k] int32: the argmax, the ids, and the bits of their probabilities in float32.
    """
    logits = upcast(logits)
    best = logits.topk(min(k, logits.shape[-1]), dim=-1)
    probs = (best.values - logits.logsumexp(-1, keepdim=True)).exp().float()
    first = logits.argmax(-1, keepdim=True)
    ids = _begun_with(first, best.indices)
    return torch.cat((first.int(), ids.int(), probs.view(torch.int32)), -1)


def _begun_with(first: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """`ids` [rows, k], best first, with `first` [rows, 1] in the first place of each row: in half precision several
    tokens may be best, and a target takes the first of them, which is not always the first that a sort finds."""
    return torch.cat((first, torch.where(ids == first, ids[:, :1], ids)[:, 1:]), -1)


def unpack_ranks(packed: npt.NDArray[np.int32], k: int) -> list[TopK]:
    """The best `k` of each row, from what `pack_ranks` returned."""
    ids, bits = np.split(packed[:, 1:], 2, axis=1)
    return _topk(ids[:, :k], np.ascontiguousarray(bits[:, :k]).view(np.float32))


class HostCopy:
    """Brings tensors to the host: one copy into a pinned buffer, one wait for it."""

    def __init__(self) -> None:
        self._host = torch.empty(0, 0)
        self._done: torch.cuda.Event | None = None

    def begin(self, tensor: torch.Tensor) -> Callable[[], npt.NDArray[Any]]:
        """Copy `tensor` [rows, ...] once it is computed. The returned function waits for that; its array is valid until
        the next call."""
        if tensor.device.type != "cuda":
            return tensor.cpu().numpy
        if len(tensor) > len(self._host) or tensor.shape[1:] != self._host.shape[1:]:
            shape = max(len(tensor), BUCKETS[-1]), *tensor.shape[1:]
            self._host = torch.empty(shape, dtype=tensor.dtype, pin_memory=True)
        if self._done is None:
            self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        host, done = self._host[: len(tensor)], self._done
        host.copy_(tensor, non_blocking=True)
        done.record(torch.cuda.current_stream(tensor.device))

        def wait() -> npt.NDArray[Any]:
            done.synchronize()
            return host.numpy()

        return wait


def _topk(ids: npt.NDArray[Any], probs: npt.NDArray[Any]) -> list[TopK]:
    rounded = _round(probs.astype(np.float64)).tolist()
    return [TopK(row, prob) for row, prob in zip(ids.tolist(), rounded, strict=True)]


def _round(probs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`probs` rounded to a few significant digits, which is all that a trace needs."""
    if not np.isfinite(probs).all():
        raise not_finite()
    scale = _SCALES[np.searchsorted(_POWERS, probs, side="right")]
    digits: npt.NDArray[Any] = np.rint(probs * scale) / scale
    return digits
