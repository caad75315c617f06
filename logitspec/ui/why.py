"""The page "Why it works": what is behind the speed, in pictures with their numbers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from html import escape
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

import gradio as gr
import plotly.graph_objects as go

from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError, sentence
from logitspec.measure.evidence import SHIPPED, Evidence, weights
from logitspec.measure.evidence.gather import LOOKUP, OURS, PAPER, Progress, gather, prompts
from logitspec.models.loader import BUILTIN
from logitspec.serving.host import Host
from logitspec.ui import figures, words

MOST_PER_TASK = 12
NEW_TOKENS = 128
SECONDS_PER_MESSAGE = 0.25
GPU_SECONDS_PER_PROMPT = 5.0  # for which a GPU is asked on ZeroGPU

log = logging.getLogger(__name__)


class Picture(NamedTuple):
    """A picture and its numbers, both made from evidence and the name of a method.

    by_method: whether they are of one method, which the visitor chooses.
    """

    name: str
    title: str
    figure: Callable[[Evidence, str], go.Figure]
    words: Callable[[Evidence, str], str]
    by_method: bool = False


PICTURES = (
    Picture("ranks", "Rank of the next-next token in the last logits", figures.ranks, words.ranks),
    Picture(
        "costs", "What a forward costs here, and how large trees are", figures.costs, words.costs
    ),
    Picture(
        "mean-accepted",
        "Mean accepted tokens by capacity",
        figures.mean_accepted,
        words.mean_accepted,
    ),
    Picture("speed", "Speed by capacity, estimated", figures.speed, words.speed),
    Picture("depths", "Accepted drafts by depth and origin", figures.depths, words.depths, True),
    Picture("lengths", "Steps by tokens emitted", figures.lengths, words.lengths, True),
)

INTRO = """<p>LogitSpec lives by three things: the token after the next one may already stand among the
runners-up of the last logits, text repeats itself, and one forward can check many tokens. How far each of
them goes depends on the model, the text and the device: here it is counted.</p>"""

MEASURED = """<h3>Speed, measured</h3><p>By <code>python -m logitspec benchmark</code>, on a machine that did
nothing else. Tokens/s are of decoding alone; x is times the tokens/s of the named; MAT is mean accepted tokens;
drafted is nodes a step, without the root.</p>"""

STYLE = """<style>
.why :is(p, h3, progress) { max-width: 76ch; }
.why h3 { margin: 20px 0 4px; font-size: 20px; font-weight: 700; }
.why p { margin: 4px 0 8px; line-height: 1.5; }
.why progress { width: 100%; height: 14px; accent-color: var(--border-color-accent); }
.why-table { overflow-x: auto; background: var(--background-fill-primary); border: 1px solid var(--border-color-primary); border-radius: 8px; }
.why-table:focus-visible { outline: 3px solid var(--border-color-accent); outline-offset: 2px; }
.why .why-caption { margin: 8px 0 4px; font-weight: 700; }
.why .why-table table { width: 100%; margin: 0; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
.why .why-table table :is(th, td) { padding: 4px 10px; border: 0; border-top: 1px solid var(--border-color-primary); text-align: end; white-space: nowrap; }
.why .why-table :is(table, thead, tbody, tr) { border: 0; }
.why .why-table table thead th { border-top: 0; font-weight: 700; }
.why .why-table table th:first-child { text-align: start; }
.why-table th:first-child { position: sticky; left: 0; text-align: start; background: var(--background-fill-primary); }
.why-plot .modebar { display: none; }
.why-plot .js-plotly-plot .main-svg > g:not(.hoverlayer) text { fill: var(--body-text-color) !important; }
.why-plot .gridlayer path { stroke: var(--border-color-primary) !important; }
@media (max-width: 640px) { .why .why-table table th:first-child { max-width: 130px; white-space: normal; } }
</style>"""

# Plotly's drawing is a heap of labels to a screen reader; the numbers are in the table below it. And it
# hears of a new width from the window only, not when its tab comes back.
TENDED = """() => {
  const titles = %s;
  const fit = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) if (contentRect.width) window.Plotly?.Plots.resize(target);
  });
  const tend = () => {
    for (const [id, title] of titles) {
      const drawn = document.querySelector(`#why-${id} .js-plotly-plot`);
      if (!drawn || drawn.role === "img") continue;
      drawn.role = "img";
      drawn.ariaLabel = `${title}: a picture; its numbers are in the table below it.`;
      fit.observe(drawn);
    }
  };
  tend();
  new MutationObserver(tend).observe(document.body, { childList: true, subtree: true });
}"""


def why_tab(host: Host) -> None:
    """Build the content of the tab, within a gr.Blocks; `host` has the models."""
    study = Study(host)
    shown = study.known(host.models[0])
    gr.HTML(STYLE + INTRO, elem_classes="why")
    with gr.Row(equal_height=True):
        model = gr.Dropdown(host.models, value=host.models[0], label="Model", elem_id="why-model")
        per_task = gr.Slider(
            1, MOST_PER_TASK, 2, step=1, label="Prompts per task", info="of seven tasks"
        )
        with gr.Column(min_width=220), gr.Row():
            start = gr.Button(
                "Compute on the loaded model", variant="primary", elem_id="why-compute"
            )
            cancel = gr.Button("Cancel", min_width=90, elem_id="why-cancel")
    status = gr.HTML(_status(study.about(host.models[0])), elem_id="why-status", elem_classes="why")
    with gr.Column(visible=shown is not None) as results:
        pictures, method = _pictures(shown)
    if measured := words.measured():
        gr.HTML(MEASURED + measured, elem_id="why-measured", elem_classes="why")
    outputs = [status, results, *pictures]
    _wire(study, model, per_task, method, start, cancel, outputs)


def _pictures(shown: Evidence | None) -> tuple[list[Any], gr.Radio]:
    """Plot and numbers of every picture, in their order; and the choice of the method."""
    made: list[Any] = []
    choices = [(METHODS[name].title, name) for name in (PAPER, OURS, LOOKUP)]
    method = gr.Radio(choices, value=PAPER, label="Method of the next two pictures", render=False)
    for picture in PICTURES:
        if picture.by_method and not method.is_rendered:
            method.render()
        gr.HTML(f"<h3>{escape(picture.title)}</h3>", elem_classes="why")
        plot = gr.Plot(
            show_label=False,
            container=False,
            elem_id=f"why-{picture.name}",
            elem_classes="why-plot",
            value=picture.figure(shown, PAPER) if shown else None,
        )
        numbers = gr.HTML(
            picture.words(shown, PAPER) if shown else "",
            elem_id=f"why-{picture.name}-numbers",
            elem_classes="why",
        )
        made += [plot, numbers]
    return made, method


def _wire(
    study: Study,
    model: gr.Dropdown,
    per_task: gr.Slider,
    method: gr.Radio,
    start: gr.Button,
    cancel: gr.Button,
    outputs: list[Any],
) -> None:
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    status = outputs[0]
    start.click(study.ready, outputs=[status], queue=False, **quiet).then(
        study.compute,
        [model, per_task, method],
        outputs,
        concurrency_limit=1,
        concurrency_id="model",
        trigger_mode="once",
        **quiet,
    )
    cancel.click(study.cancel, [model], [status], queue=False, **quiet)
    model.input(study.show, [model, method], outputs, queue=False, **quiet)
    method.input(study.by_method, [model, method], outputs[2:], queue=False, **quiet)
    titles = json.dumps([[each.name, each.title] for each in PICTURES])
    gr.on(None, None, js=TENDED % titles)


class Study:
    """What has been found out about the models, and who computes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._found: dict[str, Evidence] = {}
        self._stops: dict[str, Event] = {}  # by visitor
        self._outdated = False
        if SHIPPED.is_file():
            self._take(SHIPPED)

    def _take(self, file: Path) -> None:
        try:
            shipped = Evidence.open(file)
        except LogitSpecError as error:  # the page can do without
            log.warning("%s", error)
            return
        self._found[BUILTIN] = shipped
        self._outdated = shipped.about.get("weights") != weights()

    def known(self, name: str) -> Evidence | None:
        """What was found out about a model; None when nothing was."""
        return self._found.get(name)

    def about(self, name: str) -> str:
        """HTML that says what the pictures show, or what to press."""
        if (found := self.known(name)) is None:
            return _paragraph(
                f"Nothing has been computed on {name} yet; press “Compute on the loaded model”."
            )
        old = "<p><b>The weights have changed since; compute again.</b></p>"
        return words.conditions(found) + (old if name == BUILTIN and self._outdated else "")

    def show(self, name: str, method: str) -> list[Any]:
        """All outputs for a model."""
        found = self.known(name)
        drawn = self.by_method(name, method, everything=True)
        return [_status(self.about(name)), gr.update(visible=found is not None), *drawn]

    def by_method(self, name: str, method: str, everything: bool = False) -> list[Any]:
        """Plot and numbers of every picture; those that a method changes, or all."""
        found = self.known(name)
        drawn: list[Any] = []
        for picture in PICTURES:
            if found and (everything or picture.by_method):
                drawn += [picture.figure(found, method), picture.words(found, method)]
            else:
                drawn += [gr.skip(), gr.skip()]
        return drawn

    def ready(self, request: gr.Request) -> str:
        """Compute was pressed. Comes before the queue, so that Cancel finds what to set meanwhile."""
        stop = self._stops.get(str(request.session_hash))
        if stop is None or stop.is_set():
            self._stops[str(request.session_hash)] = Event()
        return _status(_paragraph("Waiting for its turn."))

    def compute(
        self, name: str, per_task: int, method: str, request: gr.Request
    ) -> Iterator[list[Any]]:
        """Gather evidence on a model: progress in the status, and last everything."""
        stop = self._stops.get(str(request.session_hash), Event())
        rest = [gr.skip()] * (1 + 2 * len(PICTURES))
        try:
            for progress in self._gathered(name, int(per_task), stop):
                yield [_status(_bar(progress)), *rest]
            yield [self._stopped(name), *rest] if stop.is_set() else self.show(name, method)
        except Exception as error:
            if not isinstance(error, LogitSpecError):
                log.exception("evidence on %s failed", name)
            told = self._stopped(name) if stop.is_set() else _status(_paragraph(sentence(error)))
            yield [told, *rest]
        finally:
            if self._stops.get(str(request.session_hash)) is stop:
                del self._stops[str(request.session_hash)]

    def _gathered(self, name: str, per_task: int, stop: Event) -> Iterator[Progress]:
        """Progress, seldom enough for a page; what was found is kept, unless `stop` is set before."""
        asked = prompts(min(max(per_task, 1), MOST_PER_TASK))
        seconds = len(asked) * GPU_SECONDS_PER_PROMPT
        with closing(self._host.working(name, stop, seconds, gather, asked, NEW_TOKENS)) as steps:
            said = 0.0
            while not stop.is_set():
                try:
                    progress = next(steps)
                except StopIteration as end:
                    self._keep(name, end.value)
                    return
                if monotonic() - said >= SECONDS_PER_MESSAGE:
                    said = monotonic()
                    yield progress

    def _keep(self, name: str, found: Evidence) -> None:
        self._found[name] = found
        self._outdated = self._outdated and name != BUILTIN

    def cancel(self, name: str, request: gr.Request) -> Any:
        """Cancel was pressed; what was known before stays."""
        stop = self._stops.get(str(request.session_hash))
        if stop is None:
            return gr.skip()
        stop.set()
        return self._stopped(name)

    def _stopped(self, name: str) -> str:
        return _status(_paragraph("This was cancelled.") + self.about(name))


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _status(html: str) -> str:
    return f'<div role="status">{html}</div>'


def _bar(progress: Progress) -> str:
    """Not to be read aloud at every step."""
    done, all_of_them = progress.done, progress.prompts
    return (
        f'<div aria-live="off"><progress value="{done}" max="{all_of_them}" aria-label="Prompts done">'
        f"</progress><p>{done} of {all_of_them} prompts; {escape(progress.what)}</p></div>"
    )
