"""What ends a measurement before it is complete."""

from __future__ import annotations

import sys
import traceback
from typing import NamedTuple

from logitspec.commandline import INTERRUPTED, TERMINATED, Terminated
from logitspec.errors import LogitSpecError

FAILED = 1


class Stop(NamedTuple):
    """Why a measurement ended, in words, and the status that the command exits with."""

    why: str
    status: int


def stop(error: BaseException) -> Stop:
    """Why `error` ended it; the traceback of an unexpected one goes to standard error."""
    if isinstance(error, Terminated):
        return Stop("SIGTERM", TERMINATED)
    if isinstance(error, KeyboardInterrupt):
        return Stop("an interrupt", INTERRUPTED)
    first = str(error).partition("\n")[0]
    if isinstance(error, LogitSpecError):
        return Stop(f"an error ({first.removesuffix('.')})", FAILED)
    # torch has its own error for a full GPU, known by its name.
    if not isinstance(error, MemoryError) and "OutOfMemory" not in type(error).__name__:
        traceback.print_exception(error, file=sys.stderr)
    return Stop(f"{type(error).__name__}{first and ': '}{first}", FAILED)
