"""The one error that a person is meant to read, and what to tell of all others."""

from __future__ import annotations


class LogitSpecError(ValueError):
    """One sentence that says what happened and what to do; shown as it is in page, API and terminal."""


def sentence(error: BaseException) -> str:
    """What to tell a visitor about `error`; what only we should know stays in the log."""
    if isinstance(error, LogitSpecError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "The memory is full; shorten the prompt, or choose a smaller model."
    return (
        f"The run stopped by an error of type {type(error).__name__}; try it again or shorten it."
    )
