"""Gradio's records of sessions and its queue, which cost next to nothing while nothing happens."""

from __future__ import annotations

from asyncio import create_task, sleep
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

SECONDS_UNHEARD = 60.0  # to keep the messages of a session that nobody listens to
SECONDS_PER_LOOK = 10.0
# Of an empty queue. Gradio looks ten times as often, which keeps the processor of an idle app busy.
SECONDS_PER_POLL = 0.01


def light_sessions(
    silence: Callable[[str], float],
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """The lifespan of a Gradio application that keeps light sessions. silence: seconds since anybody
    listened to a session."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        holder = LightSessions()
        holder.set_blocks(app.get_blocks())
        app.state_holder = holder
        queue = app.get_blocks()._queue
        queue.sleep_when_free = SECONDS_PER_POLL
        task = create_task(_forget_messages(queue, silence))
        yield
        task.cancel()

    return lifespan


async def _forget_messages(queue: Any, silence: Callable[[str], float]) -> None:
    """Forget messages at intervals: Gradio keeps those that nobody fetches, of up to 2000 sessions."""
    while True:
        forget_messages(queue, silence)
        await sleep(SECONDS_PER_LOOK)


def forget_messages(queue: Any, silence: Callable[[str], float]) -> None:
    """Drop the messages of sessions that nobody listens to and in which nothing goes on."""
    busy = {event.session_hash for event in list(queue.event_ids_to_events.values())}
    for session in list(queue.pending_messages_per_session):
        if session not in busy and silence(session) > SECONDS_UNHEARD:
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)


class LightSessions(StateHolder):
    """Gradio builds the configuration of every component for every session, which takes its event loop 10
    to 50 ms and 160 KB; here sessions share the page's configuration until they change it."""

    def set_blocks(self, blocks: gr.Blocks) -> None:
        super().set_blocks(blocks)
        self._first = SessionState(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = LightSession(self.blocks, self._first)
        return super().__getitem__(session_id)


class LightSession(SessionState):
    """A session like `first`, in which nothing has happened yet."""

    def __init__(self, blocks: gr.Blocks, first: SessionState) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = dict(first.config_values)
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = first.STATE_TTL_WHEN_CLOSED

    def _update_value_in_config(self, key: int, value: Any) -> None:
        shared = self.config_values.get(key)
        if shared and "props" in shared:  # copied, since other sessions share it
            self.config_values[key] = {**shared, "props": {**shared["props"]}}
        super()._update_value_in_config(key, value)
