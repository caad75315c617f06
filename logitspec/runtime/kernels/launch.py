"""How kernels are launched, and how they compute: sums in float32, whatever the dtype in memory.

Triton's interpreter, which runs kernels on a CPU for the tests, cannot multiply bfloat16 and rounds towards
zero where a GPU rounds to the nearest; `interpreted` makes kernels do there what a GPU does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import torch
import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

INTERPRETED = triton.knobs.runtime.interpret
_compiling: ContextVar[bool] = ContextVar("compiling", default=False)


@contextmanager
def compiling() -> Iterator[None]:
    """Inside this context, and in this thread, `launch` compiles kernels but doesn't run them."""
    token = _compiling.set(True)
    try:
        yield
    finally:
        _compiling.reset(token)


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    """Run a program of `kernel` for each cell of `grid`. A kernel with a parameter "early" starts while the one before
    it ends, where the device supports that."""
    if "early" in kernel.arg_names:
        options["early"] = early = _starts_early()
        if early:
            options["launch_pdl"] = True
    if _compiling.get():
        kernel.warmup(*arguments, grid=grid, **options)
    else:
        kernel[grid](*arguments, **options)


@cache
def _starts_early() -> bool:
    # AMD's devices report such numbers too, but have no such instruction.
    if INTERPRETED or torch.version.hip is not None:
        return False
    return torch.cuda.get_device_capability() >= (9, 0)


@triton.jit
def begin(early: tl.constexpr):
    """Let the next kernel start, and wait for the writes of the one before: nothing may be read or written earlier."""
    if early:
        gdc_launch_dependents()
        gdc_wait()


@triton.jit
def rounded(tile, dtype: tl.constexpr, interpreted: tl.constexpr):
    """float32 `tile` in `dtype`, rounded to the nearest, ties to even."""
    if interpreted and dtype == tl.bfloat16:
        bits = tile.to(tl.uint32, bitcast=True)
        bits += 0x7FFF + ((bits >> 16) & 1)
        return (bits >> 16).to(tl.uint16).to(tl.bfloat16, bitcast=True)
    return tile.to(dtype)
