"""Runs that visitors follow: messages for their readers, and for pages that ask later.

A run is a race with one lane, so all of this applies to races.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from threading import Event
from time import monotonic

from logitspec.decoding.race import Race
from logitspec.errors import LogitSpecError, sentence
from logitspec.models.tokens import Speller
from logitspec.serving import wire

MAX_RUNS = 32
SECONDS_PER_MESSAGE = 1 / 25
SECONDS_ALONE = 60.0  # a page that lost its connection is back by then, or will not come back

log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveRun:
    """A run that goes on, or that ended recently.

    race: its traces, which grow while `growth` is read, a lane for each step. speller: bytes of its
    model's tokens. stop: ends it at its next step. last_read: time of the last request for its
    steps. alone: whether it has outlived its reader.
    """

    race: Race
    speller: Speller
    growth: Generator[int, None, None]
    stop: Event
    last_read: float = 0.0
    alone: bool = False

    def messages(self, whole: bool) -> Iterator[str]:
        """The run to its end: the lanes, their steps as they come, and how they ended. The last
        message repeats everything if `whole`, else it brings the last steps."""
        race = self.race
        yield wire.opening_message(race)
        sequence, counts, sent_at = 1, self._counts(), 0.0
        for _ in self._steps():
            if monotonic() - sent_at >= SECONDS_PER_MESSAGE:
                yield self._progress(sequence, counts)
                sequence, counts, sent_at = sequence + 1, self._counts(), monotonic()
        self.close()
        last = self._progress(sequence, counts)
        yield wire.whole_message(race) if whole else last

    def go_on_alone(self) -> None:
        """Run on until SECONDS_ALONE after the last request for steps."""
        self.last_read = monotonic()
        for _ in self._steps():
            if monotonic() - self.last_read > SECONDS_ALONE:
                break

    def steps_from(self, first: int) -> str | None:
        """The message with all steps from number `first` (0-based, of all lanes together) on; for 0
        everything so far. None where there can be no such step."""
        self.last_read = monotonic()
        race = self.race.so_far()  # it may go on in another thread
        if not 0 <= first <= len(race.order):
            return None
        for trace in race.traces:
            trace.spell(self.speller)
        if first == 0:
            return wire.whole_message(race)
        counts = [race.order[:first].count(lane) for lane in range(len(race.traces))]
        # All bytes that these steps need, since the reader may lack any of them.
        needed = [
            {token: trace.vocabulary[token] for token in trace.mentioned(at)}
            for trace, at in zip(race.traces, counts, strict=True)
        ]
        return wire.progress_message(race, counts, needed)

    def close(self) -> None:
        """End it; lanes that have not ended are "cancelled"."""
        self.growth.close()
        self.race.cancel()

    def _counts(self) -> list[int]:
        return [len(trace.steps) for trace in self.race.traces]

    def _progress(self, sequence: int, counts: list[int]) -> str:
        lanes = zip(self.race.traces, counts, strict=True)
        new = [trace.spell(self.speller, first) for trace, first in lanes]
        return wire.progress_message(self.race, counts, new, sequence)

    def _steps(self) -> Iterator[int]:
        """The remaining steps, until `stop` is set; an error goes into its trace."""
        try:
            for lane in self.growth:
                if self.stop.is_set():
                    break
                yield lane
        except Exception as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        # A LogitSpecError is a message for people, so its traceback is of no use in the log.
        details = None if isinstance(error, LogitSpecError) else error
        steps = sum(self._counts())
        log.error("%s failed after %d steps", self.race.name, steps, exc_info=details)
        traces = self.race.traces
        # A race can fail before any of its lanes has begun.
        for trace in [each for each in traces if each.finish == "error"] or traces[:1]:
            trace.finish, trace.error = "error", sentence(error)


class LiveRuns:
    """The last MAX_RUNS runs, by name."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, LiveRun] = OrderedDict()

    def add(self, run: LiveRun) -> None:
        self._runs[run.race.name] = run
        while len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)

    def get(self, name: str) -> LiveRun | None:
        return self._runs.get(name)
