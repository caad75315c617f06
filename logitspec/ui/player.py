"""The step player as a Gradio component; everything it does lives in assets/player."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parents[2] / "assets" / "player"


def script() -> str:
    """The player's style, its scripts and the adapter that feeds it, as one function body.

    The style travels in the script because Gradio rewrites the rules of its css options: it cuts
    selectors at commas inside :is() and drops container rules.
    """
    order = json.loads(_read("order.json"))
    style = json.dumps("\n".join(map(_read, order["styles"])))
    scripts = map(_read, [*order["scripts"], "gradio.js"])
    return "\n".join([f"const PLAYER_CSS = {style};", *scripts])


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def step_player(fetch_steps: Callable[[Any], Any]) -> gr.HTML:
    """The component. Its value is one wire message (trace.py); fetch_steps({"run", "from"}) returns
    the delta that fills a gap."""
    player = gr.HTML(
        value="",
        html_template=_read("player.html"),
        js_on_load=script(),
        apply_default_css=False,
        padding=False,
        server_functions=[fetch_steps],
        elem_id="player",
    )
    # Gradio would search every message for script tags and warn about those that a model wrote.
    player.postprocess = lambda value: value  # type: ignore[method-assign]
    return player
