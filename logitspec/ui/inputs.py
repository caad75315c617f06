"""The inputs of a tab, whose values come back after a reload of the page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from logitspec.ui.desk import PRIVATE


def keep_inputs(page: gr.Blocks, tab: str, inputs: list[Any]) -> None:
    """Keep the values of `inputs` in the visitor's browser, as long as its tab is open."""
    both = {"fn": None, "inputs": inputs, **PRIVATE}
    gr.on(
        [each.change for each in inputs],
        js=f"(...values) => logitspec.keepInputs('{tab}', values)",
        **both,
    )
    page.load(outputs=inputs, js=f"(...values) => logitspec.recallInputs('{tab}', values)", **both)
