"""What a CUDA graph does, on a CPU: operations are noted once, and done again without any Python between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

# A graph can't hold what the host must wait for, nor what it sends from ordinary memory.
WAITS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
SENDS = ("aten::lift_fresh", "aten::_local_scalar_dense")


class Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operations within `with`; `play` does them again, on the same outer tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.noted: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if WAITS & set(func.tags) or func.name().startswith(SENDS):
            raise RuntimeError(f"{func.name()} is not permitted when stream is capturing.\nMore.")
        result = func(*args, **(kwargs or {}))
        self.noted.append((func, args, kwargs or {}, result))
        return result

    def play(self) -> None:
        now: dict[int, torch.Tensor] = {}

        def current(tensor: torch.Tensor) -> torch.Tensor:
            return now.get(id(tensor), tensor)

        for func, args, kwargs, result in self.noted:
            given = tree_map_only(torch.Tensor, current, (args, kwargs))
            made = func(*given[0], **given[1])
            olds, news = tree_flatten(result)[0], tree_flatten(made)[0]
            now.update({id(old): new for old, new in zip(olds, news, strict=True)})


class Taped:
    """`Capture` with tapes, which counts. refuses: the captures that fail, by number from 0."""

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
