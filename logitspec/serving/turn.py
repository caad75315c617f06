"""Whose turn it is: one piece of work at a time on this machine's models, and visitors in fair order.

    a ring of addresses -> a ring of each one's visitors -> each one's places, first come first served

After a turn, the visitor and their address go to the ends of their rings, so a visitor's second run comes
after everybody's first, and an address with many visitors gets no more than one with few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic
from typing import NamedTuple

from logitspec.errors import LogitSpecError
from logitspec.serving.limits import MAX_WAITING, NOBODY_ELSE, PRIVATE, Limits, Visitor

SECONDS_PER_LOOK = 0.04  # between checks of `stop` while waiting
UNHEARD = "Nobody was following this any more, so it was stopped; start it again."
NEWEST_SHARE = 0.3  # weight of the last turn in the expected length of the next

Clock = Callable[[], float]


class Outlook(NamedTuple):
    """The expected wait of a place. ahead: turns before its own, including the current one. seconds: until
    its turn; None until a first turn has ended."""

    ahead: int
    seconds: float | None


class Place:
    """A place in the queue. come: done when its turn has come."""

    def __init__(self, turn: Turn, visitor: Visitor) -> None:
        self.visitor = visitor
        self.come: Future[None] = Future()
        self._turn = turn
        self._claimed = False

    def outlook(self) -> Outlook:
        """The wait to be expected from now on."""
        return self._turn.outlook(self)

    def wait(self, stop: Event) -> None:
        """Wait for the turn; LogitSpecError when `stop` is set first, and the place is given up.

        The caller must leave the place afterwards."""
        self._claimed = True
        while True:
            try:
                return self.come.result(SECONDS_PER_LOOK)
            except NotYet:
                if stop.is_set():
                    self.leave()
                    raise stopped() from None

    @contextmanager
    def until_claimed(self) -> Iterator[None]:
        """A block that leaves the place at its end unless `wait` has been called: a generator that is closed
        before it begins runs no `finally`, and no later place would ever have a turn."""
        try:
            yield
        finally:
            if not self._claimed:
                self.leave()

    def leave(self) -> None:
        """End the turn, or give up waiting for it; a second call does nothing."""
        self._turn.leave(self)


def stopped() -> LogitSpecError:
    """The error for a run that was stopped while it waited."""
    return LogitSpecError("This run was stopped before it began.")


class Turn:
    """The queue of all places. now: a clock, in seconds."""

    def __init__(self, limits: Limits = PRIVATE, now: Clock = monotonic) -> None:
        self._limits, self._now = limits, now
        self._lock = Lock()
        self._rings: dict[str, dict[str, list[Place]]] = {}  # by address and session
        self._holder: Place | None = None
        self._since = 0.0
        self._usual: float | None = None  # seconds of a turn, weighted towards recent ones

    def ask(self, visitor: Visitor = NOBODY_ELSE, again: bool = False) -> Place:
        """A place for `visitor`, whose turn may have come already. again: for work that has given way, which
        is never refused.

        Raises LogitSpecError for a visitor with too many places waiting, and when too many wait in total: an
        address may have as many waiting as there are places left for others.
        """
        with self._lock:
            if not again:
                self._refuse(visitor)
            place = Place(self, visitor)
            sessions = self._rings.setdefault(visitor.address, {})
            sessions.setdefault(visitor.session, []).append(place)
            self._go_on()
        return place

    def _refuse(self, visitor: Visitor) -> None:
        sessions = self._rings.get(visitor.address, {})
        if (own := len(sessions.get(visitor.session, []))) >= self._limits.waiting:
            raise LogitSpecError(
                f"{own} of your runs are waiting already; wait for one of them, or stop it."
            )
        free = MAX_WAITING - len(self._order())
        if sum(map(len, sessions.values())) >= free:
            raise LogitSpecError("Too many runs are waiting here; try again in a minute.")

    def leave(self, place: Place) -> None:
        """`Place.leave`."""
        with self._lock:
            if place is self._holder:
                self._end()
            else:
                self._remove(place)

    def _end(self) -> None:
        place, self._holder = self._holder, None
        assert place is not None
        took, usual = self._now() - self._since, self._usual
        self._usual = took if usual is None else usual + NEWEST_SHARE * (took - usual)
        _to_the_end(self._rings, place.visitor)
        self._go_on()

    def _go_on(self) -> None:
        """Give the turn to the next place, if nobody has it."""
        if self._holder is None and (order := self._order()):
            self._holder, self._since = order[0], self._now()
            self._remove(order[0])
            order[0].come.set_result(None)

    def _remove(self, place: Place) -> None:
        address, session = place.visitor.address, place.visitor.session
        places = self._rings.get(address, {}).get(session, [])
        if place not in places:
            return
        places.remove(place)
        if not places:
            del self._rings[address][session]
        if not self._rings[address]:
            del self._rings[address]

    def _order(self) -> list[Place]:
        """The waiting places, in the order of their turns."""
        rings = {address: dict(sessions) for address, sessions in self._rings.items()}
        if self._holder is not None:  # the current visitor comes last, whenever others asked
            _to_the_end(rings, self._holder.visitor)
        queues = [[list(places) for places in sessions.values()] for sessions in rings.values()]
        order = []
        while queues:
            queue = queues.pop(0)
            places = queue.pop(0)
            order.append(places.pop(0))
            if places:
                queue.append(places)
            if queue:
                queues.append(queue)
        return order

    @property
    def wanted(self) -> bool:
        """Whether anybody is waiting."""
        with self._lock:
            return bool(self._order())

    def outlook(self, place: Place) -> Outlook:
        """`Place.outlook`."""
        with self._lock:
            order = self._order()
            if place not in order:
                return Outlook(0, 0.0)
            before = order.index(place)
            if self._usual is None:
                return Outlook(before + 1, None)
            rest = max(0.0, self._usual - (self._now() - self._since))
            return Outlook(before + 1, rest + before * self._usual)

    def forget(self, session: str) -> None:
        """The page or script of `session` is gone: drop its waiting places."""
        with self._lock:
            gone = [place for place in self._order() if place.visitor.session == session]
            for place in gone:
                self._remove(place)
                place.come.set_exception(stopped())

    def give_way(self, place: Place, stop: Event) -> Place:
        """Let others go first, if any wait and `place` has had the turn for a while. Returns its new place,
        whose turn has come, or `place` itself; LogitSpecError when `stop` is set first."""
        with self._lock:
            early = self._now() - self._since < self._limits.way_seconds
        if early or not self.wanted:
            return place
        place.leave()
        again = self.ask(place.visitor, again=True)
        again.wait(stop)
        return again

    @contextmanager
    def hold(self, stop: Event) -> Iterator[None]:
        """Hold the turn for the length of a block, as a caller in this process."""
        place = self.ask()
        place.wait(stop)
        try:
            yield
        finally:
            place.leave()


def _to_the_end(rings: dict[str, dict[str, list[Place]]], visitor: Visitor) -> None:
    """Move `visitor`, if anything of theirs waits, and their address to the ends of their rings."""
    if sessions := rings.pop(visitor.address, {}):
        if places := sessions.pop(visitor.session, []):
            sessions[visitor.session] = places
        rings[visitor.address] = sessions
