"""A KV cache written in place, for stock transformers models and for the fast forward.

Each layer owns one buffer. A forward writes its rows behind the verified prefix and sees prefix and
rows as a view; a commit moves the accepted rows together. Nothing else is ever copied. A forward of fixed
shape writes and sees places that tensors and not integers tell (`fixed`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
        self.places: torch.Tensor | None = None
        self.columns = 0

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
        if self.places is not None:
            self.keys.index_copy_(2, self.places, key_states)
            self.values.index_copy_(2, self.places, value_states)
            return self.keys[:, :, : self.columns], self.values[:, :, : self.columns]
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

    def move(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Go on in these buffers, with the verified rows."""
        for new, old in ((keys, self.keys), (values, self.values)):
            new[:, :, : self.length] = old[:, :, : self.length]
        self.keys, self.values = keys, values

    def keep(self, rows: torch.Tensor) -> None:
        """Move the rows `rows` (ascending, behind the prefix) together behind the prefix."""
        source = rows.to(self.keys.device)
        end = self.length + len(rows)
        self.keys[:, :, self.length : end] = self.keys.index_select(2, source)
        self.values[:, :, self.length : end] = self.values.index_select(2, source)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length if self.places is None else self.columns, 0

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
        self._reserved = 0
        self._whole: torch.Tensor | None = None  # [2, layers, 1, heads, rows, head_dim]

    @property
    def length(self) -> int:
        """Verified rows."""
        return self.layers[0].length

    @length.setter
    def length(self, rows: int) -> None:
        for layer in self.layers:
            layer.length = rows

    @property
    def begun(self) -> bool:
        """Whether a forward has been: before it there are no buffers, as nobody knows their shapes."""
        return bool(self._used())

    def keep(self, rows: Sequence[int]) -> None:
        """Move the accepted rows of the last forward together behind the prefix, in every layer."""
        if list(rows) == list(range(len(rows))):
            return
        layers = self._used()
        source = _sent([self.length + row for row in rows], layers[0].keys.device)
        if self._whole is not None:
            moved = self._whole.index_select(-2, source)
            self._whole[..., self.length : self.length + len(rows), :] = moved
            return
        for layer in layers:
            layer.keep(source)

    def reserve(self, rows: int) -> bool:
        """See to it that `rows` rows fit, and that each is a number; whether buffers have moved for it.

        Layers of one shape then share one buffer, so that a commit is two operations whatever their
        number. Before the first forward there is nothing to reserve yet.
        """
        layers = self._used()
        if not layers or rows <= self._reserved:
            return False
        self._reserved = max(1 << (rows - 1).bit_length(), FIRST_ROWS)
        kinds = {(each.shape[:2], each.shape[3], each.dtype) for each in _pairs(layers)}
        if len(kinds) == 1:
            shape = _rows(layers[0].keys, self._reserved)
            self._whole = layers[0].keys.new_zeros(2, len(layers), *shape)
            parts = list(zip(*self._whole, strict=True))
        else:
            parts = [
                (
                    each.keys.new_zeros(_rows(each.keys, self._reserved)),
                    each.values.new_zeros(_rows(each.values, self._reserved)),
                )
                for each in layers
            ]
        for layer, (keys, values) in zip(layers, parts, strict=True):
            layer.move(keys, values)
        return True

    @contextmanager
    def fixed(self, places: torch.Tensor, columns: int) -> Iterator[None]:
        """Meanwhile forwards write their rows to `places` [rows] and see the first `columns` columns."""
        self._set(places, columns)
        try:
            yield
        finally:
            self._set(None, 0)

    def _set(self, places: torch.Tensor | None, columns: int) -> None:
        for layer in self.layers:
            layer.places, layer.columns = places, columns

    def _used(self) -> list[PrefixLayer]:
        """Some models share the rows of one layer among several."""
        return [layer for layer in self.layers if layer.is_initialized]


def _pairs(layers: Sequence[PrefixLayer]) -> Iterator[torch.Tensor]:
    for layer in layers:
        yield layer.keys
        yield layer.values


def _sent(numbers: Sequence[int], device: torch.device) -> torch.Tensor:
    """`numbers` on `device`, without a wait for what it is doing."""
    made = torch.tensor(numbers)
    return (
        made.pin_memory().to(device, non_blocking=True)
        if device.type == "cuda"
        else made.to(device)
    )


def _rows(like: torch.Tensor, rows: int) -> tuple[int, int, int, int]:
    return like.shape[0], like.shape[1], rows, like.shape[3]
