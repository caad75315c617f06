"""The inputs for the lanes of a race: a method each, and its options."""

from __future__ import annotations

from typing import Any

import gradio as gr

from logitspec.decoding.race import MIN_RIVALS, Entry
from logitspec.drafters import DEFAULT_METHOD, METHODS
from logitspec.publish.catalogue import say
from logitspec.ui.options import option_inputs, own_options

# Plain decoding first, then one method against it; the other lanes start empty.
LANES = ("autoregressive", DEFAULT_METHOD, "", "")
NO_LANE = ("–", "")


def lane_inputs() -> list[Any]:
    """A column for each lane, in a row; lanes after the first MIN_RIVALS may be empty. Returns the inputs
    whose values `entries` takes."""
    titles = [(each.title, name) for name, each in METHODS.items()]
    inputs = []
    with gr.Row():
        for number, method in enumerate(LANES, 1):
            choices = [*titles, NO_LANE] if number > MIN_RIVALS else titles
            inputs += _lane(number, choices, method)
    return inputs


def _lane(number: int, choices: list[tuple[str, str]], method: str) -> tuple[Any, Any]:
    with gr.Column(min_width=150), gr.Group():
        chosen = gr.Dropdown(
            choices,
            value=method,
            label=say("compare.lane", number=number),
            filterable=False,
            elem_classes="lane",
        )
        return chosen, option_inputs(chosen, say("compare.lane-options", number=number), gr.Column)


def entries(values: tuple[Any, ...]) -> list[Entry]:
    """The entries for `logitspec.decoding.race`, from the input values of all lanes in order."""
    lanes = zip(values[::2], values[1::2], strict=True)
    return [_entry(method, options) for method, options in lanes if method]


def _entry(method: str, options: str) -> Entry:
    """The method with those of its options that differ from their defaults."""
    if method not in METHODS:
        return method
    usual = METHODS[method]().options()
    own = own_options(method, options)
    return method, {name: value for name, value in own.items() if value != usual.get(name)}
