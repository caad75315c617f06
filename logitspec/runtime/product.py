"""Products with fixed weights, each computed in the form that is fastest for its number of rows.

    packed      by oneDNN, from a copy of the weight in oneDNN's own layout, which takes as much memory again
    padded      the same, padded with zeros to four rows, which may take less time than two
    plain       F.linear
    transposed  the weight times the rows as columns: where the weight is not packed, two to four rows may take
                half as long as in the plain form, which is slower over two rows than over eight

The fastest form depends on processor, shape and dtype, so it is measured, once for all products of one shape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from math import inf
from statistics import median
from time import perf_counter

import torch
import torch.nn.functional as F

from logitspec.runtime.shapes import BUCKETS, PIECE

PACKABLE = (torch.float32, torch.bfloat16)
ROWS = (1, 2, 4, 8, 16, 32)
FEW_ROWS = 4
SECONDS = 0.01  # for each shape and number of rows, unless MIN_ROUNDS take longer
MIN_ROUNDS, MAX_ROUNDS = 3, 20
MAX_SECONDS = 2.0  # for all shapes; those not timed by then keep their usual form

Form = Callable[["Product", torch.Tensor], torch.Tensor]


def plain(product: Product, rows: torch.Tensor) -> torch.Tensor:
    return F.linear(rows, product.weight, product.bias)


def in_pieces(product: Product, rows: torch.Tensor) -> torch.Tensor:
    """Plain, at most PIECE rows at a time where a tree has more, so that a row's sums are always the same."""
    if not PIECE < len(rows) <= BUCKETS[-1]:
        return plain(product, rows)
    return torch.cat([plain(product, piece) for piece in torch.split(rows, PIECE)])


def transposed(product: Product, rows: torch.Tensor) -> torch.Tensor:
    if product.bias is None:
        return torch.mm(product.weight, rows.t()).t().contiguous()
    return torch.addmm(product.bias[:, None], product.weight, rows.t()).t().contiguous()


def packed(product: Product, rows: torch.Tensor) -> torch.Tensor:
    return torch.ops.mkldnn._linear_pointwise(rows, product.copy, product.bias, "none", [], "")  # type: ignore[no-any-return]


def padded(product: Product, rows: torch.Tensor) -> torch.Tensor:
    missing = FEW_ROWS - len(rows)
    return (
        packed(product, F.pad(rows, (0, 0, 0, missing)))[: len(rows)]
        if missing > 0
        else packed(product, rows)
    )


FOR_FEW_ROWS = (padded, transposed)


class Product:
    """rows [n, inputs] -> [n, outputs] by a weight [outputs, inputs] and a bias [outputs] or None.

    copy: the weight in the layout of `packed`, or None; it doesn't follow later changes of the weight.
    forms: indexed by the number of rows, from 0; the last is for all larger numbers.
    """

    PLAIN: Sequence[Form] = (plain,)

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        self.weight, self.bias = weight, bias
        self.copy: torch.Tensor | None = None
        self.forms = self.PLAIN

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return self.forms[min(len(rows), len(self.forms) - 1)](self, rows)

    @property
    def bytes(self) -> int:
        """Memory that the weight takes; a packed copy takes as much again."""
        return self.weight.numel() * self.weight.element_size()

    def pack(self) -> bool:
        """Compute from a packed copy from now on; False if that can't be done."""
        if self.weight.dtype not in PACKABLE or self.weight.device.type != "cpu":
            return False
        try:
            with torch.inference_mode():
                self.copy = torch.ops.mkldnn._reorder_linear_weight(self.weight)
                packed(self, self.weight.new_zeros(1, self.weight.shape[1]))
        except (RuntimeError, NotImplementedError, AttributeError):
            self.unpack()
            return False
        self.forms = (packed,)
        return True

    def unpack(self) -> None:
        """Compute from the weight itself again."""
        self.copy, self.forms = None, self.PLAIN


def choose_forms(products: Sequence[Product], room: int) -> None:
    """Compute each of `products` that is on a CPU in its fastest forms from now on.

    room: bytes that packed copies may take in total.
    """
    until = perf_counter() + MAX_SECONDS
    for product in products:
        if product.bytes <= room and product.pack():
            room -= product.bytes
    for alike in _alike(products):
        if perf_counter() > until:
            return
        forms = fastest_forms(_timed(alike))
        for product in alike:
            if packed not in forms:
                product.unpack()
            product.forms = forms


def fastest_forms(seconds: Mapping[Form, Sequence[Sequence[float]]]) -> list[Form]:
    """The fastest form for each number of rows from 0 to ROWS[-1].

    seconds: for each form, the usual one first, the times of several calls at each of ROWS. Times in
    between are interpolated linearly. Another form's median must beat the usual one's best time: load on
    the machine makes calls longer, and rounding should not change with load.
    """
    usual, *others = seconds
    best = [min(times) for times in seconds[usual]]
    typical = {form: [median(times) for times in seconds[form]] for form in others}
    forms = []
    for rows in range(ROWS[-1] + 1):
        time_of = {form: _between(rows, times) for form, times in typical.items()}
        forms.append(min([usual, *others], key=(time_of | {usual: _between(rows, best)}).get))  # type: ignore[arg-type]
    return forms


def _between(rows: int, times: Sequence[float]) -> float:
    right = bisect_left(ROWS, rows)
    if right == 0 or ROWS[right] == rows:
        return times[right]
    share = (rows - ROWS[right - 1]) / (ROWS[right] - ROWS[right - 1])
    return times[right - 1] + share * (times[right] - times[right - 1])


def _alike(products: Sequence[Product]) -> Iterator[list[Product]]:
    """The products on a CPU, grouped so that those of a group take the same time."""
    groups: dict[object, list[Product]] = {}
    for product in products:
        weight = product.weight
        if weight.device.type == "cpu":
            kind = weight.shape, weight.dtype, product.bias is None, product.copy is None
            groups.setdefault(kind, []).append(product)
    yield from groups.values()


@torch.inference_mode()
def _timed(products: Sequence[Product]) -> dict[Form, list[list[float]]]:
    """Seconds of the forms that all of `products` can take, as `fastest_forms` expects them."""
    open_ = [plain, transposed] if products[0].copy is None else [packed, padded, plain]
    seconds: dict[Form, list[list[float]]] = {form: [] for form in open_}
    # Each call takes the next product, so that weights come from memory and not from a cache, as in a forward.
    following = cycle(products)
    for rows in ROWS:
        given = products[0].weight.new_ones(rows, products[0].weight.shape[1])
        forms = [form for form in open_ if rows <= FEW_ROWS or form not in FOR_FEW_ROWS]
        for form in open_:
            seconds[form].append([] if form in forms else [inf])
        for form in forms:
            form(next(following), given)  # prepares the kernel
        until = perf_counter() + SECONDS
        for done in range(MAX_ROUNDS):  # interleaved, so that another program's load affects all
            if done >= MIN_ROUNDS and perf_counter() > until:
                break
            for form in forms:
                product = next(following)
                started = perf_counter()
                form(product, given)
                seconds[form][-1].append(perf_counter() - started)
    return seconds
