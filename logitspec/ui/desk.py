"""Who has asked for what: tickets for presses on Run and Race, what a visitor is told of errors, and
what a page asks for that comes back."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr

from logitspec.errors import LogitSpecError, sentence
from logitspec.publish.demos import read_demo
from logitspec.serving.host import Host
from logitspec.trace.records import Trace, dumps, packed, steps_message

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

log = logging.getLogger(__name__)


@dataclass
class Ticket:
    """One press on Run: whether its turn has come, whether to stop, and whether a later press has
    taken its place."""

    stop: Event = field(default_factory=Event)
    begun: bool = False
    replaced: bool = False


class Desk:
    """Who has asked for which run: every visitor has one at a time in each tab."""

    def __init__(self) -> None:
        self._tickets: dict[str, Ticket] = {}  # by click
        self._newest: dict[str, Ticket] = {}  # by visitor

    def ready(self, request: gr.Request) -> str:
        """A name for this click. Comes before the queue, so that a Stop pressed while the run still
        waits finds what to set."""
        self.replace(request)
        click = secrets.token_hex(8)
        self._newest[str(request.session_hash)] = self._tickets[click] = Ticket()
        return click

    def ticket(self, click: str) -> Ticket:
        """The ticket of a click, once."""
        return self._tickets.pop(click, Ticket())

    def replace(self, request: gr.Request) -> None:
        """The visitor turns to something else: what runs for them ends unseen."""
        if old := self._halt(request):
            old.replaced = True

    def stopped(self, request: gr.Request) -> Any:
        """Stop was pressed."""
        ticket = self._halt(request)
        waiting = ticket is not None and not ticket.begun
        return problem("This run was stopped before it began.") if waiting else gr.skip()

    def left(self, request: gr.Request) -> None:
        """The page is gone: what waits for its turn ends, what runs may be asked for by the page that
        comes after a reload or a cut connection."""
        ticket = self._newest.pop(str(request.session_hash), None)
        if ticket and not ticket.begun:
            ticket.stop.set()

    def _halt(self, request: gr.Request) -> Ticket | None:
        ticket = self._newest.pop(str(request.session_hash), None)
        if ticket:
            ticket.stop.set()
        return ticket


def shown(messages: Iterable[str], ticket: Ticket) -> Iterator[str]:
    """A stream for the page: what can't be run is said in its component and as a notice."""
    if ticket.stop.is_set():
        return
    ticket.begun = True
    try:
        for message in messages:
            if not ticket.replaced:
                yield packed(message)
    except Exception as error:
        yield problem(told(error))
        raise gr.Error(told(error), duration=5, print_exception=False) from error


def told_to_page(event: str) -> str:
    """The script of a button whose press the page's views hear as `event` before the server does."""
    return f"(...values) => {{ dispatchEvent(new Event('{event}')); return values; }}"


def problem(message: str) -> str:
    """The message by which a component tells of an error."""
    # A component takes no notice of a value that equals the last one; the id makes it another.
    return dumps({"kind": "error", "run": "", "id": secrets.token_hex(4), "message": message})


def told(error: Exception) -> str:
    """One sentence about `error`; an unexpected one also goes to the log in full."""
    if not isinstance(error, LogitSpecError):
        log.error("a request failed", exc_info=error)
    return sentence(error)


def fetcher(host: Host, folder: Path) -> Any:
    """The server function by which a view fills gaps; the page calls it by its name. Recordings are
    those in `folder`."""

    def fetch_steps(wanted: Any) -> str | None:
        """Anyone can call this with anything."""
        if not isinstance(wanted, dict):
            return None
        run_id, first = wanted.get("run"), wanted.get("from")
        if not isinstance(run_id, str) or type(first) is not int:
            return None
        whole = read_demo(run_id, folder)
        found = _from(whole, first) if whole else host.steps_from(run_id, first)
        return packed(found) if found else None

    return fetch_steps


def _from(recording: str, first: int) -> str | None:
    """What `Host.steps_from` gives, of a recorded run; of a race only the whole."""
    if first == 0:
        return recording
    if json.loads(recording)["kind"] != "trace":
        return None
    trace = Trace.from_json(recording)
    return steps_message(trace, -1, first, {}) if 0 < first <= len(trace.steps) else None


def stopper(host: Host) -> Any:
    """The server function by which a page ends its run after a reload."""

    def stop_run(wanted: Any) -> None:
        """Anyone can call this with anything; names of runs can't be guessed."""
        if isinstance(wanted, dict) and isinstance(wanted.get("run"), str):
            host.stop(wanted["run"])

    return stop_run
