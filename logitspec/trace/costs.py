"""What a forward costs by its number of rows: measured once, then refined by every forward."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
PACE = 0.05


@dataclass(frozen=True, slots=True)
class StepCosts:
    """What a drafter may weigh a node against.

    forward: the target's costs; None where nobody knows them. loop: seconds that a step has taken
    lately beside its forward and beside drafting: fetching, accepting, committing, observing.
    """

    forward: ForwardCosts | None = None
    loop: float = 0.0


UNKNOWN_COSTS = StepCosts()


class ForwardCosts:
    """Seconds of a forward at some numbers of rows, ascending; linear in between.

    padded: rows are padded to the next of these numbers, and cost as much. More rows never cost less than
    fewer: a measurement that says so is noise, and is averaged with its neighbours (isotonic regression).
    """

    def __init__(self, rows: Sequence[int], seconds: Sequence[float], padded: bool = False) -> None:
        self.padded = padded
        self.rows = list(rows)
        self.seconds = list(seconds)
        self._smooth()

    def at(self, rows: int) -> float:
        """Seconds of a forward over `rows` rows; beyond the last size, the last slope continues."""
        sizes, seconds = self.rows, self.seconds
        rows = self._padded(rows)
        if len(sizes) == 1:
            return seconds[0]
        right = min(max(bisect_left(sizes, rows), 1), len(sizes) - 1)
        left = right - 1
        slope = (seconds[right] - seconds[left]) / (sizes[right] - sizes[left])
        return max(seconds[0], seconds[left] + slope * (rows - sizes[left]))

    def table(self, max_rows: int) -> list[float]:
        """`at` for 0 to `max_rows` rows, in one go: drafters ask for it in every step."""
        seconds: list[float] = [self.seconds[0]] * self.rows[0]
        for place in range(1, len(self.rows)):
            first, start = self.rows[place - 1], self.seconds[place - 1]
            if self.padded:
                seconds += [start, *[self.seconds[place]] * (self.rows[place] - first - 1)]
            else:
                slope = (self.seconds[place] - start) / (self.rows[place] - first)
                seconds += [start + slope * more for more in range(self.rows[place] - first)]
            if len(seconds) > max_rows:
                break
        beyond = range(len(seconds), max_rows + 1)
        return [*seconds[: max_rows + 1], *(self.at(rows) for rows in beyond)]

    def observe(self, rows: int, seconds: float) -> None:
        """Learn that a forward over `rows` rows took `seconds`; an outlier moves little."""
        expected = self.at(rows)
        rows = self._padded(rows)
        error = min(max(seconds, expected / 2), expected * 2) - expected
        place = bisect_left(self.rows, rows)
        for near in {min(place, len(self.rows) - 1), max(place - 1, 0)}:
            nearness = 1 / (1 + abs(self.rows[near] - rows) / max(rows, 1))
            self.seconds[near] = max(self.seconds[near] + PACE * nearness * error, 1e-9)
        self._smooth()

    def to_json(self) -> dict[str, Any]:
        """{"rows": [...], "milliseconds": [...]}, for traces; with "padded" where rows are padded."""
        milliseconds = [round(1000 * each, 3) for each in self.seconds]
        flag = {"padded": True} if self.padded else {}
        return {"rows": self.rows, "milliseconds": milliseconds, **flag}

    def _padded(self, rows: int) -> int:
        """The rows that a forward over `rows` rows really has."""
        place = bisect_left(self.rows, rows)
        return self.rows[place] if self.padded and place < len(self.rows) else rows

    def _smooth(self) -> None:
        """Let seconds never fall as rows grow: pool adjacent violators."""
        if self.seconds == sorted(self.seconds):
            return
        level: list[tuple[float, int]] = []  # seconds, and for how many sizes
        for seconds in self.seconds:
            count = 1
            while level and level[-1][0] > seconds:
                before, sizes = level.pop()
                seconds = (sizes * before + count * seconds) / (sizes + count)
                count += sizes
            level.append((seconds, count))
        self.seconds = [seconds for seconds, count in level for _ in range(count)]
