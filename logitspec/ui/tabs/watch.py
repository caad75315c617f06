"""The tab "Watch": type a prompt, run it, look at every step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import gradio as gr

from logitspec.drafters import DEFAULT_METHOD, METHODS
from logitspec.prompts import Prompt, examples
from logitspec.publish.demos import FEATURED, TRACES, demo_run, featured, read_demo
from logitspec.serving.host import Host
from logitspec.serving.request import MAX_NEW_TOKENS, Request
from logitspec.serving.wire import autoplay_message, pack
from logitspec.ui.callbacks import callbacks
from logitspec.ui.desk import EVERY_CLICK, PRIVATE, Desk
from logitspec.ui.options import option_inputs, own_options
from logitspec.ui.player import step_player
from logitspec.ui.tab import Shell, Tab
from logitspec.ui.words import TASKS

# What would be more than text in Markdown: names of models are anybody's.
MARKUP = re.compile(r"[!-/:-@\[-`{-~]")


def build(shell: Shell) -> None:
    host = shell.host
    opening = featured()
    demo = read_demo(demo_run(opening)) if opening else None
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            opening.text if opening else "",
            label="Prompt",
            lines=2,
            max_lines=4,
            scale=5,
            placeholder="Write something, or take an example",
            elem_id="prompt",
        )
        with gr.Column(scale=0, min_width=220), gr.Row():
            start = gr.Button("Run", variant="primary", min_width=90, elem_id="run")
            stop = gr.Button("Stop", min_width=90, elem_id="stop")
    tasks, others = _examples()
    shelf = _shelf(
        "Examples, recorded: each plays at once", tasks, [TASKS[e.category] for e in tasks]
    )
    player = step_player(pack(autoplay_message(demo)) if demo else "", *callbacks(host, TRACES))
    with gr.Accordion("More examples", open=False):
        more = _shelf(None, others, [f"{TASKS[e.category]}: {e.title}" for e in others])
    method = _method()
    with gr.Row():
        with gr.Column():
            about = gr.Markdown(_plain(host.models.about(host.models.default)))
            settings = _settings(host, about)
        with gr.Column():
            options = option_inputs(method, "Options of the method")
    desk = Desk(host)
    shell.blocks.unload(desk.leave)
    inputs = [prompt, method, *settings, options]
    desk.connect(
        start, stop, prompt, player, inputs, _request, ("logitspec-waiting", "logitspec-stop")
    )
    _connect_examples(desk, shelf, tasks, prompt, player)
    _connect_examples(desk, more, others, prompt, player)


def _request(
    prompt: str, method: str, model: str, length: int, temperature: float, seed: int, options: str
) -> Request:
    lanes = [(method, own_options(method, options))]
    return Request(prompt, lanes, length, temperature, seed, model)


def _examples() -> tuple[list[Prompt], list[Prompt]]:
    """One example of every task, and all others."""
    first: dict[str, Prompt] = {}
    for example in sorted(examples(), key=lambda example: example.question_id != FEATURED):
        first.setdefault(example.category, example)
    tasks = [first[category] for category in TASKS if category in first]
    return tasks, [example for example in examples() if example not in tasks]


def _shelf(label: str | None, choice: list[Prompt], titles: list[str]) -> gr.Dataset:
    return gr.Dataset(
        components=["textbox"],
        samples=[[example.text] for example in choice],
        sample_labels=titles,
        samples_per_page=len(choice),
        type="index",
        label=label,
        show_label=label is not None,
    )


def _method() -> gr.Radio:
    choices = [(each.title, name) for name, each in METHODS.items()]
    return gr.Radio(choices, value=DEFAULT_METHOD, label="Method")


def _settings(host: Host, about: gr.Markdown) -> list[Any]:
    """Model, length, temperature and seed; `about` describes the chosen model."""
    models = host.models
    with gr.Accordion("Model and sampling", open=False):
        model = gr.Dropdown(
            models.choices,
            value=models.default,
            label="Model",
            info="One of these, a Hugging Face id or a folder" if models.others else None,
            allow_custom_value=models.others,
        )
        with gr.Row():
            length = gr.Number(
                300, label="Max new tokens", info=f"1 to {MAX_NEW_TOKENS}", precision=0
            )
        with gr.Row():
            temperature = gr.Number(
                0.0, label="Temperature", info="0 is greedy; above, tokens are drawn (up to 10)"
            )
            seed = gr.Number(0, label="Seed", info="fixes the draws", precision=0)

    def loading(name: str | None) -> Iterator[str]:
        for line in models.loading(name or models.default):
            yield _plain(line)

    model.change(loading, [model], [about], trigger_mode="always_last", **PRIVATE)
    return [model, length, temperature, seed]


def _plain(text: str) -> str:
    """`text` as Markdown that shows just that."""
    return MARKUP.sub(r"\\\g<0>", text)


def _connect_examples(
    desk: Desk, shelf: gr.Dataset, choice: list[Prompt], prompt: gr.Textbox, player: gr.HTML
) -> None:
    """An example fills in its prompt, and its recorded run plays; Run makes it live."""

    def choose(place: int, visitor: gr.Request) -> tuple[str, Any]:
        example = choice[place]
        if (demo := read_demo(demo_run(example))) is None:
            return example.text, gr.skip()
        desk.replace(visitor)
        return example.text, pack(autoplay_message(demo))

    shelf.click(choose, [shelf], [prompt, player], queue=False, **EVERY_CLICK)


TAB = Tab("watch", "Watch", build, position=1)
