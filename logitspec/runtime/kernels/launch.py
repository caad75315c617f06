"""How kernels are started, and the numbers in them: sums in float32, whatever the dtype in memory.

Triton's interpreter, which runs kernels on a CPU for the tests, multiplies no bfloat16 and rounds towards
zero where a GPU rounds to the nearest; `interpreted` has kernels do there what a GPU does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import triton
import triton.language as tl

INTERPRETED = triton.knobs.runtime.interpret
_compiling: ContextVar[bool] = ContextVar("compiling", default=False)


@contextmanager
def compiling() -> Iterator[None]:
    """Within this, and in this thread, `launch` compiles and runs nothing."""
    token = _compiling.set(True)
    try:
        yield
    finally:
        _compiling.reset(token)


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    """Run a program of `kernel` for each place of `grid`."""
    if _compiling.get():
        kernel.warmup(*arguments, grid=grid, **options)
    else:
        kernel[grid](*arguments, **options)


@triton.jit
def rounded(tile, dtype: tl.constexpr, interpreted: tl.constexpr):
    """float32 `tile` in `dtype`, rounded to the nearest, ties to even."""
    if interpreted and dtype == tl.bfloat16:
        bits = tile.to(tl.uint32, bitcast=True)
        bits += 0x7FFF + ((bits >> 16) & 1)
        return (bits >> 16).to(tl.uint16).to(tl.bfloat16, bitcast=True)
    return tile.to(dtype)
