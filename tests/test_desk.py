"""Clicks on Run and Stop without a page: whose messages arrive, and when a replaced run ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from threading import Event
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from support.awaited import awaited

from logitspec.errors import LogitSpecError
from logitspec.serving.limits import Visitor
from logitspec.serving.request import Request
from logitspec.serving.turn import Place, Turn
from logitspec.ui import desk as desk_module
from logitspec.ui.desk import Desk

VISIT: Any = SimpleNamespace(session_hash="ann", client=SimpleNamespace(host="here"))


class Hall:
    """Stands in for a host: each run goes on until it is stopped."""

    models = SimpleNamespace(default="usual")

    def __init__(self) -> None:
        self._turn = Turn()
        self.asked: list[str] = []

    def ask(self, visitor: Visitor) -> Place:
        return self._turn.ask(visitor)

    def unheard(self, place: Place) -> bool:
        return False

    def stream(self, request: Request, stop: Event, outlives: bool, place: Place) -> Iterator[str]:
        try:
            place.wait(stop)
            self.asked.append(request.model)
            yield request.prompt
            stop.wait(60)
            if request.model == "bad":
                raise LogitSpecError("The model bad could not be loaded.")
        finally:
            place.leave()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(desk_module, "SECONDS_TO_JOIN", 600.0)
    return Desk(Hall())  # type: ignore[arg-type]


class Click:
    """A click on Run, whose run is read in the background once it joins."""

    def __init__(self, desk: Desk, prompt: str, model: str = "good") -> None:
        self._desk, self._prompt, self._model = desk, prompt, model
        self._name = desk._new_ticket(VISIT)
        self.messages: list[str] = []

    def join(self) -> None:
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        make = partial(Request, self._prompt, model=self._model)
        async for message in self._desk._stream(VISIT, self._name, make):
            self.messages.append(message)

    async def begins(self) -> None:
        while self._prompt not in self.messages:
            await asyncio.sleep(0.01)

    async def ends(self) -> None:
        await asyncio.wait_for(self.reading, 60)


@pytest.mark.parametrize("waits", [False, True])
def test_a_run_that_is_replaced_ends_after_the_next_one_has_joined(desk: Desk, waits: bool) -> None:
    """Gradio closes a page's stream of messages when the only run in it ends. waits: for somebody else's turn."""

    async def press_twice() -> None:
        other = desk._host.ask(Visitor("bob", "there")) if waits else None
        first = Click(desk, "first")
        first.join()
        if other is None:
            await first.begins()
        second = Click(desk, "second")
        await asyncio.sleep(0.5)
        assert not first.reading.done()
        second.join()
        if other is not None:
            other.leave()
        await second.begins()
        await first.ends()
        assert first.messages.count("first") == (not waits)
        assert "second" not in first.messages
        desk._stop(VISIT)
        await second.ends()

    awaited(press_twice())


def test_it_waits_for_none_that_never_joins(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "SECONDS_TO_JOIN", 0.2)

    async def press() -> None:
        first = Click(desk, "first")
        first.join()
        await first.begins()
        Click(desk, "second")
        await first.ends()

    awaited(press())


def test_one_that_made_way_for_a_recorded_run_waits_for_none(desk: Desk) -> None:
    async def choose() -> None:
        first = Click(desk, "first")
        first.join()
        await first.begins()
        desk.replace(VISIT)
        await first.ends()

    awaited(choose())


def test_one_that_is_replaced_while_its_model_loads_does_not_fail_in_the_view_of_the_next(
    desk: Desk,
) -> None:
    async def press_twice() -> None:
        first = Click(desk, "first", model="bad")
        first.join()
        await first.begins()
        second = Click(desk, "second")
        second.join()
        await first.ends()
        assert first.messages == ["first"]
        await second.begins()
        desk._stop(VISIT)
        await second.ends()

    awaited(press_twice())


def test_one_that_fails_after_stop_says_why(desk: Desk) -> None:
    async def press() -> None:
        first = Click(desk, "first", model="bad")
        first.join()
        await first.begins()
        desk._stop(VISIT)
        with pytest.raises(gr.Error, match="could not be loaded"):
            await first.ends()
        assert "could not be loaded" in first.messages[-1]

    awaited(press())


@pytest.mark.parametrize("model", ["", " ", None])
def test_an_emptied_list_of_models_means_the_default_one(desk: Desk, model: Any) -> None:
    async def press() -> None:
        first = Click(desk, "first", model)
        first.join()
        await first.begins()
        desk._stop(VISIT)
        await first.ends()

    awaited(press())
    assert desk._host.asked == ["usual"]  # type: ignore[attr-defined]


def test_stop_ends_one_that_waits_and_says_so(desk: Desk) -> None:
    async def press() -> None:
        desk._host.ask(Visitor("bob", "there"))
        first = Click(desk, "first")
        first.join()
        while not first.messages:  # about its wait
            await asyncio.sleep(0.01)
        assert "stopped before it began" in desk._stop(VISIT)
        await first.ends()
        assert "first" not in first.messages
        assert desk._stop(VISIT) == gr.skip()

    awaited(press())
