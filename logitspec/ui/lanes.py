"""The lanes of a race as inputs: a method each, and its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from logitspec.drafters import METHODS, option_fields
from logitspec.race import DEFAULT_LANES, LANES, Entry
from logitspec.ui.options import option_inputs, own_options

NO_LANE = ("no lane", "")


@dataclass
class LaneInputs:
    """One lane. options: (method, option name, component) of all methods."""

    method: gr.Dropdown
    options: list[tuple[str, str, Any]]

    @property
    def inputs(self) -> list[Any]:
        """What `entry` wants the values of."""
        return [self.method, *(component for _, _, component in self.options)]

    def entry(self, values: list[Any]) -> Entry | None:
        """The method with those options that are not the default ones; None without a lane."""
        method, *chosen = values
        if method not in METHODS:
            return method or None
        own = own_options(method, self.options, chosen)
        usual = {field.name: field.default for field in option_fields(METHODS[method])}
        return method, {name: value for name, value in own.items() if value != usual[name]}


def lane_inputs() -> list[LaneInputs]:
    """A column for each lane, in a row; those that a race can do without may be empty."""
    titles = [(each.title, name) for name, each in METHODS.items()]
    with gr.Row():
        return [
            _lane(number, [*titles, NO_LANE] if number > LANES[0] else titles, method)
            for number, method in enumerate(DEFAULT_LANES, 1)
        ]


def _lane(number: int, choices: list[tuple[str, str]], method: str) -> LaneInputs:
    with gr.Column(min_width=150), gr.Group():
        chosen = gr.Dropdown(
            choices,
            value=method,
            label=f"Lane {number}",
            filterable=False,
            elem_classes="lane",
        )
        options = option_inputs(chosen, f"Options of lane {number}", gr.Column)
        return LaneInputs(chosen, options)


def entries(lanes: list[LaneInputs], values: tuple[Any, ...]) -> list[Entry]:
    """What `logitspec.race` takes, from the values of all inputs of `lanes` in their order."""
    rest, found = list(values), []
    for lane in lanes:
        own, rest = rest[: len(lane.inputs)], rest[len(lane.inputs) :]
        found.append(lane.entry(own))
    return [entry for entry in found if entry is not None]
