"""The few fixed shapes that forwards over trees are padded to, and what a forward of fixed shape reads."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import torch

BUCKETS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128)
PIECE = 64
EXACT_SIZES = (PIECE, 2 * PIECE)
"""Products take PIECE rows at a time, so that they reduce in one order whatever else is in the forward."""

MIN_COLUMNS = 256
MOVES = 32
"""Rows of the KV cache that the next forward can move; a longer path is moved immediately."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a forward of fixed shape reads, on its device; all numbers are int64.

    tokens: ids [rows]. positions: [rows]. slots: [rows], the columns of the KV cache that take the
    keys and values of the rows; the first of them is the length of the prefix. ancestors: bool
    [rows, rows], which of the rows each attends to, itself included. All rows attend to the prefix. real:
    [rows], 1 for rows of the tree and 0 for padding rows, which come last. moved: [2, MOVES], columns of the KV cache
    and the columns that they move to before the forward.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    slots: torch.Tensor
    ancestors: torch.Tensor
    real: torch.Tensor
    moved: torch.Tensor


def bucket_for(rows: int, sizes: Sequence[int] = BUCKETS) -> int:
    """The smallest of `sizes` with room for `rows` rows."""
    return sizes[bisect_left(sizes, rows)]


def columns_for(rows: int) -> int:
    """Columns to attend to where the KV cache holds `rows` rows: a power of two or three quarters of
    one, so that few shapes are captured and less than half of the columns are padding."""
    power = 1 << (rows - 1).bit_length()
    return max(MIN_COLUMNS, 3 * power // 4 if 4 * rows <= 3 * power else power)
