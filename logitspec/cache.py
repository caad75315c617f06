"""A KV cache written in place, for stock transformers models and for the fast forward.

Each layer owns one buffer. A forward writes its rows behind the verified prefix and sees prefix and
rows as a view; a commit moves the accepted rows together. Nothing else is ever copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

FIRST_ROWS = 1024


class PrefixLayer(CacheLayerMixin):
    """Keys and values of one layer, each [1, heads, rows, head_dim]; `length` rows are verified."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.keys = key_states.new_empty(_rows(key_states, FIRST_ROWS))
        self.values = value_states.new_empty(_rows(value_states, FIRST_ROWS))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new rows behind the prefix; keys and values of prefix and new rows, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[2]
        self.keys = self._write(self.keys, key_states, end)
        self.values = self._write(self.values, value_states, end)
        return self.keys[:, :, :end], self.values[:, :, :end]

    def _write(self, buffer: torch.Tensor, rows: torch.Tensor, end: int) -> torch.Tensor:
        if end > buffer.shape[2]:
            grown = buffer.new_empty(_rows(buffer, max(2 * buffer.shape[2], end)))
            grown[:, :, : self.length] = buffer[:, :, : self.length]
            buffer = grown
        buffer[:, :, self.length : end] = rows
        return buffer

    def keep(self, rows: torch.Tensor) -> None:
        """Move the rows `rows` (ascending, behind the prefix) together behind the prefix."""
        source = rows.to(self.keys.device)
        end = self.length + len(rows)
        self.keys[:, :, self.length : end] = self.keys.index_select(2, source)
        self.values[:, :, self.length : end] = self.values.index_select(2, source)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1

    get_max_cache_shape = get_max_length  # its name before


class PrefixCache(Cache):
    """One `PrefixLayer` per layer of the model, all of the same length."""

    layers: list[PrefixLayer]

    def __init__(self, layers: int) -> None:
        super().__init__(layers=[PrefixLayer() for _ in range(layers)])

    @property
    def length(self) -> int:
        """Verified rows."""
        return self.layers[0].length

    @length.setter
    def length(self, rows: int) -> None:
        for layer in self.layers:
            layer.length = rows

    def keep(self, rows: Sequence[int]) -> None:
        """Move the accepted rows of the last forward together behind the prefix, in every layer."""
        if list(rows) != list(range(len(rows))):
            # Some models share the rows of one layer among several.
            layers = [layer for layer in self.layers if layer.is_initialized]
            source = torch.tensor(rows, device=layers[0].keys.device) + self.length
            for layer in layers:
                layer.keep(source)


def _rows(like: torch.Tensor, rows: int) -> tuple[int, int, int, int]:
    return like.shape[0], like.shape[1], rows, like.shape[3]
