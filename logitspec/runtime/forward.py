"""The seam between a runner and its model: logits for new tokens after a verified prefix.

`StockForward` asks the transformers model for them; `fast.py` computes them itself for the families of
`families.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from logitspec.runtime.cache import PrefixCache
from logitspec.runtime.masks import TreeMask, visible_columns, within_window
from logitspec.runtime.operations import PLAIN, Operations
from logitspec.runtime.shapes import Rows


class Forward(Protocol):
    """One pass over new rows, which writes their keys and values after the prefix of `cache`. operations:
    those that passes of fixed shape use."""

    cache: PrefixCache
    operations: Operations

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[np.integer],
        ancestors: npt.NDArray[np.bool_] | None,
        rows: int,
    ) -> torch.Tensor:
        """Logits [rows, vocabulary] of the last `rows` of `tokens`.

        depths: [tokens], each token's position counted from the end of the prefix. ancestors:
        [tokens, tokens], which of the tokens each attends to, itself included; None for a chain, where
        each attends to those before it.
        """
        ...

    def fixed(self, rows: Rows, columns: int) -> torch.Tensor:
        """Logits [rows, vocabulary] of all of `rows`, attending to the first `columns` columns.

        Whatever differs between calls of one shape is read from the tensors of `rows`, on the device.
        """
        ...


class StockForward:
    """The forward of the transformers model, for any attention-only model.

    windows: by layer type, how many positions a row attends to, itself included (None: all).
    """

    operations = PLAIN

    def __init__(self, model: Any, windows: dict[str, int | None]) -> None:
        self.cache = PrefixCache(model.config.get_text_config().num_hidden_layers)
        self._model = model
        self._windows = windows
        self._device = model.get_input_embeddings().weight.device
        # Eager attention adds its mask to the scores; the others take True for "attend".
        additive = model.config._attn_implementation == "eager"
        self._mask = TreeMask(model.dtype if additive else torch.bool, self._device)

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[np.integer],
        ancestors: npt.NDArray[np.bool_] | None,
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
            kind: self._mask.encode(visible_columns(rows, columns, window))
            for kind, window in self._windows.items()
        }
        with self.cache.fixed(rows.slots, columns):
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
        self,
        positions: npt.NDArray[np.integer],
        ancestors: npt.NDArray[np.bool_] | None,
        window: int,
    ) -> torch.Tensor:
        visible = within_window(positions, self.cache.length, ancestors, window)
        return self._mask.encode(torch.from_numpy(visible).to(self._device))
