"""A stand-in for the package `spaces` on ZeroGPU: forks, pickles, kills, and counts a quota.

It behaves like version 0.51.3 to the extent that this project can notice: a worker process is forked at the
first call and reused, arguments and yielded values are pickled, errors come back as Gradio's with only their
type, a worker that asked for too few seconds is killed, and closing the iterator stops it after its next yield.
Without SPACES_ZERO_GPU the decorator gives the function back unchanged.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Timer
from typing import Any

TORCH_CAME_FIRST = "torch" in sys.modules
FORK = multiprocessing.get_context("fork")


class Account:
    """A visitor's quota and requests, in seconds. stretch: real seconds per second of quota."""

    def __init__(self) -> None:
        self.seconds_left = 100_000
        self.stretch = 20.0
        self.requests: list[int] = []
        self.workers: list[Worker] = []


class Worker:
    """A forked process that runs `task` for one call after another."""

    def __init__(self, task: Callable[..., Iterator[Any]]) -> None:
        self.here, there = FORK.Pipe()
        self.stop = FORK.Event()
        self.process = FORK.Process(
            target=_work, args=(task, self.here, there, self.stop), daemon=True
        )
        self.process.start()
        there.close()
        self.idle = True


def _work(task: Callable[..., Iterator[Any]], here: Any, there: Any, stop: Any) -> None:
    here.close()  # so that it ends with the process that it works for
    with suppress(EOFError, OSError):
        while True:
            arguments = pickle.loads(there.recv_bytes())
            stop.clear()
            _call(task, arguments, there, stop)
            there.send_bytes(pickle.dumps(("end", None)))


def _call(task: Callable[..., Iterator[Any]], arguments: Any, there: Any, stop: Any) -> None:
    values = task(*arguments)
    try:
        for value in values:
            if stop.is_set():
                values.close()  # type: ignore[attr-defined]
                return
            there.send_bytes(pickle.dumps(("value", value)))
    except Exception as error:
        there.send_bytes(pickle.dumps(("error", type(error).__name__)))


account = Account()


def GPU(task: Any = None, *, duration: Any = None) -> Any:  # noqa: N802
    """The decorator, for generator functions only."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return task
    assert inspect.isgeneratorfunction(task)

    def run_on_gpu(*arguments: Any) -> Iterator[Any]:
        seconds = duration(*arguments) if callable(duration) else duration or 60
        assert isinstance(seconds, int)
        _charge(seconds)
        yield from _received(_worker(task), pickle.dumps(arguments), seconds)

    return run_on_gpu


def _charge(seconds: int) -> None:
    account.requests.append(seconds)
    if seconds > account.seconds_left:
        message = (
            f"You have exceeded your free ZeroGPU quota ({seconds}s requested vs. {account.seconds_left}s left)."
            " Try again in 0:17:00. "
        )
        raise _error("ZeroGPU quota exceeded", message)
    account.seconds_left -= seconds


def _worker(task: Callable[..., Iterator[Any]]) -> Worker:
    for each in account.workers:
        if each.idle and each.process.is_alive():
            return each
    worker = Worker(task)
    account.workers.append(worker)
    return worker


def _received(worker: Worker, arguments: bytes, seconds: int) -> Iterator[Any]:
    worker.idle = False
    end = Timer(seconds * account.stretch, worker.process.kill)
    end.start()
    worker.here.send_bytes(arguments)
    try:
        while True:
            kind, value = _next(worker)
            if kind == "end":
                return
            if kind == "error":
                raise _error("ZeroGPU worker error", value)
            try:
                yield value
            except GeneratorExit:
                worker.stop.set()
                with suppress(Exception):
                    while _next(worker)[0] != "end":
                        pass
                raise
    finally:
        end.cancel()
        worker.idle = True


def _next(worker: Worker) -> Any:
    try:
        return pickle.loads(worker.here.recv_bytes())
    except (EOFError, OSError):
        raise _error("ZeroGPU worker error", "GPU task aborted") from None


def _error(title: str, message: str) -> Exception:
    import gradio as gr

    return gr.Error(message, title=title, print_exception=False)
