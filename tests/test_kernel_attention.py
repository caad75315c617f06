"""Tree attention sums by position: it is near plain attention, and a row's bits are those of the row alone."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
import torch
from support.interpreter import DEVICE

from logitspec.runtime.kernels.attention import Plan, attend, columns_by_position
from logitspec.runtime.operations import Attention, View
from logitspec.runtime.shapes import MOVES, Rows

SETTINGS = {
    "groups": Attention(4, 2, 16, 0.3),
    "no groups": Attention(2, 2, 10, 0.3),
    "window": Attention(4, 2, 8, 0.4, window=12),
    "wide window, cap": Attention(4, 1, 14, 0.5, window=40, score_cap=2.0),
}
DTYPES = {torch.float32: 2e-6, torch.bfloat16: 1e-2, torch.float16: 1e-3}
CASES = pytest.mark.parametrize(
    ("setting", "dtype"), list(product(SETTINGS, DTYPES)), ids=lambda each: str(each)
)
PLAN = Plan(tile=16, block=16, split=32)
PREFIX, COLUMNS = 43, 96  # neither a whole block nor a whole split


class Tree(NamedTuple):
    """parents: the parent of each row; the root is its own. prefix: columns before the rows."""

    parents: list[int]
    prefix: int

    def path(self, row: int) -> list[int]:
        """Its ancestors and itself, root first."""
        above = [row]
        while self.parents[above[0]] != above[0]:
            above.insert(0, self.parents[above[0]])
        return above

    def columns(self, row: int) -> list[int]:
        """By position, the columns that a row attends to."""
        return [*range(self.prefix), *(self.prefix + each for each in self.path(row))]

    def rows(self, size: int) -> Rows:
        """The rows as a forward of fixed shape has them, `size` of them."""
        count = len(self.parents)
        ancestors, positions = np.eye(size, dtype=bool), np.full(size, self.prefix)
        for row in range(count):
            ancestors[row, self.path(row)] = True
            positions[row] = self.prefix + len(self.path(row)) - 1
        slots = torch.arange(self.prefix, self.prefix + size)
        real = torch.arange(size) < count
        tensors = (
            slots * 0,
            torch.from_numpy(positions),
            slots,
            torch.from_numpy(ancestors),
            real.long(),
            torch.full((2, MOVES), self.prefix),
        )
        return Rows(*(each.to(DEVICE) for each in tensors))


class Cached(NamedTuple):
    query: torch.Tensor  # [rows, heads, width]
    keys: torch.Tensor
    values: torch.Tensor


def cached(shape: Attention, dtype: torch.dtype, rows: int) -> Cached:
    """Places that are not written yet are NaN: none of them may enter a sum."""
    generator = torch.Generator().manual_seed(7)
    size = 1, shape.key_heads, COLUMNS, shape.head_dim
    keys, values = torch.full(size, torch.nan), torch.full(size, torch.nan)
    for each in (keys, values):
        written = each[:, :, : PREFIX + rows]
        written.normal_(generator=generator)
    query = torch.randn(rows, shape.heads, shape.head_dim, generator=generator) * 2
    return Cached(*(each.to(DEVICE, dtype) for each in (query, keys, values)))


def computed(
    tree: Tree, given: Cached, shape: Attention, size: int, plan: Plan = PLAN
) -> torch.Tensor:
    rows = tree.rows(size)
    count = len(tree.parents)
    padding = given.query.new_full((size - count, *given.query.shape[1:]), 9.0)
    query = torch.cat((given.query, padding))
    view = View(rows=rows, columns=columns_by_position(rows), reach=COLUMNS)
    result = attend(query, given.keys, given.values, view, shape, plan)
    return result[:count].view(given.query.shape).cpu()


def alone(tree: Tree, row: int, given: Cached, shape: Attention) -> torch.Tensor:
    """One row after its path, laid out as text, as plain decoding has it."""
    columns = tree.columns(row)
    keys, values = (torch.full_like(each, torch.nan) for each in given[1:])
    keys[:, :, : len(columns)] = given.keys[:, :, columns]
    values[:, :, : len(columns)] = given.values[:, :, columns]
    lone = Cached(given.query[row : row + 1], keys, values)
    return computed(Tree([0], len(columns) - 1), lone, shape, 1)[0]


def wanted(tree: Tree, given: Cached, shape: Attention) -> torch.Tensor:
    """Plain attention in float64, row by row and head by head."""
    query, keys, values = (each.double().cpu() for each in given)
    actual = torch.empty_like(query)
    for row, head in product(range(len(query)), range(shape.heads)):
        columns = tree.columns(row)[-(shape.window or COLUMNS) :]
        of = head * shape.key_heads // shape.heads
        scores = keys[0, of, columns] @ query[row, head] * shape.scale
        if shape.score_cap is not None:
            scores = torch.tanh(scores / shape.score_cap) * shape.score_cap
        actual[row, head] = torch.softmax(scores, 0) @ values[0, of, columns]
    return actual


def random_tree(seed: int, rows: int) -> Tree:
    rng = np.random.default_rng(seed)
    return Tree([0, *(int(rng.integers(row)) for row in range(1, rows))], PREFIX)


@CASES
def test_it_is_near_plain_attention(setting: str, dtype: torch.dtype) -> None:
    shape, tree = SETTINGS[setting], random_tree(1, 5)
    given = cached(shape, dtype, 5)
    actual = computed(tree, given, shape, 8)
    assert (actual.double() - wanted(tree, given, shape)).abs().max() < DTYPES[dtype]


@CASES
def test_a_row_has_the_bits_of_the_row_alone(setting: str, dtype: torch.dtype) -> None:
    """Nodes of a path are in any columns of the tree, between others, and cross a block and a split."""
    shape = SETTINGS[setting]
    tree = Tree([0, 0, 1, 0, 2, 4, 4], PREFIX)
    given = cached(shape, dtype, 7)
    result = computed(tree, given, shape, 8)
    for row in (0, 3, 5, 6):
        assert torch.equal(result[row], alone(tree, row, given, shape)), row


def test_a_long_chain_over_many_blocks_has_the_bits_of_its_rows_alone() -> None:
    shape = SETTINGS["window"]
    tree = Tree([0, *range(25)], PREFIX)
    given = cached(shape, torch.bfloat16, 26)
    result = computed(tree, given, shape, 32)
    for row in (2, 4, 5, 20, 21, 25):  # up to positions 45, 47, 48, 63, 64 and 68
        assert torch.equal(result[row], alone(tree, row, given, shape)), row


@pytest.mark.parametrize("plan", [Plan(16, 16, 16), Plan(16, 32, 64), Plan(32, 16, 96)], ids=str)
def test_every_plan_is_near_plain_attention(plan: Plan) -> None:
    shape, tree = SETTINGS["groups"], random_tree(3, 9)
    given = cached(shape, torch.float32, 9)
    actual = computed(tree, given, shape, 9, plan)
    assert (actual.double() - wanted(tree, given, shape)).abs().max() < DTYPES[torch.float32]
