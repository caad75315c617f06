"""A Gradio page around the player, for measurements: a button that streams a run, and a record of events in Python."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from logitspec.serving.wire import pack
from logitspec.ui.player import step_player
from logitspec.ui.scripts import launch_options
from support.app import free_port


@contextmanager
def streaming_page(whole: str, messages: Iterable[str], rate: float) -> Iterator[str]:
    """Serve the page; yield its address.

    The button "Stream" sends the `messages`, `rate` a second; `whole` is what the page gets when it asks
    for steps. The text box #answered holds the step that the viewer went to last and when Python heard
    of it, in ms since 1970.
    """

    def fetch(request: Any) -> str | None:
        return pack(whole)

    def stream() -> Iterator[str]:
        start = time.perf_counter()
        for number, message in enumerate(messages):
            time.sleep(max(0.0, start + number / rate - time.perf_counter()))
            yield pack(message)

    def report_step(event: gr.EventData) -> str:
        return f"{event._data['step']} {time.time() * 1000}"

    with gr.Blocks(analytics_enabled=False) as page:
        player = step_player("", fetch, lambda _wanted: None)
        start = gr.Button("Stream")
        answered = gr.Textbox(label="Answered", elem_id="answered")
        start.click(stream, outputs=[player], show_progress="hidden")
        listening: Any = player
        listening.step_select(report_step, outputs=[answered], queue=False, show_progress="hidden")
    _, url, _ = page.launch(
        prevent_thread_lock=True, quiet=True, server_port=free_port(), **launch_options()
    )
    yield url
    page.close()
