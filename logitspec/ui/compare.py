"""The tab "Compare": one prompt, two to four methods, a lane each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from logitspec.drafters import METHODS
from logitspec.export import player_style
from logitspec.race import DEFAULT_LANES
from logitspec.recordings import ASSETS, RACES, examples, featured, recorded
from logitspec.session import MOST_NEW_TOKENS, Host, Request
from logitspec.trace import packed
from logitspec.ui.desk import PRIVATE, Desk, shown

WAITING = "(...values) => { dispatchEvent(new Event('logitspec-race')); return values; }"


def compare(page: gr.Blocks, host: Host) -> None:
    """Everything in the tab, wired."""
    opening = featured() or examples()[0]
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            opening.prompt,
            label="Prompt of the race",
            lines=2,
            max_lines=4,
            scale=5,
            placeholder="Write something, or take an example",
        )
        with gr.Column(scale=0, min_width=220), gr.Row():
            start = gr.Button("Race", variant="primary", min_width=90, elem_id="race")
            stop = gr.Button("Stop", min_width=90, elem_id="stop-race")
    methods = gr.CheckboxGroup(
        [(each.title, name) for name, each in METHODS.items()],
        value=list(DEFAULT_LANES),
        label="Methods: two to four, each with its default options",
    )
    race = race_view(recorded(opening.run, RACES) or "")
    with gr.Accordion("Examples, model and length", open=False):
        example = gr.Dropdown(
            [(f"{each.title} ({each.category})", each.run) for each in examples()],
            value=opening.run,
            label="Example",
            info="fills in its prompt; a race recorded of it plays at once",
        )
        with gr.Row():
            model = gr.Dropdown(host.models, value=host.models[0], label="Model of the race")
            length = gr.Number(
                300,
                label="Most new tokens a lane",
                info=f"1 to {MOST_NEW_TOKENS}; decoding is greedy",
                precision=0,
            )
    _wire(Desk(), page, host, start, stop, example, race, [prompt, methods, model, length])


def _wire(
    desk: Desk,
    page: gr.Blocks,
    host: Host,
    start: gr.Button,
    stop: gr.Button,
    example: gr.Dropdown,
    race: gr.HTML,
    inputs: list[Any],
) -> None:
    def run(click: str, prompt: str, methods: list[str], model: str, length: int) -> Iterator[str]:
        ticket = desk.ticket(click)
        request = Request(prompt, max_new_tokens=length, model=model)
        yield from shown(host.race(request, methods, ticket.stop), ticket)

    def chosen(name: str, request: gr.Request) -> tuple[str, Any]:
        found = next(each for each in examples() if each.run == name)
        if (kept := recorded(name, RACES)) is None:
            return found.prompt, gr.skip()
        desk.replace(request)
        return found.prompt, packed(kept)

    click = gr.Textbox(visible=False)
    gr.on(
        [start.click, inputs[0].submit],
        desk.ready,
        outputs=[click],
        js=WAITING,
        queue=False,
        trigger_mode="multiple",
        **PRIVATE,
    ).then(
        run,
        [click, *inputs],
        [race],
        concurrency_limit=1,
        concurrency_id="model",
        trigger_mode="multiple",
        **PRIVATE,
    )
    stop.click(desk.stopped, outputs=[race], queue=False, trigger_mode="multiple", **PRIVATE)
    example.input(
        chosen, [example], [inputs[0], race], queue=False, trigger_mode="multiple", **PRIVATE
    )
    page.unload(desk.left)


def race_view(value: str) -> gr.HTML:
    """The race as a component. Its value is one message of `logitspec.race`, packed or not."""
    view = gr.HTML(
        value="",
        html_template=asset("compare/compare.html"),
        js_on_load=script(),
        apply_default_css=False,
        padding=False,
        elem_id="race-view",
    )
    # Gradio would search every message for script tags and warn about those that a model wrote.
    view.postprocess = lambda value: value  # type: ignore[method-assign]
    view.value = packed(value)
    return view


def script() -> str:
    """Styles, scripts and the adapter as one function body; see `logitspec.ui.player.script`."""
    order = json.loads(asset("compare/order.json"))
    style = "\n".join(map(asset, order["styles"]))
    return "\n".join(
        [
            f"const PLAYER_CSS = {json.dumps(player_style())};",
            f"const RACE_CSS = {json.dumps(style)};",
            *map(asset, order["scripts"]),
            asset("compare/gradio.js"),
        ]
    )


def asset(name: str) -> str:
    """A file under assets/."""
    return (ASSETS / name).read_text(encoding="utf-8")
