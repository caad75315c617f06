"""The seam between a runner and its model: logits for tokens behind a verified prefix.

`StockForward` asks the transformers model for them; `llama.py` has a faster one for some models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from logitspec.runtime.cache import PrefixCache
from logitspec.runtime.graphs import Rows

FIRST_COLUMNS = 1024


class Forward(Protocol):
    """One pass over new rows, whose keys and values land behind the prefix of its cache."""

    cache: PrefixCache

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[Any],
        ancestors: npt.NDArray[Any] | None,
        rows: int,
    ) -> torch.Tensor:
        """Logits [rows, vocabulary] of the last `rows` of `tokens`.

        depths: each token's position, counted from the end of the prefix. ancestors: [tokens, tokens],
        which of the tokens each attends to, itself included; None: a chain, each sees those before it.
        """
        ...

    def fixed(self, rows: Rows, columns: int) -> torch.Tensor:
        """Logits [rows, vocabulary] of all of `rows`, with `columns` columns of the cache in sight.

        All that differs between calls of one shape is read from the tensors of `rows`, on the device.
        """
        ...


class StockForward:
    """The model's own forward: any transformers model with attention only.

    windows: per layer type of the model the positions that a row sees back, itself included (None: all).
    """

    def __init__(self, model: Any, windows: dict[str, int | None]) -> None:
        self.cache = PrefixCache(model.config.get_text_config().num_hidden_layers)
        self._model = model
        self._windows = windows
        self._device = model.get_input_embeddings().weight.device
        # Eager attention adds its mask to the scores; the others take True for "may look".
        additive = model.config._attn_implementation == "eager"
        self._mask = TreeMask(model.dtype if additive else torch.bool, self._device)

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[Any],
        ancestors: npt.NDArray[Any] | None,
        rows: int,
    ) -> torch.Tensor:
        positions = self.cache.length + depths
        masks = {
            kind: self._mask(self.cache.length, len(tokens), ancestors)
            if window is None
            else self._windowed(positions, ancestors, window)
            for kind, window in self._windows.items()
        }
        ids = torch.tensor(tokens, device=self._device)
        return self._logits(ids, torch.from_numpy(positions).to(self._device), masks, rows)

    def fixed(self, rows: Rows, columns: int) -> torch.Tensor:
        masks = {
            kind: self._mask.of(seen(rows, columns, window))
            for kind, window in self._windows.items()
        }
        with self.cache.fixed(rows.places, columns):
            return self._logits(rows.tokens, rows.positions, masks, len(rows.tokens))

    def _logits(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        masks: dict[str, torch.Tensor],
        rows: int,
    ) -> torch.Tensor:
        output = self._model(
            input_ids=tokens[None],
            position_ids=positions[None],
            attention_mask=masks if len(masks) > 1 else next(iter(masks.values())),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=rows,
        )
        logits: torch.Tensor = output.logits[0]
        return logits

    def _windowed(
        self, positions: npt.NDArray[Any], ancestors: npt.NDArray[Any] | None, window: int
    ) -> torch.Tensor:
        """[1, 1, rows, prefix + rows]: prefix and ancestors, as far as the window reaches."""
        rows, prefix = len(positions), self.cache.length
        seen = np.ones((rows, prefix + rows), dtype=bool)
        seen[:, prefix:] = np.tri(rows, dtype=bool) if ancestors is None else ancestors
        at = np.concatenate([np.arange(prefix), positions])
        seen &= positions[:, None] - at < window
        return self._mask.of(torch.from_numpy(seen).to(self._device))


def seen(rows: Rows, columns: int, window: int | None = None) -> torch.Tensor:
    """[rows, columns]: which columns of the cache each row attends to; see `Rows`.

    window: the positions that a row sees back, itself included (None: all).
    """
    at = torch.arange(columns, device=rows.places.device)
    prefix = (at < rows.places[:1]).expand(len(rows.places), -1)
    found = prefix.index_copy(1, rows.places, rows.ancestors)
    if window is None:
        return found
    at = at.index_copy(0, rows.places, rows.positions)
    return found & (rows.positions[:, None] - at < window)


class TreeMask:
    """What each new row attends to: all of the prefix, and its ancestors. A view of one buffer.

    Every row sees the whole prefix, so the buffer has it on the left, as columns that are written once;
    a step writes only the square of its new rows, whatever the length of the prefix.
    dtype: torch.bool (True: seen), or that of scores, to which the mask is added (0: seen).
    copies: how often the rows stand under one another.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device, copies: int = 1) -> None:
        self._seen: float = True if dtype == torch.bool else 0.0
        self._hidden: float = False if dtype == torch.bool else torch.finfo(dtype).min
        self._copies = copies
        self._prefix = self._rows = 0  # that the buffer has room for
        self._buffer = torch.empty(0, 0, dtype=dtype, device=device)

    def __call__(self, prefix: int, rows: int, ancestors: npt.NDArray[Any] | None) -> torch.Tensor:
        """[1, 1, copies * rows, prefix + rows], as in `Forward`; good until the next call."""
        if ancestors is None:
            # Prompts come in few and large parts: no buffer is kept for those.
            seen = torch.ones(rows, prefix + rows, dtype=torch.bool, device=self._buffer.device)
            return self.of(seen.tril_(prefix)).repeat(1, 1, self._copies, 1)
        if prefix > self._prefix or rows > self._rows:
            self._grow(prefix, rows)
        columns = slice(self._prefix - prefix, self._prefix + rows)
        mask = self._buffer[: self._copies * rows, columns]
        square = torch.from_numpy(ancestors).to(mask.device).repeat(self._copies, 1)
        mask[:, prefix:] = self.of(square)[0, 0]
        # CUDA's kernels want the first element of a mask aligned.
        return (mask.contiguous() if mask.is_cuda else mask)[None, None]

    def of(self, seen: torch.Tensor) -> torch.Tensor:
        """[1, 1, ...]: `seen` (True: seen) in the mask's own terms."""
        if self._buffer.dtype == torch.bool:
            return seen[None, None]
        mask = self._buffer.new_full(seen.shape, self._hidden)
        return mask.masked_fill_(seen, self._seen)[None, None]

    def _grow(self, prefix: int, rows: int) -> None:
        if prefix > self._prefix:
            self._prefix = max(2 * self._prefix, prefix, FIRST_COLUMNS)
        self._rows = max(2 * self._rows, rows) if rows > self._rows else self._rows
        shape = self._copies * self._rows, self._prefix + self._rows
        self._buffer = self._buffer.new_full(shape, self._seen)
