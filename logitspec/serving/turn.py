"""One piece of work at a time on this machine's models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

from logitspec.errors import LogitSpecError

SECONDS_PER_LOOK = 0.04  # between checks of `stop` while waiting


class Turn:
    """A lock for loading and running models; all other work waits."""

    def __init__(self) -> None:
        self._lock = Lock()

    def take(self, stop: Event) -> None:
        """Wait for all other work to end; LogitSpecError when `stop` is set meanwhile."""
        while not self._lock.acquire(timeout=SECONDS_PER_LOOK):
            if stop.is_set():
                raise LogitSpecError("This run was stopped before it began.")

    def give_back(self) -> None:
        self._lock.release()

    @contextmanager
    def hold(self, stop: Event) -> Iterator[None]:
        """Take the turn for the length of a block."""
        self.take(stop)
        try:
            yield
        finally:
            self.give_back()
