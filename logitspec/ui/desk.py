"""Clicks on Run, Race and Stop: each visitor's current run, and its messages to the page."""

from __future__ import annotations

import logging
import secrets
from asyncio import sleep
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from html import escape
from threading import Event
from typing import Any

import gradio as gr

from logitspec.errors import LogitSpecError, sentence
from logitspec.serving.host import Host
from logitspec.serving.request import Request
from logitspec.serving.turn import Outlook, Place, stopped
from logitspec.serving.waiting import in_turn
from logitspec.serving.wire import error_message, pack, waiting_message
from logitspec.ui.visit import visitor_of

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
EVERY_CLICK: dict[str, Any] = {**PRIVATE, "trigger_mode": "multiple"}
# serving/turn.py orders the waiting runs, so Gradio's queue lets everybody through.
AT_ONCE: dict[str, Any] = {"concurrency_limit": None, "concurrency_id": "model"}
MAX_TICKETS = 4096  # the latest are kept
SECONDS_TO_JOIN = 5.0  # from a click to its run
SECONDS_PER_LOOK = 0.05

log = logging.getLogger(__name__)


@dataclass
class Ticket:
    """One click on Run: whether its run has joined Gradio's queue, whether its turn has come, whether to stop, and
    whether a later click has replaced it."""

    stop: Event = field(default_factory=Event)
    joined: bool = False
    begun: bool = False
    replaced: bool = False


class Desk:
    """The current run of each visitor: one at a time in each tab."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()  # by click
        self._newest: OrderedDict[str, Ticket] = OrderedDict()  # by session

    def connect(
        self,
        start: gr.Button,
        stop: gr.Button,
        prompt: gr.Textbox,
        view: gr.HTML,
        inputs: list[Any],
        request: Callable[..., Request],
        events: tuple[str, str],
    ) -> None:
        """Run on click and on Shift+Enter, stop on Stop; a new run ends the visitor's old ones.

        request: makes a Request from the values of `inputs`; may raise LogitSpecError. events: names of two
        events of the page's window, which tell the view of a start or a stop before the server hears of it.
        """
        # Not a gr.State: Gradio would read it when a waiting run begins, not at the click.
        click = gr.Textbox(visible=False)
        pressed, halted = (
            f"(...values) => logitspec.announce('{each}', values)" for each in events
        )

        async def run(visit: gr.Request, click: str, *values: Any) -> AsyncIterator[str]:
            async for message in self._stream(visit, click, lambda: request(*values)):
                yield message

        ticket = gr.on(
            [start.click, prompt.submit],
            self._new_ticket,
            outputs=[click],
            js=pressed,
            queue=False,
            **EVERY_CLICK,
        )
        run_event = ticket.then(run, [click, *inputs], [view], **AT_ONCE, **EVERY_CLICK)
        for event in (ticket, run_event):  # a refusal by the server never arrives as a message
            event.failure(None, js=f"() => logitspec.announce('{events[0]}-refused', [])")
        stop.click(self._stop, outputs=[view], js=halted, queue=False, **EVERY_CLICK)

    def replace(self, visit: gr.Request) -> None:
        """End the visitor's current run without further messages."""
        if old := self._newest.pop(str(visit.session_hash), None):
            _replace(old)

    def _new_ticket(self, visit: gr.Request) -> str:
        """A name for this click. Called before the queue, so that a Stop pressed while the run still
        waits finds its ticket."""
        click, session = secrets.token_hex(8), str(visit.session_hash)
        old = self._newest.get(session)
        self._newest[session] = self._tickets[click] = Ticket()
        self._newest.move_to_end(session)
        if old:
            _replace(old)
        for tickets in (self._newest, self._tickets):
            while len(tickets) > MAX_TICKETS:
                tickets.popitem(last=False)
        return click

    async def _stream(
        self, visit: gr.Request, click: str, make: Callable[[], Request]
    ) -> AsyncIterator[str]:
        """Yield `_messages`; a replaced run ends only after the next one has joined."""
        async for message in self._messages(visit, click, make):
            yield message

        def has_joined() -> bool:
            newest = self._newest.get(str(visit.session_hash))
            return newest is None or newest.joined

        await until_next(has_joined)

    async def _messages(
        self, visit: gr.Request, click: str, make: Callable[[], Request]
    ) -> AsyncIterator[str]:
        """Messages for the view; an error appears in it and as a notice."""
        ticket = self._tickets.pop(click, Ticket())
        ticket.joined = True
        if ticket.stop.is_set():
            return
        try:
            request = make()
            if not (request.model or "").strip():  # the page then names the default one
                request = replace(request, model=self._host.models.default)
            request.check()

            def begin(place: Place) -> Generator[str, None, None]:
                ticket.begun = True
                return _packed(self._host.stream(request, ticket.stop, outlives=True, place=place))

            async with aclosing(
                in_turn(self._host, visitor_of(visit), ticket.stop, begin)
            ) as messages:
                async for message in messages:
                    if isinstance(message, Outlook):
                        yield waiting_message(*message)
                    elif not ticket.replaced:
                        yield message
        except Exception as error:
            said = error_sentence(error)
            if ticket.replaced or (ticket.stop.is_set() and not ticket.begun):
                return
            yield error_message(said)
            # The page renders a notice as markup, and a sentence may have names from the visitor.
            raise gr.Error(escape(said, quote=False), print_exception=False, duration=5) from error

    def _stop(self, visit: gr.Request) -> Any:
        ticket = self._newest.pop(str(visit.session_hash), None)
        if ticket is None:
            return gr.skip()
        ticket.stop.set()
        return gr.skip() if ticket.begun else error_message(str(stopped()))


async def until_next(has_joined: Callable[[], bool]) -> None:
    """Wait until the run that replaces this one has joined Gradio's queue, for some seconds at most: Gradio closes a
    page's stream with the last of its runs, and a run that joined at that moment would never be read."""
    for _ in range(round(SECONDS_TO_JOIN / SECONDS_PER_LOOK)):
        if has_joined():
            return
        await sleep(SECONDS_PER_LOOK)


def _replace(ticket: Ticket) -> None:
    ticket.replaced = True
    ticket.stop.set()


def _packed(messages: Generator[str, None, None]) -> Generator[str, None, None]:
    """Each of `messages`, packed; closing this closes `messages` too."""
    with closing(messages):
        yield from map(pack, messages)


def notice(error: Exception) -> gr.Error:
    """`error` as Gradio sends it to scripts."""
    return gr.Error(error_sentence(error), print_exception=False)


def error_sentence(error: Exception) -> str:
    """One sentence about `error`; an unexpected one also goes to the log in full."""
    if not isinstance(error, LogitSpecError):
        log.error("a request failed", exc_info=error)
    return sentence(error)
