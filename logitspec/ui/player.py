"""The step player as a Gradio component; everything it does lives in assets/player."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from logitspec.publish.export import player_markup
from logitspec.ui.scripts import component


def step_player(
    value: str,
    fetch_steps: Callable[[Any], str | None],
    stop_run: Callable[[Any], None],
) -> gr.HTML:
    """The component. Its value is one message of serving/wire.py, or a recorded run to be played.

    The page calls both functions by name: fetch_steps({"run", "from"}) returns the delta that fills a
    gap, stop_run({"run"}) ends a run that has continued without its page. When the viewer goes to a
    step and stays, the event `step_select` carries {"run", "step"}, the step counted from 1; when a link
    or a file opens a run, `opened` carries {"prompt", "method", "model"}.
    """
    player = gr.HTML(
        value="",
        html_template=player_markup(),
        js_on_load=component(),
        apply_default_css=False,
        padding=False,
        server_functions=[fetch_steps, stop_run],
        elem_id="player",
    )
    # Gradio would search every message for script tags and warn about those that a model wrote.
    player.postprocess = lambda value: value  # type: ignore[method-assign]
    player.value = value
    return player
