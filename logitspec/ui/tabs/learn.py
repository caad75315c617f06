"""The tab "Learn": a guided lesson over recorded steps; everything it does lives in assets/learn."""

from __future__ import annotations

from typing import Any

import gradio as gr

from logitspec.publish.catalogue import say
from logitspec.publish.demos import TRACES
from logitspec.publish.lesson_page import lesson_markup
from logitspec.ui.callbacks import callbacks
from logitspec.ui.desk import PRIVATE
from logitspec.ui.scripts import component
from logitspec.ui.tab import Shell, Tab

OPENED = ("compare", "watch")  # tabs that a station may lead to


def build(shell: Shell) -> None:
    lesson = gr.HTML(
        "",
        html_template=lesson_markup(),
        js_on_load=component(),
        apply_default_css=False,
        padding=False,
        server_functions=callbacks(shell.host, TRACES),
        elem_id="lesson",
    )
    lesson.open_tab(_tab, outputs=[shell.tabs], queue=False, **PRIVATE)


def _tab(event: gr.EventData) -> Any:
    """The tab that the event names."""
    wanted = getattr(event, "tab", None)
    return gr.Tabs(selected=wanted) if wanted in OPENED else gr.skip()


TAB = Tab("learn", say("learn.tab"), build, position=0)
