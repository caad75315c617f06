"""Runs that visitors follow: messages for their readers, and for pages that ask later.

A run is a race with one lane, so all of this applies to races.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from math import inf
from threading import Event
from time import monotonic

from logitspec.decoding.race import Race
from logitspec.errors import LogitSpecError, sentence
from logitspec.models.tokens import Speller
from logitspec.serving import wire
from logitspec.serving.limits import NOBODY_ELSE, Visitor
from logitspec.trace.records import Trace

MAX_RUNS = 32
SECONDS_PER_MESSAGE = 1 / 25
MANY_STEPS = 64

log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveRun:
    """A run that is in progress, is held, or ended recently.

    race: its traces, which grow while `growth` is read. growth: the lane of each step. speller: bytes of
    its model's tokens. stop: ends it at its next step. owner: its visitor. patience: seconds for which it
    goes on unheard. silence: seconds since anybody listened to its owner's session. now: a clock, in seconds.
    reader: whether it has one. last_read: time of the last request for its steps. wanted: set by such a
    request. packed: the whole run, once it has ended and somebody has asked.
    """

    race: Race
    speller: Speller
    growth: Generator[int, None, None]
    stop: Event
    owner: Visitor = NOBODY_ELSE
    patience: float = inf
    silence: Callable[[], float] = lambda: 0.0
    now: Callable[[], float] = monotonic
    reader: bool = True
    last_read: float = -inf
    wanted: Event = field(default_factory=Event)
    packed: str | None = None

    def messages(self, whole: bool) -> Iterator[str]:
        """The run to its end: the lanes, their steps as they come, and how they ended. The last
        message repeats everything if `whole`; otherwise it brings the last steps. Breaks off without that
        message once the run is unheard."""
        race = self.race
        yield wire.opening_message(race)
        sequence, counts, sent_at = 1, self._counts(), 0.0
        for _ in self._steps():
            if self.unheard:
                return
            if monotonic() - sent_at >= SECONDS_PER_MESSAGE:
                yield self._progress(sequence, counts)
                sequence, counts, sent_at = sequence + 1, self._counts(), monotonic()
        self.close()
        last = self._progress(sequence, counts)
        yield wire.whole_message(race) if whole else last

    def growing(self) -> Iterator[Race]:
        """The race as it grows, once per SECONDS_PER_MESSAGE at most, and at its end with its tokens spelt.
        Breaks off without its end once the run is unheard."""
        yielded_at = 0.0
        for _ in self._steps():
            if self.unheard:
                return
            if monotonic() - yielded_at >= SECONDS_PER_MESSAGE:
                yield self.race
                yielded_at = monotonic()
        self.close()
        for trace in self.race.traces:
            trace.spell(self.speller)
        yield self.race

    def lanes(self) -> Iterator[LiveRun]:
        """Each lane of a race that is over as a run of its own."""
        for title, trace in zip(self.race.titles, self.race.traces, strict=True):
            alone = Race([title], [trace], [0] * len(trace.steps), trace.run)
            yield LiveRun(alone, self.speller, _no_growth(), self.stop, self.owner, reader=False)

    def go_on_alone(self) -> bool:
        """Run on while somebody asks for steps. Returns whether the run came to its end."""
        return not self.unheard and all(not self.unheard for _ in self._steps())

    @property
    def unheard(self) -> bool:
        """Whether nobody has listened or asked for a while."""
        silence = self.silence() if self.reader else inf
        return min(silence, self.now() - self.last_read) > self.patience

    def lose_reader(self, for_good: bool) -> None:
        """Nobody reads `messages` any more. for_good: its page is closed, so it is unheard from now on."""
        self.reader = False
        self.last_read = -inf if for_good else self.now()

    @property
    def over(self) -> bool:
        """Whether it has ended, or is about to."""
        return self.stop.is_set() or self.race.over

    def halt(self) -> None:
        """End it, even while it is held."""
        self.stop.set()
        self.wanted.set()

    def steps_from(self, first: int) -> str | None:
        """The message with all steps from number `first` (0-based, counted over all lanes) on;
        for 0 everything so far. None where there can be no such step."""
        race = self._so_far()
        if not 0 <= first <= len(race.order):
            return None
        if first == 0:
            return wire.whole_message(race)
        counts = [race.order[:first].count(lane) for lane in range(len(race.traces))]
        # All bytes that these steps need, since the reader may lack any of them.
        needed = [
            {token: trace.vocabulary[token] for token in trace.mentioned(at)}
            for trace, at in zip(race.traces, counts, strict=True)
        ]
        return wire.progress_message(race, counts, needed)

    def traces(self) -> list[Trace]:
        """Its traces so far, spelt."""
        return self._so_far().traces

    def _so_far(self) -> Race:
        self.last_read = self.now()
        self.wanted.set()
        race = self.race.so_far()  # another thread may be adding steps
        for trace in race.traces:
            trace.spell(self.speller)
        return race

    def reply(self, first: int) -> str | None:
        """`steps_from`, packed; where many steps of a run that has ended are wanted, all of it, packed once."""
        if not self.wants_whole(first):
            message = self.steps_from(first)
            return None if message is None else wire.pack(message)
        if self.packed is None:
            message = self.steps_from(0)
            self.packed = None if message is None else wire.pack(message)
        return self.packed

    def wants_whole(self, first: int) -> bool:
        """Whether the answer for the steps from number `first` on is the whole run, which has ended."""
        many = first == 0 or 0 < first <= len(self.race.order) - MANY_STEPS
        return self.race.over and many

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
        failed, cut_off = (
            [each for each in self.race.traces if each.finish == finish]
            for finish in ("error", "cancelled")
        )
        # A race can fail before any of its lanes has begun.
        for trace in failed or cut_off[:1]:
            trace.finish, trace.error = "error", sentence(error)


def _no_growth() -> Generator[int, None, None]:
    yield from ()


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
