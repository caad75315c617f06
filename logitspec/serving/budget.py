"""The seconds of model time that a piece of work may take."""

from __future__ import annotations

from collections.abc import Callable, Generator
from time import monotonic
from typing import Any

from logitspec.errors import LogitSpecError

GRACE_SECONDS = 5.0  # beyond the limit, for a step that has begun within it


class Budget:
    """The model time of a piece of work. seconds: in total. now: a clock, in seconds."""

    def __init__(self, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._seconds, self._now = seconds, now
        self._used = 0.0

    def left(self) -> float:
        """Seconds that the next step may take."""
        return max(0.0, self._seconds - self._used) + GRACE_SECONDS

    def spend(self, values: Generator[Any, None, Any]) -> Generator[Any, None, Any]:
        """Yield and return what `values` does; LogitSpecError, raised within it, once its steps have used up the
        seconds."""
        try:
            while True:
                began = self._now()
                try:
                    value = next(values)
                except StopIteration as end:
                    return end.value
                finally:
                    self._used += self._now() - began
                if self._used > self._seconds:
                    values.throw(
                        LogitSpecError(
                            f"This was stopped after {self._seconds:.0f} seconds, the longest that the model"
                            " works here for one visitor at a time; ask for fewer new tokens."
                        )
                    )
                yield value
        finally:
            values.close()
