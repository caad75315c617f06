"""Attention masks: which columns of the KV cache each new row attends to.

Column c of the prefix holds position c. The columns of the new rows come after it in the order of the rows,
while their positions follow their depth: siblings share one. So a sliding window counts positions, never
columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from logitspec.runtime.shapes import Rows

FIRST_COLUMNS = 1024


def within_window(
    positions: npt.NDArray[np.integer],
    prefix: int,
    ancestors: npt.NDArray[np.bool_] | None,
    window: int,
) -> npt.NDArray[np.bool_]:
    """[rows, prefix + rows]: the prefix and the ancestors, as far back as `window` positions reach.

    positions: [rows]. ancestors: as in `Forward`. window: includes the row's own position.
    """
    rows = len(positions)
    visible = np.ones((rows, prefix + rows), dtype=bool)
    visible[:, prefix:] = np.tri(rows, dtype=bool) if ancestors is None else ancestors
    position_of = np.concatenate([np.arange(prefix), positions])
    visible &= positions[:, None] - position_of < window
    return visible


def visible_columns(rows: Rows, columns: int, window: int | None = None) -> torch.Tensor:
    """The same for a forward of fixed shape, bool [rows, columns], computed on the device.

    window: None where a row attends to the whole prefix.
    """
    column = torch.arange(columns, device=rows.slots.device)
    prefix = (column < rows.slots[:1]).expand(len(rows.slots), -1)
    visible = prefix.index_copy(1, rows.slots, rows.ancestors)
    if window is None or window >= columns:
        return visible
    position_of = column.index_copy(0, rows.slots, rows.positions)
    return visible & (rows.positions[:, None] - position_of < window)


class TreeMask:
    """Masks over the whole prefix and the ancestors, as views of one buffer.

    Every row attends to the whole prefix, so its columns are written once; a step writes only the
    square of its new rows, whatever the length of the prefix.
    dtype: torch.bool (True: attend), or the dtype of the scores, to which the mask is added (0: attend).
    copies: how many times the rows are repeated, one block below another.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device, copies: int = 1) -> None:
        self._shown: float = True if dtype == torch.bool else 0.0
        self._hidden: float = False if dtype == torch.bool else torch.finfo(dtype).min
        self._copies = copies
        self._prefix = self._rows = 0  # what the buffer has room for
        self._buffer = torch.empty(0, 0, dtype=dtype, device=device)

    def __call__(
        self, prefix: int, rows: int, ancestors: npt.NDArray[np.bool_] | None
    ) -> torch.Tensor:
        """[1, 1, copies * rows, prefix + rows]; valid until the next call. ancestors: as in `Forward`."""
        if ancestors is None:
            # Prompts come in a few large parts, for which no buffer is kept.
            visible = torch.ones(rows, prefix + rows, dtype=torch.bool, device=self._buffer.device)
            return self.encode(visible.tril_(prefix)).repeat(1, 1, self._copies, 1)
        if prefix > self._prefix or rows > self._rows:
            self._grow(prefix, rows)
        columns = slice(self._prefix - prefix, self._prefix + rows)
        mask = self._buffer[: self._copies * rows, columns]
        square = torch.from_numpy(ancestors).to(mask.device).repeat(self._copies, 1)
        mask[:, prefix:] = self.encode(square)[0, 0]
        # CUDA's kernels require the first element of a mask to be aligned.
        return (mask.contiguous() if mask.is_cuda else mask)[None, None]

    def encode(self, visible: torch.Tensor) -> torch.Tensor:
        """[1, 1, ...]: bool `visible` (True: attend) in the dtype of the mask."""
        if self._buffer.dtype == torch.bool:
            return visible[None, None]
        mask = self._buffer.new_full(visible.shape, self._hidden)
        return mask.masked_fill_(visible, self._shown)[None, None]

    def encode_copies(self, visible: torch.Tensor) -> torch.Tensor:
        """`encode` with the rows repeated as often as the mask repeats them."""
        return self.encode(visible.repeat(self._copies, 1))

    def _grow(self, prefix: int, rows: int) -> None:
        if prefix > self._prefix:
            self._prefix = max(2 * self._prefix, prefix, FIRST_COLUMNS)
        self._rows = max(2 * self._rows, rows) if rows > self._rows else self._rows
        shape = self._copies * self._rows, self._prefix + self._rows
        self._buffer = self._buffer.new_full(shape, self._shown)
