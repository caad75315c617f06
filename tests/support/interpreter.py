"""Triton's interpreter, which runs kernels on the CPU, made fast enough for tests.

Where there is a GPU, kernels are compiled and run there.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

interpreter = pytest.importorskip("triton.runtime.interpreter", exc_type=ImportError)


_prepared: set[int] = set()


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function within a kernel. The interpreter prepares its module at each call; once is enough."""
    module = id(self.fn.__globals__)
    if module not in _prepared:
        interpreter._patch_lang(self.fn)
        _prepared.add(module)
    return self.rewrite()(*args, **kwargs)


if DEVICE.type == "cpu":
    interpreter.InterpretedFunction.__call__ = _call
    # Half of the time went into checks for address overflow.
    object.__setattr__(interpreter.interpreter_builder.options, "sanitize_overflow", False)
