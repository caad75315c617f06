"""The one error that a person is meant to read."""

from __future__ import annotations


class LogitSpecError(ValueError):
    """One sentence that says what happened and what to do; shown as it is in page, API and terminal."""
