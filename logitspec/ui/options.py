"""The options of methods as inputs: those of the chosen method, rendered when unfolded.

With the inputs of all methods, for the run and for every lane of a race, a page would have twice as many
components, all of which Gradio sets up before it shows any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import Field
from typing import Any

import gradio as gr

from logitspec.drafters import METHODS, describe, option_fields
from logitspec.publish.catalogue import say
from logitspec.serving.request import parse_options
from logitspec.ui.desk import PRIVATE


def option_inputs(
    chosen: Any,
    title: str,
    layout: Any = gr.Row,
    before: Mapping[str, Mapping[str, Any]] | None = None,
) -> gr.Textbox:
    """The options of the method in the component `chosen`, folded under `title`; hidden while it holds no
    method. layout: a row or a column. before: initial options by name, by method, where they differ from
    the defaults. Returns the component with the JSON that `own_options` reads."""
    settings = gr.Textbox(json.dumps(before or {}), visible=False)
    shown = gr.Textbox(visible=False)
    with gr.Accordion(title, open=False, visible=chosen.value in METHODS) as fold:

        @gr.render(
            inputs=[shown, settings],
            triggers=[shown.change],
            queue=False,
            show_progress="hidden",
        )
        def draw(method: str, before: str) -> None:
            if method in METHODS:
                _draw(method, own_options(method, before), settings, layout)

    # Inputs that were drawn a second time would forget what a visitor set in the meantime.
    gr.on(
        [fold.expand, chosen.change],
        None,
        [chosen],
        [shown],
        js="(method) => method ?? ''",
        trigger_mode="always_last",
        **PRIVATE,
    )
    chosen.change(
        lambda method: gr.update(visible=method in METHODS),
        inputs=[chosen],
        outputs=[fold],
        queue=False,
        **PRIVATE,
    )
    return settings


def own_options(method: str, settings: str) -> dict[str, Any]:
    """The visitor's options of a method, by name. settings: a JSON object that has such an object for each
    method; raises LogitSpecError for any other text."""
    own = parse_options(settings).get(method, {})
    return own if isinstance(own, dict) else {}


def label(option: Field[Any]) -> str:
    """The page's name for an option."""
    return option.name.replace("_", " ").capitalize()


def _draw(method: str, own: dict[str, Any], settings: gr.Textbox, layout: Any) -> None:
    """The inputs of one method, which write their values to `settings`. own: the visitor's values so
    far."""
    fields = option_fields(METHODS[method])
    if not fields:
        gr.Markdown(say("watch.no-options"))
        return
    with layout():
        inputs = [_component(field, own.get(field.name, field.default)) for field in fields]
    names = json.dumps([method, [field.name for field in fields]])
    gr.on(
        [each.change for each in inputs],
        None,
        [*inputs, settings],
        [settings],
        js=f"(...values) => logitspec.keepOptions(...{names}, values)",
        **PRIVATE,
    )


def _component(option: Field[Any], value: Any) -> Any:
    """The input that fits one option of a method."""
    # Gradio treats components that it renders later as outputs unless they are interactive.
    shared: dict[str, Any] = {"label": label(option), "info": describe(option), "interactive": True}
    if isinstance(option.default, bool):
        return gr.Checkbox(bool(value), elem_classes="switch", **shared)
    if isinstance(option.default, tuple):
        return gr.CheckboxGroup(list(option.metadata["choices"]), value=list(value), **shared)
    if choices := option.metadata["choices"]:
        return gr.Radio(list(choices), value=value, **shared)
    if isinstance(option.default, (int, float)):
        precision = 0 if isinstance(option.default, int) else None
        return gr.Number(value, precision=precision, **shared)
    return gr.Textbox(value, **shared)
