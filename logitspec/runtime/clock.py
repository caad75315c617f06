"""Interleaved timings of functions, by the device's own clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

import torch

from logitspec.runtime.graphs import Capture

INNER = 10  # calls between two readings
ROUNDS = 7


def seconds_in_turns(
    functions: Sequence[Callable[[], object]], device: torch.device, capture: Capture
) -> list[float]:
    """Median seconds per call of each of `functions`, in replays of what `capture` captures."""
    replays = [capture(repeated(function)) for function in functions]
    seconds: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):  # interleaved, so that another program's load affects all
        for times, replay in zip(seconds, replays, strict=True):
            times.append(seconds_of(replay, device) / INNER)
    return [median(times) for times in seconds]


def repeated(function: Callable[[], object]) -> Callable[[], None]:
    """A function that calls `function` INNER times."""

    def run() -> None:
        for _ in range(INNER):
            function()

    return run


def seconds_of(run: Callable[[], object], device: torch.device) -> float:
    """Seconds that one call of `run` takes, by the device's own clock or, on a CPU, by the host's."""
    if device.type != "cuda":
        started = perf_counter()
        run()
        return perf_counter() - started
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    first.record()
    run()
    last.record()
    last.synchronize()
    return float(first.elapsed_time(last)) / 1000
