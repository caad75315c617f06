"""The options of methods as inputs, of which those of the chosen method show."""

from __future__ import annotations

from dataclasses import Field
from typing import Any

import gradio as gr

from logitspec.drafters import METHODS, described, option_fields
from logitspec.ui.desk import PRIVATE


def option_inputs(chosen: Any, title: str, layout: Any = gr.Row) -> list[tuple[str, str, Any]]:
    """(method, option name, component) of all methods, folded under `title`; those of the method in
    the component `chosen` show, and nothing shows while it holds none. layout: a row or a column."""
    groups, options = [], []
    with gr.Accordion(title, open=False, visible=chosen.value in METHODS) as fold:
        for name, each in METHODS.items():
            with layout(visible=name == chosen.value) as group:
                fields = option_fields(each)
                if not fields:
                    gr.Markdown("This method has no options.")
                options += [(name, field.name, _component(field)) for field in fields]
            groups.append(group)
    chosen.change(
        lambda method: [gr.update(visible=shows) for shows in _showing(method)],
        inputs=[chosen],
        outputs=[fold, *groups],
        queue=False,
        **PRIVATE,
    )
    return options


def _showing(method: str) -> list[bool]:
    return [method in METHODS, *(method == name for name in METHODS)]


def own_options(
    method: str, options: list[tuple[str, str, Any]], values: list[Any]
) -> dict[str, Any]:
    """Those of the `values` of `options` that are the method's, by name."""
    both = zip(options, values, strict=True)
    return {name: value for (owner, name, _), value in both if owner == method}


def _component(option: Field[Any]) -> Any:
    """The input that fits one option of a method."""
    label, info = option.name.replace("_", " ").capitalize(), described(option)
    if isinstance(option.default, bool):
        return gr.Checkbox(option.default, label=label, info=info)
    if choices := option.metadata["choices"]:
        return gr.Radio(list(choices), value=option.default, label=label, info=info)
    if isinstance(option.default, (int, float)):
        precision = 0 if isinstance(option.default, int) else None
        return gr.Number(option.default, label=label, info=info, precision=precision)
    return gr.Textbox(option.default, label=label, info=info)
