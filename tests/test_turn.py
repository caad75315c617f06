"""Whose turn it is among visitors, by a clock that stands still."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from threading import Event

import pytest
from support.awaited import awaited

from logitspec import LogitSpecError
from logitspec.serving import turn as turns
from logitspec.serving.limits import Limits, Visitor
from logitspec.serving.turn import Outlook, Place, Turn
from logitspec.serving.waiting import outlooks

ANN, BEN, CY = (Visitor(name, "10.0.0.1") for name in ("ann", "ben", "cy"))
FAR = Visitor("far", "10.0.0.2")


class Clock:
    """Seconds that pass only when somebody says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def served(turn: Turn, places: list[Place]) -> list[Place]:
    """The places in the order in which their turns come."""
    order = []
    while waiting := [place for place in places if place not in order]:
        (now,) = [place for place in waiting if place.come.done()]
        order.append(now)
        now.leave()
    return order


def test_a_second_run_waits_behind_everybodys_first() -> None:
    turn = Turn()
    ann, again, ben, cy = (turn.ask(each) for each in (ANN, ANN, BEN, CY))
    assert [place.come.done() for place in (ann, again, ben, cy)] == [True, False, False, False]
    assert served(turn, [ann, again, ben, cy]) == [ann, ben, cy, again]


def test_who_comes_later_does_not_get_ahead_of_a_second_run() -> None:
    turn = Turn()
    ann, again, ben = turn.ask(ANN), turn.ask(ANN), turn.ask(BEN)
    ann.leave()
    newcomers = [turn.ask(Visitor(f"new {number}", ANN.address)) for number in range(5)]
    assert served(turn, [again, ben, *newcomers]) == [ben, again, *newcomers]


def test_an_address_with_many_visitors_gets_no_more_than_one_with_few() -> None:
    turn = Turn()
    many = [turn.ask(Visitor(str(number), "10.0.0.1")) for number in range(4)]
    few = [turn.ask(FAR), turn.ask(FAR)]
    assert served(turn, [*many, *few]) == [many[0], few[0], many[1], few[1], many[2], many[3]]


def test_too_many_runs_of_a_visitor_are_refused_with_a_sentence_and_nobody_else_is() -> None:
    turn = Turn(Limits(waiting=2))
    turn.ask(ANN)
    turn.ask(ANN)
    turn.ask(ANN)
    with pytest.raises(LogitSpecError, match="2 of your runs are waiting already"):
        turn.ask(ANN)
    assert not turn.ask(BEN).come.done()


def test_an_address_never_takes_the_last_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_WAITING", 8)
    turn = Turn()
    turn.ask(FAR)
    for number in range(4):
        turn.ask(Visitor(str(number), "10.0.0.1"))
    with pytest.raises(LogitSpecError, match="Too many runs are waiting here"):
        turn.ask(ANN)
    assert turn.ask(Visitor("ann", "10.0.0.3")).outlook().ahead == 2  # far, and one of the many


def test_the_outlook_is_the_turns_before_and_what_they_usually_take() -> None:
    clock = Clock()
    turn = Turn(now=clock)
    first = turn.ask(ANN)
    second = turn.ask(BEN)
    assert second.outlook() == Outlook(1, None)
    clock.now = 10.0
    first.leave()
    cy, far = turn.ask(CY), turn.ask(FAR)
    assert (far.outlook(), cy.outlook()) == (Outlook(1, 10.0), Outlook(2, 20.0))
    clock.now = 14.0
    assert cy.outlook() == Outlook(2, 16.0)
    clock.now = 100.0
    assert cy.outlook() == Outlook(2, 10.0)
    second.leave()  # after 90 s: 0.3 of them count, and 0.7 of the 10 s before
    assert cy.outlook() == Outlook(1, 34.0)


def test_a_place_is_given_up_and_who_is_gone_waits_no_more() -> None:
    turn = Turn()
    ann, ben, cy, again = (turn.ask(each) for each in (ANN, BEN, CY, BEN))
    turn.forget("ben")
    turn.forget("nobody")
    for place in (ben, again):
        with pytest.raises(LogitSpecError, match="stopped before it began"):
            place.wait(Event())
    cy.leave()
    cy.leave()
    assert not turn.wanted
    ann.leave()
    ann.leave()
    assert turn.ask(FAR).come.done()


def test_long_work_gives_way_and_goes_on_after_the_others() -> None:
    clock = Clock()
    turn = Turn(Limits(way_seconds=2), clock)
    work = turn.ask(ANN)
    assert turn.give_way(work, Event()) is work
    ben = turn.ask(BEN)
    clock.now = 1.0
    assert turn.give_way(work, Event()) is work
    clock.now = 2.0
    stop = Event()
    stop.set()
    with pytest.raises(LogitSpecError, match="stopped"):
        turn.give_way(work, stop)
    assert ben.come.done()
    ben.leave()
    assert not turn.wanted


def test_waiting_takes_no_thread_and_ends_with_the_turn_or_with_stop() -> None:
    turn = Turn()
    ann, ben, cy = turn.ask(ANN), turn.ask(BEN), turn.ask(CY)

    async def wait(place: Place, stop: Event, then: Place) -> list[int]:
        seen = []
        async for outlook in outlooks(place, stop):
            seen.append(outlook.ahead)
            then.leave()
        return seen

    assert awaited(wait(ben, Event(), ann)) == [1]
    assert ben.come.done()
    stop = Event()
    stop.set()
    with pytest.raises(LogitSpecError, match="stopped before it began"):
        awaited(wait(cy, stop, ann))


def test_who_waits_and_does_not_listen_makes_room() -> None:
    turn = Turn()
    turn.ask(ANN)
    ben = turn.ask(BEN)

    async def wait() -> list[Outlook]:
        return [each async for each in outlooks(ben, Event(), lambda: True)]

    with pytest.raises(LogitSpecError, match="Nobody was following"):
        awaited(wait())
    assert not turn.wanted


def test_work_that_is_closed_before_it_began_lets_the_next_have_their_turn() -> None:
    turn = Turn()
    ann, ben = turn.ask(ANN), turn.ask(BEN)

    def work() -> Generator[None, None, None]:
        try:
            ann.wait(Event())
            yield
        finally:
            ann.leave()

    with ann.until_claimed(), closing(work()):
        pass
    assert ben.come.done()


def test_work_that_has_begun_keeps_its_turn_after_the_block() -> None:
    turn = Turn()
    ann, ben = turn.ask(ANN), turn.ask(BEN)
    with ann.until_claimed():
        ann.wait(Event())
    assert not ben.come.done()
    ann.leave()
    assert ben.come.done()
