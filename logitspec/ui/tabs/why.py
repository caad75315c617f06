"""The tab "Why it works": the reasons for the speed, in pictures with their numbers."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import gradio as gr

from logitspec.drafters import METHODS
from logitspec.measure.evidence import Evidence
from logitspec.measure.evidence.gather import LOOKUP, OURS, PAPER
from logitspec.paths import ASSETS
from logitspec.publish.catalogue import say
from logitspec.ui import words
from logitspec.ui.claims import claims
from logitspec.ui.desk import AT_ONCE, PRIVATE
from logitspec.ui.figures import AXES
from logitspec.ui.inputs import keep_inputs
from logitspec.ui.study import MAX_PER_TASK, PICTURES, Study
from logitspec.ui.tab import Shell, Tab

# Placeholders for catalogue texts in the files of assets/why.
PLACE = re.compile(r"\{\{(why[.\w-]+)\}\}")


def build(shell: Shell) -> None:
    study = Study(shell.host)
    opening = study.names[0]
    evidence = study.evidence(opening)
    gr.HTML(_prose("intro"), elem_classes="why")
    if evidence:
        gr.HTML(claims(evidence), elem_id="why-claims", elem_classes="why")
    _measured(real=True)
    with gr.Row(equal_height=True):
        model = gr.Dropdown(study.names, value=opening, label=say("why.model"), elem_id="why-model")
        per_task = gr.Slider(
            1,
            MAX_PER_TASK,
            2,
            step=1,
            label=say("why.per-task"),
            info=say("why.per-task-info"),
        )
        with gr.Column(min_width=220), gr.Row():
            start = gr.Button(say("why.compute"), variant="primary", elem_id="why-compute")
            cancel = gr.Button(say("why.cancel"), min_width=90, elem_id="why-cancel")
    status = gr.HTML(study.status(opening), elem_id="why-status", elem_classes="why")
    with gr.Column(visible=evidence is not None) as results:
        pictures, method = _pictures(evidence)
    _measured(real=False)
    outputs = [status, results, *pictures]
    keep_inputs(shell.blocks, "why", [model, per_task, method])
    _connect(study, model, per_task, method, start, cancel, outputs)


def _measured(real: bool) -> None:
    """The benchmark results of real models, or of the built-in one."""
    if tables := words.measured(real):
        name = "measured-real" if real else "measured"
        gr.HTML(_prose(name) + tables, elem_id=f"why-{name}", elem_classes="why")


def _prose(name: str) -> str:
    """A paragraph or two of fixed text, as HTML."""
    text = (ASSETS / "why" / f"{name}.html").read_text(encoding="utf-8")
    return PLACE.sub(
        lambda place: escape(say(place[1], command="python -m logitspec benchmark")), text
    )


def _pictures(evidence: Evidence | None) -> tuple[list[Any], gr.Radio]:
    """Plot and numbers of every picture, in order, and the choice of method."""
    outputs: list[Any] = []
    choices = [(METHODS[name].title, name) for name in (PAPER, OURS, LOOKUP)]
    method = gr.Radio(choices, value=PAPER, label=say("why.next-method"), render=False)
    for picture in PICTURES:
        if picture.by_method and not method.is_rendered:
            method.render()
        title = f'<h3 id="why-{picture.name}-title">{escape(picture.title)}</h3>'
        axes = "".join(f"<span>{escape(axis)}</span>" for axis in AXES[picture.name])
        gr.HTML(f'{title}<p class="why-axes">{axes}</p>', elem_classes="why")
        plot = gr.Plot(
            show_label=False,
            container=False,
            elem_id=f"why-{picture.name}",
            elem_classes="why-plot",
            value=picture.figure(evidence, PAPER) if evidence else None,
        )
        numbers = gr.HTML(
            picture.words(evidence, PAPER) if evidence else "",
            elem_id=f"why-{picture.name}-numbers",
            elem_classes="why",
        )
        outputs += [plot, numbers]
    return outputs, method


def _connect(
    study: Study,
    model: gr.Dropdown,
    per_task: gr.Slider,
    method: gr.Radio,
    start: gr.Button,
    cancel: gr.Button,
    outputs: list[Any],
) -> None:
    status = outputs[0]
    start.click(study.ready, outputs=[status], queue=False, **PRIVATE).then(
        study.compute,
        [model, per_task, method],
        outputs,
        trigger_mode="multiple",  # so that a press right after Cancel counts
        **AT_ONCE,
        **PRIVATE,
    )
    cancel.click(study.cancel, [model], [status], queue=False, **PRIVATE)
    model.change(study.choose, [model, method], outputs, queue=False, **PRIVATE)
    method.change(study.choose_method, [model, method], outputs[2:], queue=False, **PRIVATE)


TAB = Tab("why", say("why.tab"), build, position=3)
