"""Forwards over draft trees in a few fixed shapes, each captured once and then replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from logitspec.runtime.forward import Forward
from logitspec.runtime.graphs import Capture, CapturedFunction
from logitspec.runtime.shapes import BUCKETS, Rows, bucket_for, columns_for

EXPECTED_ROWS = 512


class ReplayedForward:
    """`forward` over trees of up to MAX_ROWS nodes, by replaying what `capture` has captured.

    ranks: how many of the best tokens after each node come with the logits. sizes: the row counts that are
    captured, up to MAX_ROWS.
    """

    MAX_ROWS = BUCKETS[-1]

    def __init__(
        self,
        forward: Forward,
        device: torch.device,
        capture: Capture,
        ranks: int,
        sizes: Sequence[int] = BUCKETS,
    ) -> None:
        self.capture, self.sizes = capture, sizes
        self._forward = forward
        self._ranks = ranks
        self._function = CapturedFunction(self._compute, device, capture, sizes)
        self._generation = forward.cache.generation
        forward.cache.leaves_moves = True

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[np.integer],
        ancestors: npt.NDArray[np.bool_],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [nodes, vocabulary] and their `pack_ranks`, both valid until the next call.

        The arguments are those of `Forward`. Raises CaptureError if the forward can't be captured.
        """
        prefix = self._forward.cache.length
        self._make_room(columns_for(prefix + bucket_for(len(tokens), self.sizes)))
        if not self._function.is_captured(len(tokens), prefix):
            self._forward.cache.settle()  # a capture also runs the forward, which would move twice
        moves = self._forward.cache.take_moves()
        logits, packed = self._function(tokens, prefix + depths, prefix, ancestors, moves)
        return logits, packed

    @property
    def repeat(self) -> Callable[[], object]:
        """Runs the last forward once more, on the same inputs, for timing."""
        return self._function.repeat

    def reserve(self, rows: int, more: int, limit: int) -> None:
        """Make room and captures for a text of `rows` tokens and a few hundred of the `more` that may
        follow, so that no step has to. limit: positions that the model can hold: a capture runs the forward, and on a
        GPU a position that a table lacks would end all work of the process. Raises CaptureError."""
        last = columns_for(min(rows + min(more, EXPECTED_ROWS), limit) + self.MAX_ROWS)
        self._make_room(last)
        for columns in sorted({columns_for(each) for each in range(rows + 1, last + 1)}):
            self._function.prepare(max(0, min(columns - self.MAX_ROWS, limit - 1)))

    def _make_room(self, rows: int) -> None:
        """Grow the cache's buffers before the forward would, and drop the captures if the buffers moved."""
        cache = self._forward.cache
        cache.reserve(rows)
        if cache.generation != self._generation:
            self._function.forget()
            self._generation = cache.generation

    def _compute(self, rows: Rows, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        self._forward.cache.move(rows.moved)
        logits = self._forward.fixed(rows, columns)
        return logits, self._forward.operations.pack_ranks(logits, self._ranks)
