"""The one error whose message is written for users, and the sentences for all others."""

from __future__ import annotations

import errno
import logging
import re
from pathlib import PurePath
from tempfile import NamedTemporaryFile
from traceback import format_exception

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
PACKAGE = re.compile(
    r"pip3? install (?:-U |--upgrade )?['\"`]?([\w.-]+)|requires the ([\w.-]+) library"
)

log = logging.getLogger(__name__)


class LogitSpecError(ValueError):
    """One sentence that says what happened and what to do; page, API and terminal show it as it is."""


def sentence(error: BaseException) -> str:
    """What to tell a user about `error`; internal details stay in the log."""
    if isinstance(error, LogitSpecError):
        return str(error)
    if is_out_of_memory(error):
        return "The memory is full; shorten the prompt, or choose a smaller model."
    if missing := missing_package(error, "This"):
        return str(missing)
    if isinstance(error, OSError) and error.strerror:
        return _of_system(error)
    return f"The run was stopped by an error of type {type(error).__name__}; try it again or shorten it."


def explain(error: Exception) -> str:
    """The sentence about `error` for a terminal; the traceback of an unforeseen one is kept in a file, which
    the sentence names."""
    log.debug("ended early", exc_info=error)
    said = sentence(error)
    foreseen = isinstance(error, (LogitSpecError, OSError)) or is_out_of_memory(error)
    if foreseen or missing_package(error, ""):
        return said
    try:
        with NamedTemporaryFile("w", prefix="logitspec-", suffix=".log", delete=False) as file:
            file.writelines(format_exception(error))
    except OSError:
        return said
    return f"{said.removesuffix('.')}; the trace is in {file.name}."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch has its own error for a full GPU, and says it of a full CPU in the message only."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return "allocate memory" in str(error) or "out of memory" in str(error)


def missing_package(error: BaseException, subject: str) -> LogitSpecError | None:
    """The sentence for a library's error that says which package is missing; None for others.

    subject: what needs it.
    """
    found = PACKAGE.search(str(error))
    package = next(filter(None, found.groups()), None) if found else None
    if package is None and isinstance(error, ModuleNotFoundError):
        package = error.name
    if package is None:
        return None
    package = package.lower()
    return LogitSpecError(
        f"{subject} needs the package {package}, which is missing; install it with `pip install {package}`."
    )


def _of_system(error: OSError) -> str:
    if error.errno in DISK_FULL:
        return "The disk is full; free some space and try again."
    # Only the file's name: the path to it is private.
    name = PurePath(str(error.filename)).name if error.filename else "a file or a connection"
    return f"Can't use {name} ({error.strerror})."
