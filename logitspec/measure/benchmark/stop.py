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
    """SIGTERM arrived."""


class Stop(NamedTuple):
    """Why a measurement ended, in words, and the status that the command exits with."""

    why: str
    status: int


@contextmanager
def terminable() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated`, as SIGINT raises KeyboardInterrupt; not outside the main thread,
    where Python handles no signals."""
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
    """Why `error` ended it; the traceback of an unexpected one goes to standard error."""
    if isinstance(error, Terminated):
        return Stop("SIGTERM", TERMINATED)
    if isinstance(error, KeyboardInterrupt):
        return Stop("an interrupt", INTERRUPTED)
    # torch has its own error for a full GPU, known by its name.
    if (
        not isinstance(error, (LogitSpecError, MemoryError))
        and "OutOfMemory" not in type(error).__name__
    ):
        traceback.print_exception(error, file=sys.stderr)
    first = str(error).partition("\n")[0]
    return Stop(f"{type(error).__name__}{first and ': '}{first}", FAILED)
