"""The step player as a Gradio component; everything it does lives in assets/player."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parents[2] / "assets" / "player"
STYLE = FOLDER / "player.css"


def script() -> str:
    """The player's scripts and the adapter that feeds it, as one function body."""
    names = [*json.loads((FOLDER / "order.json").read_text()), "gradio.js"]
    return "\n".join((FOLDER / name).read_text() for name in names)


def step_player(fetch_steps: Callable[[Any], Any]) -> gr.HTML:
    """The component. Its value is one wire message (trace.py); fetch_steps({"run", "from"}) returns
    the delta that fills a gap."""
    player = gr.HTML(
        value="",
        html_template=(FOLDER / "player.html").read_text(),
        js_on_load=script(),
        apply_default_css=False,
        server_functions=[fetch_steps],
        elem_id="player",
    )
    # Gradio would search every message for script tags and warn about those that a model wrote.
    player.postprocess = lambda value: value  # type: ignore[method-assign]
    return player
