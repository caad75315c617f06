"""A CUDA graph's work on a CPU: operations are recorded once and run again without Python between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

# A graph can't hold operations that the host waits for, nor copies from pageable memory.
WAITS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
SENDS = ("aten::lift_fresh", "aten::_local_scalar_dense")


class Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the operations within `with`; `play` runs them again, on the same outer tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if WAITS & set(func.tags) or func.name().startswith(SENDS):
            raise RuntimeError(f"{func.name()} is not permitted when stream is capturing.\nMore.")
        result = func(*args, **(kwargs or {}))
        self.operations.append((func, args, kwargs or {}, result))
        return result

    def play(self) -> None:
        now: dict[int, torch.Tensor] = {}

        def current(tensor: torch.Tensor) -> torch.Tensor:
            return now.get(id(tensor), tensor)

        for func, args, kwargs, result in self.operations:
            inputs = tree_map_only(torch.Tensor, current, (args, kwargs))
            outcome = func(*inputs[0], **inputs[1])
            old_tensors, new_tensors = tree_flatten(result)[0], tree_flatten(outcome)[0]
            now.update({id(old): new for old, new in zip(old_tensors, new_tensors, strict=True)})


class Taped:
    """`Capture` with tapes, and counts of its uses. refuses: whether a capture fails, by its number from 0."""

    def __init__(self, refuses: Callable[[int], bool] = lambda number: False) -> None:
        self.captures = self.replays = 0
        self._refuses = refuses

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        self.captures += 1
        run()
        tape = Tape()
        with tape:
            if self._refuses(self.captures - 1):
                raise RuntimeError("operation not permitted when stream is capturing\nMore.")
            run()
        return lambda: self._replay(tape)

    def _replay(self, tape: Tape) -> None:
        self.replays += 1
        tape.play()
