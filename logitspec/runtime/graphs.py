"""Functions of fixed shape, captured once and replayed.

On a GPU, launching the kernels of a small model takes longer than running them. A CUDA graph launches all
of them in one call, but is valid only for fixed shapes at fixed addresses. So rows are padded to one of a few
sizes, attention covers a fixed number of columns of the KV cache, and whatever changes from step to step is
written into buffers that the graph reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from logitspec.runtime.shapes import BUCKETS, MOVES, Rows, bucket_for, columns_for

Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""Takes a function without arguments, captures it, and returns a function that replays it."""


Moves = tuple[Sequence[int], int]
"""Columns of the KV cache, and the first column that they move to."""


class CaptureError(RuntimeError):
    """A function can't be captured; the message is a reason, not a sentence."""


class CapturedFunction:
    """A function of fixed shapes that may be called with fewer rows than it was captured for.

    function: maps `Rows` and a number of columns to tensors [rows, ...]; anything else it writes must be
    the same when it runs twice. sizes: the row counts that are captured. The result of a call is valid
    until the next one.
    """

    def __init__(
        self,
        function: Callable[[Rows, int], tuple[torch.Tensor, ...]],
        device: torch.device,
        capture: Capture,
        sizes: Sequence[int] = BUCKETS,
    ) -> None:
        self._function = function
        self._device, self._capture, self._sizes = device, capture, sizes
        self._inputs: dict[int, Inputs] = {}
        self._outputs: tuple[torch.Tensor, ...] = ()
        self._replays: dict[tuple[int, int], Callable[[], None]] = {}
        self.repeat: Callable[[], object] = bool
        """Replays the last call, on the same inputs."""

    def __call__(
        self,
        tokens: Sequence[int],
        positions: npt.NDArray[np.integer],
        prefix: int,
        ancestors: npt.NDArray[np.bool_],
        moves: Moves = ((), 0),
    ) -> tuple[torch.Tensor, ...]:
        """The outputs for `len(tokens)` rows, at most as many as the largest size; see `Rows`.

        Raises CaptureError if the function can't be captured.
        """
        size = bucket_for(len(tokens), self._sizes)
        self._inputs_of(size).write(tokens, positions, prefix, ancestors, moves)
        self.repeat = self._replay_of(size, prefix)
        self.repeat()
        return tuple(output[: len(tokens)] for output in self._outputs)

    def is_captured(self, rows: int, prefix: int) -> bool:
        """Whether a call with `rows` rows after a prefix of `prefix` rows needs no capture."""
        size = bucket_for(rows, self._sizes)
        return (size, columns_for(prefix + size)) in self._replays

    def prepare(self, prefix: int) -> None:
        """Capture every size after a prefix of `prefix` rows, unless that has been done."""
        for size in self._sizes:
            if (size, columns_for(prefix + size)) in self._replays:
                continue
            positions = np.full(size, prefix)
            self._inputs_of(size).write([0] * size, positions, prefix, np.eye(size, dtype=bool))
            self._replay_of(size, prefix)

    def forget(self) -> None:
        """Drop all captures: the buffers that the function uses have moved."""
        self._replays.clear()
        self.repeat = bool

    def _inputs_of(self, size: int) -> Inputs:
        if size not in self._inputs:
            self._inputs[size] = Inputs(size, self._device)
        return self._inputs[size]

    def _replay_of(self, size: int, prefix: int) -> Callable[[], None]:
        """Captures the function if needed; its inputs must have been written."""
        key = size, columns_for(prefix + size)
        if key not in self._replays:
            self._replays[key] = self._captured(*key)
        return self._replays[key]

    def _captured(self, size: int, columns: int) -> Callable[[], None]:
        run = partial(self._run, self._inputs[size].rows, columns)
        try:
            return self._capture(run)
        except Exception as error:  # leaving a failed capture raises again, which hides the cause
            cause = error.__context__ or error
            reason = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
            raise CaptureError(f"the capture over {size} rows failed ({reason})") from error

    def _run(self, rows: Rows, columns: int) -> None:
        """Run the function once. All sizes share the output buffers, which saves memory."""
        results = self._function(rows, columns)
        if not self._outputs:
            self._outputs = tuple(
                each.new_empty(self._sizes[-1], *each.shape[1:]) for each in results
            )
        for output, result in zip(self._outputs, results, strict=True):
            output[: len(result)].copy_(result)


class Inputs:
    """The input buffers of one size: the same bytes on the host, pinned, and on the device."""

    def __init__(self, size: int, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self._size = size
        numbers = 4 * size + 2 * MOVES
        self._host = torch.zeros(
            8 * numbers + size * size, dtype=torch.uint8, device="cpu", pin_memory=on_gpu
        )
        self._device = torch.empty_like(self._host, device=device) if on_gpu else self._host
        self._copied = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        views = self._views(self._host)
        self._numbers, self._moved, self._ancestors = (each.numpy() for each in views)
        rows, moved, ancestors = self._views(self._device)
        self.rows = Rows(rows[0], rows[1], rows[2], ancestors, rows[3], moved)

    def _views(self, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows, moved = 4 * 8 * self._size, 2 * 8 * MOVES
        numbers, moves, square = torch.split(raw, [rows, moved, self._size**2])
        return (
            numbers.view(torch.int64).view(4, self._size),
            moves.view(torch.int64).view(2, MOVES),
            square.view(torch.bool).view(self._size, self._size),
        )

    def write(
        self,
        tokens: Sequence[int],
        positions: npt.NDArray[np.integer],
        prefix: int,
        ancestors: npt.NDArray[np.bool_],
        moves: Moves = ((), 0),
    ) -> None:
        """Fill both buffers, with one copy. Padding rows repeat the first row, and attend to the prefix and themselves;
        padding moves leave a column where it is."""
        if self._copied is not None:
            self._copied.synchronize()  # the previous copy may still be waiting for the device
        count = len(tokens)
        sources, target = moves
        self._moved[:] = prefix
        self._moved[0, : len(sources)] = sources
        self._moved[1, : len(sources)] = np.arange(target, target + len(sources))
        self._numbers[0, :count], self._numbers[0, count:] = tokens, tokens[0]
        self._numbers[1, :count], self._numbers[1, count:] = positions, positions[0]
        self._numbers[2] = np.arange(prefix, prefix + self._size)
        self._numbers[3, :count], self._numbers[3, count:] = 1, 0
        self._ancestors[:] = np.eye(self._size, dtype=bool)
        self._ancestors[:count, :count] = ancestors
        if self._copied is not None:
            self._device.copy_(self._host, non_blocking=True)
            self._copied.record(torch.cuda.current_stream(self._device.device))


def uncaptured(run: Callable[[], None]) -> Callable[[], None]:
    """A `Capture` that captures nothing: fixed shapes on any device."""
    return run


class CudaGraphs:
    """A `Capture` as a CUDA graph on `device`. All graphs share their memory, as no two run at the same time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        # When a capture fails, torch.cuda.graph leaves its stream as the current one; the outer `with` does not.
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            run()  # loads and chooses the kernels, which a capture forbids
            with torch.cuda.graph(
                graph, self._pool, self._stream, capture_error_mode="thread_local"
            ):
                run()
        current.wait_stream(self._stream)
        return graph.replay
