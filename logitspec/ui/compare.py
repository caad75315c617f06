"""The tab "Compare": one prompt, two to four methods, a lane each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from logitspec.paths import ASSETS
from logitspec.prompts import examples
from logitspec.publish.demos import RACES, demo_run, featured, read_demo, to_play
from logitspec.serving.host import MOST_NEW_TOKENS, Host, Request
from logitspec.trace.records import packed
from logitspec.ui.desk import PRIVATE, Desk, fetcher, shown, stopper, told_to_page
from logitspec.ui.lanes import entries, lane_inputs
from logitspec.ui.scripts import component


def compare(page: gr.Blocks, host: Host, tabs: gr.Tabs) -> None:
    """Everything in the tab, wired. tabs: where a lane goes that is to be watched step by step."""
    opening = featured() or examples()[0]
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            opening.text,
            label="Prompt of the race",
            lines=2,
            max_lines=4,
            scale=5,
            placeholder="Write something, or take an example",
        )
        with gr.Column(scale=0, min_width=220), gr.Row():
            start = gr.Button("Race", variant="primary", min_width=90, elem_id="race")
            stop = gr.Button("Stop", min_width=90, elem_id="stop-race")
    lanes = lane_inputs()
    race = race_view(_played(demo_run(opening)) or "", host)
    with gr.Accordion("Examples, model and length", open=False):
        example = gr.Dropdown(
            [(f"{each.title} ({each.category})", demo_run(each)) for each in examples()],
            value=demo_run(opening),
            label="Example",
            info="fills in its prompt; a race recorded of it plays at once",
        )
        with gr.Row():
            model = gr.Dropdown(
                host.choices,
                value=host.models[0],
                label="Model of the race",
                info="One of these, a Hugging Face id or a folder" if host.others else None,
                allow_custom_value=host.others,
            )
            length = gr.Number(
                300,
                label="Most new tokens a lane",
                info=f"1 to {MOST_NEW_TOKENS}; decoding is greedy",
                precision=0,
            )
    race.open_lane(lambda: gr.Tabs(selected="watch"), outputs=[tabs], queue=False, **PRIVATE)
    desk = Desk()
    page.unload(desk.left)
    _wire_race(desk, host, start, stop, race, [prompt, model, length], lanes)
    _wire_examples(desk, example, prompt, race)


def _wire_race(
    desk: Desk,
    host: Host,
    start: gr.Button,
    stop: gr.Button,
    race: gr.HTML,
    inputs: list[Any],
    lanes: list[Any],
) -> None:
    """Race on click and on Shift+Enter, stop on Stop; a new race ends the visitor's old ones."""

    def run(click: str, prompt: str, model: str, length: int, *values: Any) -> Iterator[str]:
        ticket = desk.ticket(click)
        request = Request(prompt, max_new_tokens=length, model=model)
        messages = host.race(request, entries(values), ticket.stop, outlives=True)
        yield from shown(messages, ticket)

    click = gr.Textbox(visible=False)
    private: dict[str, Any] = {**PRIVATE, "trigger_mode": "multiple"}
    gr.on(
        [start.click, inputs[0].submit],
        desk.ready,
        outputs=[click],
        js=told_to_page("logitspec-race"),
        queue=False,
        **private,
    ).then(
        run,
        [click, *inputs, *lanes],
        [race],
        concurrency_limit=1,
        concurrency_id="model",
        **private,
    )
    stop.click(
        desk.stopped,
        outputs=[race],
        js=told_to_page("logitspec-stop-race"),
        queue=False,
        **private,
    )


def _wire_examples(desk: Desk, example: gr.Dropdown, prompt: gr.Textbox, race: gr.HTML) -> None:
    """An example fills in its prompt, and where a race of it is recorded, that plays."""

    def chosen(name: str, request: gr.Request) -> tuple[str, Any]:
        found = next(each for each in examples() if demo_run(each) == name)
        if (kept := _played(name)) is None:
            return found.text, gr.skip()
        desk.replace(request)
        return found.text, kept

    example.input(
        chosen, [example], [prompt, race], queue=False, trigger_mode="multiple", **PRIVATE
    )


def _played(run: str) -> str | None:
    """The message that plays the recorded race of an example."""
    kept = read_demo(run, RACES)
    return packed(to_play(kept)) if kept else None


def race_view(value: str, host: Host) -> gr.HTML:
    """The race as a component. Its value is one message of `logitspec.decoding.race`, packed or not."""
    view = gr.HTML(
        value="",
        html_template=(ASSETS / "compare" / "compare.html").read_text(encoding="utf-8"),
        js_on_load=component(),
        apply_default_css=False,
        padding=False,
        server_functions=[fetcher(host, RACES), stopper(host)],
        elem_id="race-view",
    )
    # Gradio would search every message for script tags and warn about those that a model wrote.
    view.postprocess = lambda value: value  # type: ignore[method-assign]
    view.value = value
    return view
