"""A forward over a fixed number of rows, captured once and replayed.

On a GPU, launching the kernels of a small model takes longer than running them. A CUDA graph launches all
of them at once, but holds only for fixed shapes at fixed addresses. So rows are padded to one of a few
sizes, attention looks at a fixed number of columns of the KV cache, and all that changes from step to
step is written into buffers that the graph reads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

BUCKETS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128)
FIRST_COLUMNS = 256

Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""Takes what is to be done again and again, and returns what does it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a forward of fixed shape reads, on its device; all token ids and places int64.

    tokens, positions: [rows]. places: [rows], the columns of the KV cache for the keys and values of the
    rows, the first of which is the length of the prefix. ancestors: [rows, rows], which of the rows each
    attends to, itself included. All rows attend to all of the prefix.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    places: torch.Tensor
    ancestors: torch.Tensor


class CaptureError(RuntimeError):
    """A forward can't be captured; the message is a reason, not a sentence."""


def bucket_for(rows: int) -> int:
    """The least of BUCKETS with room for `rows` rows."""
    return BUCKETS[bisect_left(BUCKETS, rows)]


def columns_for(rows: int) -> int:
    """Columns to attend to where the KV cache holds `rows` rows: few values, so few graphs, and at most
    half of them for nothing."""
    power = 1 << (rows - 1).bit_length()
    return max(FIRST_COLUMNS, 3 * power // 4 if 4 * rows <= 3 * power else power)


class Replayed:
    """A function of fixed shapes, called with fewer rows than it was captured for.

    function: makes tensors [rows, ...] of `Rows` and a number of columns; whatever else it writes must be
    the same when it is done twice. What a call returns is to be read before the next one.
    """

    def __init__(
        self,
        function: Callable[[Rows, int], tuple[torch.Tensor, ...]],
        device: torch.device,
        capture: Capture,
    ) -> None:
        self.device, self.capture = device, capture
        self._function = function
        self._feeds: dict[int, _Feed] = {}
        self._outputs: tuple[torch.Tensor, ...] = ()
        self._captured: dict[tuple[int, int], Callable[[], None]] = {}
        self.again: Callable[[], object] = bool
        """Does the last call once more."""

    def __call__(
        self,
        tokens: Sequence[int],
        positions: npt.NDArray[Any],
        prefix: int,
        ancestors: npt.NDArray[Any],
    ) -> tuple[torch.Tensor, ...]:
        """What the function makes of the first `len(tokens)` rows, at most BUCKETS[-1]; see `Rows`.

        Raises CaptureError when that can't be captured.
        """
        size = bucket_for(len(tokens))
        self._feed(size).write(tokens, positions, prefix, ancestors)
        self.again = self._found(size, prefix)
        self.again()
        return tuple(each[: len(tokens)] for each in self._outputs)

    def prepare(self, prefix: int) -> None:
        """Capture all sizes behind a prefix of this length, those that have not been yet."""
        for size in BUCKETS:
            if (size, columns_for(prefix + size)) in self._captured:
                continue
            nothing = np.zeros(size, dtype=np.int64)
            self._feed(size).write([0] * size, nothing, prefix, np.eye(size, dtype=bool))
            self._found(size, prefix)

    def forget(self) -> None:
        """Drop what was captured: the function's own buffers have moved."""
        self._captured.clear()
        self.again = bool

    def _feed(self, size: int) -> _Feed:
        if size not in self._feeds:
            self._feeds[size] = _Feed(size, self.device)
        return self._feeds[size]

    def _found(self, size: int, prefix: int) -> Callable[[], None]:
        """The captured function, captured now if need be; its inputs must be written by then."""
        key = size, columns_for(prefix + size)
        if key not in self._captured:
            self._captured[key] = self._capture_anew(*key)
        return self._captured[key]

    def _capture_anew(self, size: int, columns: int) -> Callable[[], None]:
        run = partial(self._run, self._feeds[size].rows, columns)
        try:
            return self.capture(run)
        except Exception as error:  # ends of a failed capture hide what went wrong in it
            cause = error.__context__ or error
            told = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
            raise CaptureError(f"the capture over {size} rows failed ({told})") from error

    def _run(self, rows: Rows, columns: int) -> None:
        """Once over: outputs stay in buffers that all sizes share, so that little memory is held."""
        made = self._function(rows, columns)
        if not self._outputs:
            self._outputs = tuple(each.new_empty(BUCKETS[-1], *each.shape[1:]) for each in made)
        for kept, each in zip(self._outputs, made, strict=True):
            kept[: len(each)].copy_(each)


class _Feed:
    """The input buffers of one size: the same bytes on the host, pinned, and on the device."""

    def __init__(self, size: int, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self._size = size
        self._host = torch.zeros(
            size * (3 * 8 + size), dtype=torch.uint8, device="cpu", pin_memory=on_gpu
        )
        self._there = torch.empty_like(self._host, device=device) if on_gpu else self._host
        numbers, ancestors = self._views(self._host)
        self._numbers, self._ancestors = numbers.numpy(), ancestors.numpy()
        numbers, ancestors = self._views(self._there)
        self.rows = Rows(numbers[0], numbers[1], numbers[2], ancestors)

    def _views(self, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        split = self._size * 3 * 8
        numbers, square = raw[:split].view(torch.int64), raw[split:].view(torch.bool)
        return numbers.view(3, self._size), square.view(self._size, self._size)

    def write(
        self,
        tokens: Sequence[int],
        positions: npt.NDArray[Any],
        prefix: int,
        ancestors: npt.NDArray[Any],
    ) -> None:
        """Fill both, in one copy. Further rows are as the first, which sees the prefix and itself."""
        given = len(tokens)
        self._numbers[0, :given], self._numbers[0, given:] = tokens, tokens[0]
        self._numbers[1, :given], self._numbers[1, given:] = positions, positions[0]
        self._numbers[2] = np.arange(prefix, prefix + self._size)
        self._ancestors[:] = np.eye(self._size, dtype=bool)
        self._ancestors[:given, :given] = ancestors
        if self._there is not self._host:
            self._there.copy_(self._host, non_blocking=True)


def uncaptured(run: Callable[[], None]) -> Callable[[], None]:
    """`Capture` that captures nothing: fixed shapes on any device."""
    return run


class CudaGraphs:
    """`Capture` as a CUDA graph on `device`. All share their memory, as no two run at once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        # When a capture fails, torch.cuda.graph leaves its stream the current one; the outer `with` does not.
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            run()  # kernels are loaded and chosen now, which a capture forbids
            with torch.cuda.graph(
                graph, self._pool, self._stream, capture_error_mode="thread_local"
            ):
                run()
        current.wait_stream(self._stream)
        return graph.replay


class Fetch:
    """Brings tensors to the host: one copy into a pinned buffer, one wait for it."""

    def __init__(self) -> None:
        self._host = torch.empty(0, 0)

    def __call__(self, tensor: torch.Tensor) -> npt.NDArray[Any]:
        """`tensor` [rows, ...] as an array, good until the next call."""
        if tensor.device.type != "cuda":
            return tensor.cpu().numpy()
        if len(tensor) > len(self._host) or tensor.shape[1:] != self._host.shape[1:]:
            shape = max(len(tensor), BUCKETS[-1]), *tensor.shape[1:]
            self._host = torch.empty(shape, dtype=tensor.dtype, pin_memory=True)
        host = self._host[: len(tensor)]
        host.copy_(tensor, non_blocking=True)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrived.record(torch.cuda.current_stream(tensor.device))
        arrived.synchronize()
        return host.numpy()
