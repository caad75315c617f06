"""Gradio's record of each session, which costs next to nothing until a session changes something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder


@asynccontextmanager
async def light_sessions(app: Any) -> AsyncIterator[None]:
    """The lifespan of an application of Gradio that keeps its sessions so."""
    holder = LightSessions()
    holder.set_blocks(app.get_blocks())
    app.state_holder = holder
    yield


class LightSessions(StateHolder):
    """Gradio draws up the configuration of every component for every session, which takes its event loop 10
    to 50 ms and 160 KB; here sessions share that of the page until they change it."""

    def set_blocks(self, blocks: gr.Blocks) -> None:
        super().set_blocks(blocks)
        self._first = SessionState(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = LightSession(self.blocks, self._first)
        return super().__getitem__(session_id)


class LightSession(SessionState):
    """A session as `first` is, one that nothing has happened in."""

    def __init__(self, blocks: gr.Blocks, first: SessionState) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = dict(first.config_values)
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = first.STATE_TTL_WHEN_CLOSED

    def _update_value_in_config(self, key: int, value: Any) -> None:
        shared = self.config_values.get(key)
        if shared and "props" in shared:  # a copy, since others have it too
            self.config_values[key] = {**shared, "props": {**shared["props"]}}
        super()._update_value_in_config(key, value)
