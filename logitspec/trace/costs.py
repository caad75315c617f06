"""What a forward costs by its number of rows: measured once, refined while it runs."""

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
    """Seconds of a forward at some numbers of rows, ascending; in between they are interpolated.

    padded: rows are padded to the next of these numbers, and cost what it costs. More rows never count as
    cheaper than fewer: what measurements say to that end is noise, so those that fall are averaged
    (isotonic regression).
    """

    def __init__(self, rows: Sequence[int], seconds: Sequence[float], padded: bool = False) -> None:
        self.padded = padded
        self.rows = list(rows)
        self.seconds = list(seconds)
        self._order()

    def at(self, rows: int) -> float:
        """Seconds of a forward over `rows` rows; beyond the last size it goes on as before it."""
        sizes, seconds = self.rows, self.seconds
        rows = self._run(rows)
        if len(sizes) == 1:
            return seconds[0]
        right = min(max(bisect_left(sizes, rows), 1), len(sizes) - 1)
        left = right - 1
        slope = (seconds[right] - seconds[left]) / (sizes[right] - sizes[left])
        return max(seconds[0], seconds[left] + slope * (rows - sizes[left]))

    def table(self, most: int) -> list[float]:
        """What `at` says of 0 to `most` rows."""
        seconds: list[float] = [self.seconds[0]] * self.rows[0]
        for place in range(1, len(self.rows)):
            first, start = self.rows[place - 1], self.seconds[place - 1]
            if self.padded:
                seconds += [start, *[self.seconds[place]] * (self.rows[place] - first - 1)]
            else:
                slope = (self.seconds[place] - start) / (self.rows[place] - first)
                seconds += [start + slope * more for more in range(self.rows[place] - first)]
            if len(seconds) > most:
                break
        return [*seconds[: most + 1], *(self.at(rows) for rows in range(len(seconds), most + 1))]

    def observe(self, rows: int, seconds: float) -> None:
        """A forward over `rows` rows took so long; one in a hundred that took ages moves little."""
        known = self.at(rows)
        rows = self._run(rows)
        error = min(max(seconds, known / 2), known * 2) - known
        place = bisect_left(self.rows, rows)
        for near in {min(place, len(self.rows) - 1), max(place - 1, 0)}:
            nearness = 1 / (1 + abs(self.rows[near] - rows) / max(rows, 1))
            self.seconds[near] = max(self.seconds[near] + PACE * nearness * error, 1e-9)
        self._order()

    def to_json(self) -> dict[str, Any]:
        """{"rows": [...], "milliseconds": [...]}, for traces; with "padded" where rows are padded."""
        told = {"rows": self.rows, "milliseconds": [round(1000 * each, 3) for each in self.seconds]}
        return {**told, "padded": True} if self.padded else told

    def _run(self, rows: int) -> int:
        """Rows that the forward over `rows` rows really has."""
        place = bisect_left(self.rows, rows)
        return self.rows[place] if self.padded and place < len(self.rows) else rows

    def _order(self) -> None:
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
