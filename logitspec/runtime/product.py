"""Products with fixed weights, on a CPU from a packed copy of them.

For a few rows oneDNN takes a half to two thirds of the time from weights in a layout of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

MAX_PACKED_BYTES = 2**29  # the copy comes on top of the model's own weights
PACKABLE = (torch.float32, torch.bfloat16)


class Product:
    """rows [n, inputs] -> [n, outputs] by a weight [outputs, inputs] and a bias [outputs] or None."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        self.weight, self.bias = weight, bias
        self._packed: torch.Tensor | None = None

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        if self._packed is None:
            return F.linear(rows, self.weight, self.bias)
        return torch.ops.mkldnn._linear_pointwise(rows, self._packed, self.bias, "none", [], "")  # type: ignore[no-any-return]

    @property
    def packed(self) -> bool:
        """Whether products are computed from a packed copy."""
        return self._packed is not None

    def pack(self) -> None:
        """Compute from a packed copy from now on; it doesn't follow later changes of the weight."""
        self._packed = torch.ops.mkldnn._reorder_linear_weight(self.weight)

    def unpack(self) -> None:
        """Compute from the weight itself again."""
        self._packed = None


def pack(products: Sequence[Product]) -> bool:
    """Pack all products where that is faster and the copies are not too large; False where it is not done."""
    weights = [product.weight for product in products]
    size = sum(math.prod(weight.shape) * weight.element_size() for weight in weights)
    fits = size <= MAX_PACKED_BYTES and all(weight.dtype in PACKABLE for weight in weights)
    if not (fits and all(weight.device.type == "cpu" for weight in weights)):
        return False
    try:
        with torch.inference_mode():
            for product in products:
                product.pack()
                product(product.weight.new_zeros(1, product.weight.shape[1]))
    except (RuntimeError, NotImplementedError, AttributeError):
        for product in products:
            product.unpack()
        return False
    return True
