"""What a forward costs by its number of rows: measured once, then refined by every forward."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
PACE = 0.05
MEAN_PACE = 0.1
WINDOW = 6  # forwards whose median is compared with what was expected
DISAGREES = 1.3  # times as long, or as short, as expected; forwards of one size differ by less


class RunningMean:
    """A mean that follows its values: of all values at first, then mainly of the last 1 / MEAN_PACE."""

    def __init__(self) -> None:
        self.value = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        self._count += 1
        self.value += max(MEAN_PACE, 1 / self._count) * (value - self.value)


@dataclass(frozen=True, slots=True)
class StepCosts:
    """The costs that a drafter may weigh a node against.

    forward: the target's costs; None if unknown. loop: seconds that a step has recently taken outside
    its forward and drafting: fetching, accepting, committing, observing.
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
        self._ratios: list[float] = []
        self._visited: set[int] = set()
        self._checked = self._checking = False
        self._doubtful: list[int] = []
        self._observed, self._pause = 0, 0
        self._smooth()

    @property
    def doubtful(self) -> int | None:
        """Rows whose time should be measured again, or None.

        A machine that was busy while costs were measured may have made sizes look so expensive that no forward
        of these sizes would ever run to show the error. So once WINDOW forwards have been seen, the sizes next
        to theirs are doubtful, and all sizes are if those or the forwards did not take the expected time.
        """
        return self._doubtful[0] if self._doubtful else None

    def measure_again(self, seconds: float) -> None:
        """Learn that a forward over `doubtful` rows took `seconds`."""
        rows = self._doubtful.pop(0)
        place = self.rows.index(rows)
        if self._checking and _disagree(seconds, self.seconds[place]):
            self._doubt_all(without=rows)
        self._checking = self._checking and bool(self._doubtful)
        # This time is newer, so a longer one of a smaller size, or a shorter one of a larger size, was wrong.
        self.seconds[:place] = [min(each, seconds) for each in self.seconds[:place]]
        self.seconds[place:] = [
            seconds,
            *(max(each, seconds) for each in self.seconds[place + 1 :]),
        ]

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
        """`at` for 0 to `max_rows` rows, in one go: drafters ask for it at every step."""
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
        """Learn that a forward over `rows` rows took `seconds`; an outlier has little effect."""
        expected = self.at(rows)
        rows = self._padded(rows)
        self._compare(rows, seconds / expected)
        error = min(max(seconds, expected / 2), expected * 2) - expected
        place = bisect_left(self.rows, rows)
        for near in {min(place, len(self.rows) - 1), max(place - 1, 0)}:
            nearness = 1 / (1 + abs(self.rows[near] - rows) / max(rows, 1))
            self.seconds[near] = max(self.seconds[near] + PACE * nearness * error, 1e-9)
        self._smooth()

    def _compare(self, rows: int, ratio: float) -> None:
        """Compare the last WINDOW forwards with what was expected; the last one took `ratio` times as long."""
        self._ratios.append(ratio)
        self._observed += 1
        self._visited.add(rows)
        if self._doubtful:
            self._ratios.clear()
        if len(self._ratios) < WINDOW:
            return
        typical = median(self._ratios)
        self._ratios.clear()
        if _disagree(typical, 1.0):
            self._checked = True
            self._doubt_all()
        elif not self._checked:
            self._checked = self._checking = True
            below = [each for each in self.rows if each < min(self._visited)][-1:]
            above = [each for each in self.rows if each > max(self._visited)][:1]
            self._doubtful = above + below

    def _doubt_all(self, without: int | None = None) -> None:
        """Have all sizes measured again, ever more rarely: each costs a step one more forward, and on a
        machine whose speed changes all the time it would never end."""
        if self._observed >= self._pause:
            self._checking = False
            self._doubtful = [each for each in self.rows if each != without]
            self._pause = 4 * (self._observed + WINDOW)

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
        """Make seconds non-decreasing in rows: pool adjacent violators."""
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


def envelope(seconds: Sequence[float]) -> list[float]:
    """`seconds` by ascending size, none above that of a larger size: other programs only add time."""
    return [min(seconds[place:]) for place in range(len(seconds))]


def _disagree(seconds: float, expected: float) -> bool:
    return not expected / DISAGREES <= seconds <= expected * DISAGREES
