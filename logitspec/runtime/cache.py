"""A KV cache written in place, for stock transformers models and for the fast forward.

Each layer owns one buffer. A forward writes its rows after the verified prefix and attends to prefix and
rows through a view; a commit compacts the accepted rows. Nothing else is ever copied. A forward of fixed
shape writes to slots that a tensor names, and attends to a fixed number of columns (`fixed`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

from logitspec.runtime.shapes import MOVES

FIRST_ROWS = 1024


class PrefixLayer(CacheLayerMixin):
    """Keys and values of one layer, each [1, heads, rows, head_dim]; `length` rows are verified."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.length = 0
        self.slots: torch.Tensor | None = None
        self.columns = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.keys = key_states.new_empty(_shape(key_states, FIRST_ROWS))
        self.values = value_states.new_empty(_shape(value_states, FIRST_ROWS))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new rows after the prefix; returns keys and values of prefix and new rows, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if self.slots is not None:
            self.keys.index_copy_(2, self.slots, key_states)
            self.values.index_copy_(2, self.slots, value_states)
            return self.keys[:, :, : self.columns], self.values[:, :, : self.columns]
        end = self.length + key_states.shape[2]
        self.keys = self._write(self.keys, key_states, end)
        self.values = self._write(self.values, value_states, end)
        return self.keys[:, :, :end], self.values[:, :, :end]

    def _write(self, buffer: torch.Tensor, rows: torch.Tensor, end: int) -> torch.Tensor:
        if end > buffer.shape[2]:
            larger = buffer.new_empty(_shape(buffer, max(2 * buffer.shape[2], end)))
            larger[:, :, : self.length] = buffer[:, :, : self.length]
            buffer = larger
        buffer[:, :, self.length : end] = rows
        return buffer

    def move(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Copy the verified rows into these buffers, and use these from now on."""
        for new, old in ((keys, self.keys), (values, self.values)):
            new[:, :, : self.length] = old[:, :, : self.length]
        self.keys, self.values = keys, values

    def gather(self, rows: torch.Tensor, first: int) -> None:
        """Compact the rows `rows` (ascending), so that they begin at `first`."""
        source = rows.to(self.keys.device)
        end = first + len(rows)
        self.keys[:, :, first:end] = self.keys.index_select(2, source)
        self.values[:, :, first:end] = self.values.index_select(2, source)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length if self.slots is None else self.columns, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1

    get_max_cache_shape = get_max_length  # its name in earlier releases of transformers


class PrefixCache(Cache):
    """One `PrefixLayer` per layer of the model, all of the same length.

    generation: how many times `reserve` has moved the buffers; a captured graph is valid for one generation.
    leaves_moves: whether the moves of `gather` may wait for the next forward of fixed shape.
    """

    layers: list[PrefixLayer]

    def __init__(self, layers: int) -> None:
        super().__init__(layers=[PrefixLayer() for _ in range(layers)])
        self.generation = 0
        self.leaves_moves = False
        self._moves: tuple[list[int], int] = [], 0
        self._reserved = 0
        self._whole: torch.Tensor | None = None  # [2, layers, 1, heads, rows, head_dim]

    @property
    def length(self) -> int:
        """Number of verified rows."""
        return self.layers[0].length

    @length.setter
    def length(self, rows: int) -> None:
        for layer in self.layers:
            layer.length = rows

    @property
    def has_buffers(self) -> bool:
        """False before the first forward, as the shapes of keys and values are unknown until then."""
        return bool(self._used())

    def gather(self, rows: Sequence[int]) -> None:
        """Compact the accepted rows of the last forward after the prefix, in every layer: now, or in the next
        forward, which gets the moves from `take_moves`."""
        stay = next((place for place, row in enumerate(rows) if place != row), len(rows))
        if stay == len(rows):
            return
        self._moves = [self.length + row for row in rows[stay:]], self.length + stay
        if not self.leaves_moves or self._whole is None or len(rows) - stay > MOVES:
            self.settle()

    def take_moves(self) -> tuple[list[int], int]:
        """Columns still to be moved, and the first column that they move to, for a caller that moves them now."""
        moves, self._moves = self._moves, ([], 0)
        return moves

    def settle(self) -> None:
        """Make the moves that `gather` has left for later."""
        sources, target = self.take_moves()
        if not sources:
            return
        layers = self._used()
        source = _send(sources, layers[0].keys.device)
        if self._whole is not None:
            self._whole[..., target : target + len(sources), :] = self._whole.index_select(
                -2, source
            )
            return
        for layer in layers:
            layer.gather(source, target)

    def move(self, moved: torch.Tensor) -> None:
        """The same on the device, from `Rows.moved`."""
        if self._whole is not None:
            self._whole.index_copy_(-2, moved[1], self._whole.index_select(-2, moved[0]))

    def begin(self, rows: int) -> None:
        """Forget the text, and get ready for one of `rows` rows."""
        self.length = 0
        self.take_moves()
        self.make_room(rows)
        if self._reserved:
            self.reset()  # a NaN would pass through any mask: 0 times NaN is NaN

    def make_room(self, rows: int) -> None:
        """Make buffers that `reserve` has set up large enough for `rows` rows; others grow as they are
        written."""
        if self._reserved:
            self.reserve(rows)

    def reserve(self, rows: int) -> None:
        """Make sure that `rows` rows fit, and that none holds a NaN.

        Layers that all have one shape then share one buffer, so that a commit takes two operations
        whatever their number. Before the first forward there is nothing to reserve.
        """
        layers = self._used()
        if not layers or rows <= self._reserved:
            return
        self.settle()
        size, whole = max(1 << (rows - 1).bit_length(), FIRST_ROWS), None
        shapes = {(each.shape[:2], each.shape[3], each.dtype) for each in _keys_and_values(layers)}
        if len(shapes) == 1:
            shape = _shape(layers[0].keys, size)
            whole = layers[0].keys.new_zeros(2, len(layers), *shape)
            parts = list(zip(*whole, strict=True))
        else:
            parts = [
                (
                    each.keys.new_zeros(_shape(each.keys, size)),
                    each.values.new_zeros(_shape(each.values, size)),
                )
                for each in layers
            ]
        # Only now: where the memory is full, the cache keeps the buffers that it has, and knows their size.
        self._reserved, self._whole = size, whole
        self.generation += 1
        for layer, (keys, values) in zip(layers, parts, strict=True):
            layer.move(keys, values)

    @contextmanager
    def fixed(self, slots: torch.Tensor, columns: int) -> Iterator[None]:
        """Inside this context, forwards write their rows to `slots` [rows] and attend to the first `columns`
        columns."""
        self._set(slots, columns)
        try:
            yield
        finally:
            self._set(None, 0)

    def _set(self, slots: torch.Tensor | None, columns: int) -> None:
        for layer in self.layers:
            layer.slots, layer.columns = slots, columns

    def _used(self) -> list[PrefixLayer]:
        """Layers with buffers of their own: some models share the rows of one layer among several."""
        return [layer for layer in self.layers if layer.is_initialized]


def _keys_and_values(layers: Sequence[PrefixLayer]) -> Iterator[torch.Tensor]:
    for layer in layers:
        yield layer.keys
        yield layer.values


def _send(numbers: Sequence[int], device: torch.device) -> torch.Tensor:
    """`numbers` on `device`, without waiting for its current work."""
    tensor = torch.tensor(numbers)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _shape(like: torch.Tensor, rows: int) -> tuple[int, int, int, int]:
    return like.shape[0], like.shape[1], rows, like.shape[3]
