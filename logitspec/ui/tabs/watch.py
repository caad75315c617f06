"""The tab "Watch": type a prompt, run it, look at every step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import gradio as gr

from logitspec.drafters import DEFAULT_METHOD, METHODS
from logitspec.models.sources import BUILTIN
from logitspec.prompts import Prompt
from logitspec.publish.catalogue import say
from logitspec.publish.demos import (
    TRACES,
    Gallery,
    demo_run,
    galleries,
    opening_scene,
    read_demo,
)
from logitspec.serving.host import Host
from logitspec.serving.request import MAX_NEW_TOKENS, Request
from logitspec.serving.wire import autoplay_message, pack
from logitspec.trace.records import Trace
from logitspec.ui.callbacks import callbacks
from logitspec.ui.desk import EVERY_CLICK, PRIVATE, Desk
from logitspec.ui.inputs import keep_inputs
from logitspec.ui.options import option_inputs, own_options
from logitspec.ui.player import step_player
from logitspec.ui.tab import Shell, Tab
from logitspec.ui.words import task_title

# Characters with a meaning in Markdown, which a model's name, chosen by anybody, may contain.
MARKUP = re.compile(r"[!-/:-@\[-`{-~]")

MAX_LOADING = (
    8  # visitors whose models are fetched at a time; Gradio would let one go before the next
)

# Trees sized by cost have only a node or two on many processors: right, but nothing to watch.
WATCHED_NODES = 16
WATCHED = {
    DEFAULT_METHOD: {"tree_size": "capacity", "draft_tree_capacity": WATCHED_NODES},
}


def build(shell: Shell) -> None:
    host = shell.host
    opening = opening_scene()
    with gr.Row(elem_id="ask"):
        prompt = gr.Textbox(
            opening[0].text if opening else "",
            label=say("watch.prompt"),
            show_label=False,
            container=False,
            lines=1,
            max_lines=4,
            scale=5,
            min_width=200,
            placeholder=say("watch.placeholder"),
            elem_id="prompt",
        )
        model = _model(host)
        start = gr.Button(say("watch.run"), variant="primary", scale=0, min_width=80, elem_id="run")
        stop = gr.Button(say("watch.stop"), scale=0, min_width=80, elem_id="stop")
        gr.Button(say("watch.try"), scale=0, min_width=140, elem_id="try").click(
            None, js="() => logitspec.unfold('try', 'own')"
        )
    with gr.Row(elem_id="about-model"):
        about = gr.Markdown(_plain(host.models.about(host.models.default)), elem_id="about")
        _real_model(host, model, about)
    with gr.Column(elem_id="own"):
        method = _method(opening)
        shelves = [(gallery, _shelf(gallery)) for gallery in galleries()]
        with gr.Row():
            with gr.Column():
                settings = _sampling()
            with gr.Column():
                options = option_inputs(method, say("watch.options"), before=WATCHED)
    player = step_player(_opening(opening), *callbacks(host, TRACES))
    desk = Desk(host)
    inputs = [prompt, method, model, *settings, options]
    desk.connect(
        start, stop, prompt, player, inputs, _request, ("logitspec-waiting", "logitspec-stop")
    )
    keep_inputs(shell.blocks, "watch", inputs)
    for gallery, shelf in shelves:
        _connect_examples(desk, shelf, gallery, host, [prompt, player, model, method])

    def opened(event: gr.EventData) -> tuple[Any, Any, Any]:
        return _opened(event, host)

    player.opened(opened, outputs=[prompt, model, method], queue=False, **PRIVATE)


def _request(
    prompt: str, method: str, model: str, length: int, temperature: float, seed: int, options: str
) -> Request:
    lanes = [(method, own_options(method, options))]
    return Request(prompt, lanes, length, temperature, seed, model)


def _opening(opening: tuple[Prompt, Trace, int] | None) -> str:
    """The message that plays only the step that the page opens on."""
    if opening is None:
        return ""
    _, trace, step = opening
    return pack(autoplay_message(trace.to_json(), step, scene=True))


def _shelf(gallery: Gallery) -> gr.Dataset:
    return gr.Dataset(
        components=["textbox"],
        samples=[[prompt.text] for prompt in gallery.prompts],
        sample_labels=[
            say("watch.example", task=task_title(each.category), title=each.title)
            for each in gallery.prompts
        ],
        samples_per_page=len(gallery.prompts),
        type="index",
        label=say("watch.recorded", model=gallery.name, method=METHODS[gallery.method].title),
    )


def _method(opening: tuple[Prompt, Trace, int] | None) -> gr.Radio:
    """The methods, with that of the opening run selected."""
    return gr.Radio(
        [(each.title, name) for name, each in METHODS.items()],
        value=opening[1].method if opening else DEFAULT_METHOD,
        label=say("watch.method"),
        info=say("watch.method-info", method=METHODS[DEFAULT_METHOD].title, nodes=WATCHED_NODES),
    )


def _model(host: Host) -> gr.Dropdown:
    models = host.models
    return gr.Dropdown(
        models.choices,
        value=models.default,
        label=say("watch.model"),
        show_label=False,
        container=False,
        scale=2,
        min_width=180,
        allow_custom_value=models.others,
        elem_id="model",
    )


def _real_model(host: Host, model: gr.Dropdown, about: gr.Markdown) -> None:
    """The line `about` follows the chosen model; while that is the built-in one, a button chooses a real one."""
    models = host.models
    offered = {name for _, name in models.choices}
    real = next((each.model for each in galleries() if each.model in offered - {BUILTIN}), None)

    def loading(name: str | None) -> Iterator[str]:
        for line in models.loading((name or "").strip() or models.default):
            yield _plain(line)

    model.change(
        loading,
        [model],
        [about],
        trigger_mode="always_last",
        concurrency_limit=MAX_LOADING,
        **PRIVATE,
    )
    if real is None:
        return
    button = gr.Button(
        say("watch.real", name=real.rpartition("/")[2]),
        size="sm",
        scale=0,
        min_width=250,
        visible=models.default == BUILTIN,
        elem_id="real-model",
    )
    button.click(lambda: real, outputs=[model], queue=False, **PRIVATE)
    model.change(
        lambda name: gr.Button(visible=name == BUILTIN), [model], [button], queue=False, **PRIVATE
    )


def _sampling() -> list[Any]:
    """Length, temperature and seed."""
    with gr.Accordion(say("watch.sampling"), open=False):
        with gr.Row():
            length = gr.Number(
                300,
                label=say("watch.length"),
                info=say("watch.length-info", most=MAX_NEW_TOKENS),
                precision=0,
            )
        with gr.Row():
            temperature = gr.Number(
                0.0, label=say("watch.temperature"), info=say("watch.temperature-info")
            )
            seed = gr.Number(0, label=say("watch.seed"), info=say("watch.seed-info"), precision=0)
    return [length, temperature, seed]


def _plain(text: str) -> str:
    """`text` as Markdown that shows it literally."""
    return MARKUP.sub(r"\\\g<0>", text)


def _connect_examples(
    desk: Desk, shelf: gr.Dataset, gallery: Gallery, host: Host, outputs: list[Any]
) -> None:
    """An example fills in its prompt, its method and, if it is on offer, its model, and plays its recorded
    run; Run makes a live one. outputs: prompt, player, model and method."""
    model = gallery.model if gallery.model in host.models.names else gr.skip()

    def choose(place: int, visitor: gr.Request) -> tuple[str, Any, Any, str]:
        prompt = gallery.prompts[place]
        if (demo := read_demo(demo_run(prompt))) is None:
            return prompt.text, gr.skip(), model, gallery.method
        desk.replace(visitor)
        return prompt.text, pack(autoplay_message(demo)), model, gallery.method

    shelf.click(choose, [shelf], outputs, queue=False, **EVERY_CLICK)


def _opened(event: gr.EventData, host: Host) -> tuple[Any, Any, Any]:
    """Prompt, model and method of a run that a link or a file opened; unknown values change no input."""
    prompt, model, method = (event._data.get(key) for key in ("prompt", "model", "method"))
    return (
        prompt if isinstance(prompt, str) else gr.skip(),
        model if model in host.models.names else gr.skip(),
        method if isinstance(method, str) and method in METHODS else gr.skip(),
    )


TAB = Tab("watch", say("watch.tab"), build, position=1)
