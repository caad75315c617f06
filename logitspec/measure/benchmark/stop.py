"""What ends a measurement before it is complete."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from logitspec.errors import LogitSpecError

FAILED, INTERRUPTED, TERMINATED = 1, 128 + signal.SIGINT, 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


class Stop(NamedTuple):
    """Why a measurement ended, in words, and the status that the command exits with."""

    why: str
    status: int


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises `Terminated` within, as SIGINT raises KeyboardInterrupt. Python has signals in its main
    thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_it(*_: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stop(error: BaseException) -> Stop:
    """What `error` says; the trace of one that nobody expects goes to standard error."""
    if isinstance(error, Terminated):
        return Stop("SIGTERM", TERMINATED)
    if isinstance(error, KeyboardInterrupt):
        return Stop("an interrupt", INTERRUPTED)
    # torch's own error of a full GPU is called so, too.
    if (
        not isinstance(error, (LogitSpecError, MemoryError))
        and "OutOfMemory" not in type(error).__name__
    ):
        traceback.print_exception(error, file=sys.stderr)
    first = str(error).partition("\n")[0]
    return Stop(f"{type(error).__name__}{first and ': '}{first}", FAILED)
