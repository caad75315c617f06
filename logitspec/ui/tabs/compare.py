"""The tab "Compare": one prompt, two to four methods, a lane each."""

from __future__ import annotations

from typing import Any

import gradio as gr

from logitspec.prompts import Prompt
from logitspec.publish.catalogue import say
from logitspec.publish.demos import (
    RACES,
    Gallery,
    demo_prompts,
    demo_run,
    galleries,
    opening_race,
    read_demo,
)
from logitspec.serving.request import MAX_NEW_TOKENS, Request, rivals
from logitspec.serving.wire import autoplay_message, pack
from logitspec.ui.desk import EVERY_CLICK, PRIVATE, Desk
from logitspec.ui.inputs import keep_inputs
from logitspec.ui.lanes import entries, lane_inputs
from logitspec.ui.race import race_view
from logitspec.ui.tab import Shell, Tab
from logitspec.ui.words import task_title


def build(shell: Shell) -> None:
    models = shell.host.models
    opening = opening_race() or demo_prompts()[0]
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            opening.text,
            label=say("compare.prompt"),
            lines=2,
            max_lines=4,
            scale=5,
            placeholder=say("compare.placeholder"),
        )
        with gr.Column(scale=0, min_width=220), gr.Row():
            start = gr.Button(say("compare.race"), variant="primary", min_width=90, elem_id="race")
            stop = gr.Button(say("compare.stop"), min_width=90, elem_id="stop-race")
    lanes = lane_inputs()
    race = race_view(_demo(demo_run(opening)) or "", shell.host)
    with gr.Accordion(say("compare.settings"), open=False):
        example = gr.Dropdown(
            [
                (_title(each, gallery), demo_run(each))
                for gallery in galleries()
                for each in gallery.prompts
            ],
            value=None,
            label=say("compare.example"),
            filterable=False,  # it would filter by the English titles, which the reader may not see
            info=say("compare.example-info"),
        )
        with gr.Row():
            model = gr.Dropdown(
                models.choices,
                value=models.default,
                label=say("compare.model"),
                info=say("compare.model-info") if models.others else None,
                allow_custom_value=models.others,
            )
            length = gr.Number(
                300,
                label=say("compare.length"),
                info=say("compare.length-info", most=MAX_NEW_TOKENS),
                precision=0,
            )
    race.open_lane(lambda: gr.Tabs(selected="watch"), outputs=[shell.tabs], queue=False, **PRIVATE)
    desk = Desk(shell.host)
    inputs = [prompt, model, length, *lanes]
    desk.connect(
        start, stop, prompt, race, inputs, _request, ("logitspec-race", "logitspec-stop-race")
    )
    keep_inputs(shell.blocks, "compare", inputs)
    _connect_examples(desk, example, prompt, race)


def _request(prompt: str, model: str, length: int, *lanes: Any) -> Request:
    return Request(prompt, rivals(entries(lanes)), max_new_tokens=length, model=model)


def _title(prompt: Prompt, gallery: Gallery) -> str:
    return say(
        "compare.example-title",
        title=prompt.title,
        task=task_title(prompt.category),
        model=gallery.name,
    )


def _connect_examples(desk: Desk, example: gr.Dropdown, prompt: gr.Textbox, race: gr.HTML) -> None:
    """An example fills in its prompt and plays its race if one is recorded.

    The field is then empty again: the same example can be chosen once more, and none is named beside a prompt of
    the visitor's own.
    """

    def choose(name: str | None, visitor: gr.Request) -> tuple[None, Any, Any]:
        if name is None:
            return None, gr.skip(), gr.skip()
        text = next(each.text for each in demo_prompts() if demo_run(each) == name)
        if (message := _demo(name)) is None:
            return None, text, gr.skip()
        desk.replace(visitor)
        return None, text, message

    example.change(choose, [example], [example, prompt, race], queue=False, **EVERY_CLICK)


def _demo(run: str) -> str | None:
    """The message that plays the recorded race of an example."""
    demo = read_demo(run, RACES)
    return pack(autoplay_message(demo)) if demo else None


TAB = Tab("compare", say("compare.tab"), build, position=2)
