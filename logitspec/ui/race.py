"""The race as a Gradio component; everything it does lives in assets/compare."""

from __future__ import annotations

import gradio as gr

from logitspec.paths import ASSETS
from logitspec.publish.demos import RACES
from logitspec.serving.host import Host
from logitspec.ui.callbacks import callbacks
from logitspec.ui.scripts import component


def race_view(value: str, host: Host) -> gr.HTML:
    """The component. Its value is one message of `logitspec.serving.wire`, packed or not."""
    view = gr.HTML(
        value="",
        html_template=(ASSETS / "compare" / "compare.html").read_text(encoding="utf-8"),
        js_on_load=component(),
        apply_default_css=False,
        padding=False,
        server_functions=callbacks(host, RACES),
        elem_id="race-view",
    )
    # Gradio would search every message for script tags and warn about those that a model wrote.
    view.postprocess = lambda value: value  # type: ignore[method-assign]
    view.value = value
    return view
