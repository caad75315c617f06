"""Clicks on Run and Stop without a page: whose messages come, and when a run that was replaced ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from support.awaited import awaited

from logitspec.serving.limits import Visitor
from logitspec.serving.request import Request
from logitspec.serving.turn import Place, Turn
from logitspec.ui import desk as desk_module
from logitspec.ui.desk import Desk

VISIT: Any = SimpleNamespace(session_hash="ann", client=SimpleNamespace(host="here"))


class Hall:
    """Stands in for a host: each run goes on until it is stopped."""

    def __init__(self) -> None:
        self._turn = Turn()

    def ask(self, visitor: Visitor) -> Place:
        return self._turn.ask(visitor)

    def unheard(self, place: Place) -> bool:
        return False

    def stream(self, request: Request, stop: Event, outlives: bool, place: Place) -> Iterator[str]:
        try:
            place.wait(stop)
            yield request.prompt
            stop.wait(60)
        finally:
            place.leave()


@pytest.fixture
def desk() -> Desk:
    return Desk(Hall())  # type: ignore[arg-type]


class Click:
    """One on Run, whose run is read in the background once it joins."""

    def __init__(self, desk: Desk, prompt: str) -> None:
        self._desk, self._prompt = desk, prompt
        self._name = desk._new_ticket(VISIT)
        self.messages: list[str] = []

    def join(self) -> None:
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        make = lambda: Request(self._prompt)  # noqa: E731
        async for message in self._desk._stream(VISIT, self._name, make):
            self.messages.append(message)

    async def begins(self) -> None:
        while self._prompt not in self.messages:
            await asyncio.sleep(0.01)


def test_a_run_that_is_replaced_ends_after_the_next_one_has_joined(desk: Desk) -> None:
    """Gradio closes a page's stream of messages with the end of the only run in it."""

    async def press_twice() -> None:
        first = Click(desk, "first")
        first.join()
        await first.begins()
        second = Click(desk, "second")
        await asyncio.sleep(0.5)
        assert not first.reading.done()
        second.join()
        await second.begins()
        await asyncio.wait_for(first.reading, 5)
        assert "second" not in first.messages
        desk._stop(VISIT)
        await asyncio.wait_for(second.reading, 5)

    awaited(press_twice())


def test_one_that_waits_for_its_turn_does_so_too(desk: Desk) -> None:
    async def press() -> None:
        other = desk._host.ask(Visitor("bob", "there"))
        first = Click(desk, "first")
        first.join()
        await asyncio.sleep(0.1)
        second = Click(desk, "second")
        await asyncio.sleep(0.5)
        assert not first.reading.done()
        second.join()
        other.leave()
        await second.begins()
        await asyncio.wait_for(first.reading, 5)
        assert "first" not in first.messages
        desk._stop(VISIT)
        await asyncio.wait_for(second.reading, 5)

    awaited(press())


def test_it_waits_for_none_that_never_joins(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "SECONDS_TO_JOIN", 0.2)

    async def press() -> None:
        first = Click(desk, "first")
        first.join()
        await first.begins()
        Click(desk, "second")
        await asyncio.wait_for(first.reading, 5)

    awaited(press())


def test_one_that_made_way_for_a_recorded_run_ends_at_once(desk: Desk) -> None:
    async def choose() -> None:
        first = Click(desk, "first")
        first.join()
        await first.begins()
        desk.replace(VISIT)
        await asyncio.wait_for(first.reading, 1)

    awaited(choose())
