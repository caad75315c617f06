"""The tab "Watch": type a prompt, run it, look at every step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import gradio as gr

from logitspec.drafters import DEFAULT_METHOD, METHODS
from logitspec.prompts import Prompt
from logitspec.publish.demos import (
    TRACES,
    Gallery,
    demo_run,
    galleries,
    opening_run,
    read_demo,
)
from logitspec.publish.typical import typical_step
from logitspec.serving.host import Host
from logitspec.serving.request import MAX_NEW_TOKENS, Request
from logitspec.serving.wire import autoplay_message, pack
from logitspec.trace.records import Trace
from logitspec.ui.callbacks import callbacks
from logitspec.ui.desk import EVERY_CLICK, PRIVATE, Desk
from logitspec.ui.options import option_inputs, own_options
from logitspec.ui.player import step_player
from logitspec.ui.tab import Shell, Tab
from logitspec.ui.words import task_title

# What would be more than text in Markdown: names of models are anybody's.
MARKUP = re.compile(r"[!-/:-@\[-`{-~]")


def build(shell: Shell) -> None:
    host = shell.host
    opening = opening_run()
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            opening[0].text if opening else "",
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
    first, *others = galleries()
    shelves = [(first, _shelf(first, [task_title(each.category) for each in first.prompts]))]
    player = step_player(_opening(opening), *callbacks(host, TRACES))
    for gallery in others:
        with gr.Accordion(f"Runs of {gallery.name}", open=False):
            titles = [f"{task_title(each.category)}: {each.title}" for each in gallery.prompts]
            shelves.append((gallery, _shelf(gallery, titles)))
    method = _method()
    with gr.Row():
        with gr.Column():
            about = gr.Markdown(_plain(host.models.about(host.models.default)))
            settings = _settings(host, about)
        with gr.Column():
            options = option_inputs(method, "Options of the method")
    desk = Desk(host)
    inputs = [prompt, method, *settings, options]
    desk.connect(
        start, stop, prompt, player, inputs, _request, ("logitspec-waiting", "logitspec-stop")
    )
    for gallery, shelf in shelves:
        _connect_examples(desk, shelf, gallery, host, [prompt, player, settings[0]])


def _request(
    prompt: str, method: str, model: str, length: int, temperature: float, seed: int, options: str
) -> Request:
    lanes = [(method, own_options(method, options))]
    return Request(prompt, lanes, length, temperature, seed, model)


def _opening(opening: tuple[Prompt, Trace] | None) -> str:
    """The message that plays the run that the page opens on, from a typical step of it on."""
    if opening is None:
        return ""
    _, trace = opening
    return pack(autoplay_message(trace.to_json(), typical_step(trace)))


def _shelf(gallery: Gallery, titles: list[str]) -> gr.Dataset:
    return gr.Dataset(
        components=["textbox"],
        samples=[[prompt.text] for prompt in gallery.prompts],
        sample_labels=titles,
        samples_per_page=len(titles),
        type="index",
        label=f"Recorded on {gallery.name}: each plays at once",
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
    desk: Desk, shelf: gr.Dataset, gallery: Gallery, host: Host, outputs: list[Any]
) -> None:
    """An example fills in its prompt and, where it is on offer, its model, and its recorded run plays; Run
    makes it live. outputs: prompt, player and model."""
    model = gallery.model if gallery.model in host.models.names else gr.skip()

    def choose(place: int, visitor: gr.Request) -> tuple[str, Any, Any]:
        prompt = gallery.prompts[place]
        if (demo := read_demo(demo_run(prompt))) is None:
            return prompt.text, gr.skip(), model
        desk.replace(visitor)
        return prompt.text, pack(autoplay_message(demo)), model

    shelf.click(choose, [shelf], outputs, queue=False, **EVERY_CLICK)


TAB = Tab("watch", "Watch", build, position=1)
