"""Clicks on Run, Race and Stop: each visitor's current run, and its messages to the page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import gradio as gr

from logitspec.errors import LogitSpecError, sentence
from logitspec.serving.host import Host
from logitspec.serving.request import Request
from logitspec.serving.wire import error_message, pack

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
EVERY_CLICK: dict[str, Any] = {**PRIVATE, "trigger_mode": "multiple"}

log = logging.getLogger(__name__)


@dataclass
class Ticket:
    """One click on Run: whether its turn has come, whether to stop, and whether a later click has
    replaced it."""

    stop: Event = field(default_factory=Event)
    begun: bool = False
    replaced: bool = False


class Desk:
    """The current run of each visitor: one at a time in each tab."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tickets: dict[str, Ticket] = {}  # by click
        self._newest: dict[str, Ticket] = {}  # by visitor

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

        request: makes one of the values of `inputs`; may raise LogitSpecError. events: of the page's
        window, by which the view hears of both presses before the server does.
        """
        # Not a gr.State: Gradio would read it when a waiting run begins, not at the click.
        click = gr.Textbox(visible=False)
        started, stopped = (
            f"(...values) => logitspec.announce('{each}', values)" for each in events
        )

        def run(click: str, *values: Any) -> Iterator[str]:
            yield from self._messages(click, lambda: request(*values))

        gr.on(
            [start.click, prompt.submit],
            self._new_ticket,
            outputs=[click],
            js=started,
            queue=False,
            **EVERY_CLICK,
        ).then(
            run,
            [click, *inputs],
            [view],
            concurrency_limit=1,
            concurrency_id="model",
            **EVERY_CLICK,
        )
        stop.click(self._stop, outputs=[view], js=stopped, queue=False, **EVERY_CLICK)

    def replace(self, visitor: gr.Request) -> None:
        """End the visitor's current run without further messages."""
        if old := self._halt(visitor):
            old.replaced = True

    def leave(self, visitor: gr.Request) -> None:
        """The page is gone: a waiting request ends; a run goes on, because the page may come back after a
        reload or a lost connection."""
        ticket = self._newest.pop(str(visitor.session_hash), None)
        if ticket and not ticket.begun:
            ticket.stop.set()

    def _new_ticket(self, visitor: gr.Request) -> str:
        """A name for this click. Comes before the queue, so that a Stop pressed while the run still
        waits finds what to set."""
        self.replace(visitor)
        click = secrets.token_hex(8)
        self._newest[str(visitor.session_hash)] = self._tickets[click] = Ticket()
        return click

    def _messages(self, click: str, request: Callable[[], Request]) -> Iterator[str]:
        """Messages for the view; an error appears in it and as a notice."""
        ticket = self._tickets.pop(click, Ticket())
        if ticket.stop.is_set():
            return
        ticket.begun = True
        try:
            for message in self._host.stream(request(), ticket.stop, outlives=True):
                if not ticket.replaced:
                    yield pack(message)
        except Exception as error:
            yield error_message(error_sentence(error))
            raise notice(error, duration=5) from error

    def _stop(self, visitor: gr.Request) -> Any:
        ticket = self._halt(visitor)
        waiting = ticket is not None and not ticket.begun
        return error_message("This run was stopped before it began.") if waiting else gr.skip()

    def _halt(self, visitor: gr.Request) -> Ticket | None:
        ticket = self._newest.pop(str(visitor.session_hash), None)
        if ticket:
            ticket.stop.set()
        return ticket


def notice(error: Exception, **options: Any) -> gr.Error:
    """`error` as Gradio shows it and sends it to scripts."""
    return gr.Error(error_sentence(error), print_exception=False, **options)


def error_sentence(error: Exception) -> str:
    """One sentence about `error`; an unexpected one also goes to the log in full."""
    if not isinstance(error, LogitSpecError):
        log.error("a request failed", exc_info=error)
    return sentence(error)
