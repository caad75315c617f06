"""Numbers in kernels: sums in float32, whatever the dtype in memory.

Triton's interpreter, which runs kernels on a CPU for the tests, multiplies no bfloat16 and rounds towards
zero where a GPU rounds to the nearest; `interpreted` has kernels do there what a GPU does.
"""

from __future__ import annotations

import triton
import triton.language as tl

INTERPRETED = triton.knobs.runtime.interpret


@triton.jit
def rounded(tile, dtype: tl.constexpr, interpreted: tl.constexpr):
    """float32 `tile` in `dtype`, rounded to the nearest, ties to even."""
    if interpreted and dtype == tl.bfloat16:
        bits = tile.to(tl.uint32, bitcast=True)
        bits += 0x7FFF + ((bits >> 16) & 1)
        return (bits >> 16).to(tl.uint16).to(tl.bfloat16, bitcast=True)
    return tile.to(dtype)
