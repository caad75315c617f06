"""The race as a Gradio component; everything it does lives in assets/compare."""

from __future__ import annotations

import json
from html import escape

import gradio as gr

from logitspec.paths import ASSETS
from logitspec.publish.demos import RACES
from logitspec.serving.host import Host
from logitspec.ui.callbacks import callbacks
from logitspec.ui.scripts import component

GPU = ASSETS / "benchmarks" / "gpu" / "h100.json"
GPU_MODEL = "llama-7b"
GPU_CONTEXT = 256  # tokens


def _markup() -> str:
    """The view's element, with the cost of a forward of a model of 7 billion parameters on a GPU, by rows."""
    markup = (ASSETS / "compare" / "compare.html").read_text(encoding="utf-8")
    if not GPU.is_file():
        return markup
    checked = json.loads(GPU.read_text(encoding="utf-8"))
    rows = [
        each
        for each in checked["parts"][GPU_MODEL]["rows"]
        if each["context"] == GPU_CONTEXT and each["mode"] == "graphs"
    ]
    costs = {
        "name": "H100",
        "rows": [each["rows"] for each in rows],
        "milliseconds": [each["forward_ms"] for each in rows],
    }
    return markup.replace("<section ", f'<section data-gpu="{escape(json.dumps(costs))}" ', 1)


def race_view(value: str, host: Host) -> gr.HTML:
    """The component. Its value is one message of `logitspec.serving.wire`, packed or not."""
    view = gr.HTML(
        value="",
        html_template=_markup(),
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
