"""Evidence on models for the page: what is known, and a computation that a visitor can cancel."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

import gradio as gr
import plotly.graph_objects as go
from anyio import to_thread

from logitspec.errors import LogitSpecError, sentence
from logitspec.measure.evidence import FOLDER, Evidence, fingerprint_weights
from logitspec.measure.evidence.gather import Progress, gather, prompts_for
from logitspec.models.sources import BUILTIN
from logitspec.publish.catalogue import say
from logitspec.serving.host import Host
from logitspec.serving.turn import Outlook, Place
from logitspec.serving.waiting import in_threads, outlooks
from logitspec.ui import figures, words
from logitspec.ui.desk import until_next
from logitspec.ui.visit import visitor_of

MAX_PER_TASK = 12
NEW_TOKENS = 128
SECONDS_PER_MESSAGE = 0.25
GPU_SECONDS_PER_PROMPT = 5.0  # of GPU time to request on ZeroGPU
MAX_COMPUTATIONS = 4096  # of the visitors who pressed Compute last

log = logging.getLogger(__name__)


class Picture(NamedTuple):
    """A picture and its numbers, both made from evidence and the name of a method.

    by_method: whether they show one method, which the visitor chooses.
    """

    name: str
    title: str
    figure: Callable[[Evidence, str], go.Figure]
    words: Callable[[Evidence, str], str]
    by_method: bool = False


PICTURES = (
    Picture("ranks", say("why.picture-ranks"), figures.ranks, words.ranks),
    Picture("costs", say("why.picture-costs"), figures.costs, words.costs),
    Picture(
        "mean-accepted",
        say("why.picture-mean-accepted"),
        figures.mean_accepted,
        words.mean_accepted,
    ),
    Picture("speed", say("why.picture-speed"), figures.speed, words.speed),
    Picture("depths", say("why.picture-depths"), figures.depths, words.depths, True),
    Picture("lengths", say("why.picture-lengths"), figures.lengths, words.lengths, True),
)


@dataclass
class Computation:
    """One press on Compute. stop: ends it. begun: whether it has begun, which it does once. chosen: the model and the
    method that the visitor looks at, perhaps others by now."""

    stop: Event = field(default_factory=Event)
    begun: bool = False
    chosen: tuple[str, str] = ("", "")


class Study:
    """Evidence by model, and computations by visitor."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._evidence: dict[str, Evidence] = {}
        self._computations: OrderedDict[str, Computation] = OrderedDict()  # by session
        self._outdated = False
        for file in sorted(FOLDER.glob("*.json.gz")):
            self._read(file)

    @property
    def names(self) -> list[str]:
        """The models to choose from. Those with evidence that were not made for this project come
        first, since the page opens on the first."""
        known = sorted(self._evidence, key=lambda name: name == BUILTIN)
        first = [name for name in known if name != BUILTIN]
        return list(dict.fromkeys([*first, *self._host.models.names, *known]))

    def _read(self, file: Path) -> None:
        try:
            shipped = Evidence.open(file)
        except LogitSpecError as error:  # the page can do without it
            log.warning("%s", error)
            return
        self._evidence[shipped.model] = shipped
        if shipped.model == BUILTIN:
            self._outdated = shipped.about.get("weights") != fingerprint_weights()

    def evidence(self, name: str) -> Evidence | None:
        """The evidence on a model; None if there is none."""
        return self._evidence.get(name)

    def about(self, name: str) -> str:
        """HTML that says what the pictures show, or what to press."""
        if (evidence := self.evidence(name)) is None:
            return _paragraph(say("why.nothing-yet", model=name))
        old = f"<p><b>{escape(say('why.outdated'))}</b></p>"
        return words.conditions(evidence) + (old if name == BUILTIN and self._outdated else "")

    def status(self, name: str) -> str:
        """`about` in an element that a screen reader reads aloud when it changes."""
        return _status(self.about(name))

    def choose(self, name: str, method: str, request: gr.Request) -> list[Any]:
        """Handle the choice of a model."""
        self._note_choice(name, method, request)
        return self.show(name, method)

    def choose_method(self, name: str, method: str, request: gr.Request) -> list[Any]:
        """Handle the choice of a method."""
        self._note_choice(name, method, request)
        return self.by_method(name, method)

    def _note_choice(self, name: str, method: str, request: gr.Request) -> None:
        """A computation in progress will end by showing what is chosen then."""
        if computation := self._computations.get(str(request.session_hash)):
            computation.chosen = name, method

    def show(self, name: str, method: str) -> list[Any]:
        """All outputs for a model."""
        outputs = self.by_method(name, method, everything=True)
        known = self.evidence(name) is not None
        return [self.status(name), gr.update(visible=known), *outputs]

    def by_method(self, name: str, method: str, everything: bool = False) -> list[Any]:
        """Plot and numbers of the pictures that depend on the method, or of all (`everything`)."""
        evidence = self.evidence(name)
        outputs: list[Any] = []
        for picture in PICTURES:
            if evidence and (everything or picture.by_method):
                outputs += [picture.figure(evidence, method), picture.words(evidence, method)]
            else:
                outputs += [gr.skip(), gr.skip()]
        return outputs

    def ready(self, request: gr.Request) -> str:
        """Handle a click on Compute, before the queue, so that Cancel finds an event to set."""
        current = self._computations.get(str(request.session_hash))
        if current is None or current.stop.is_set():
            self._computations[str(request.session_hash)] = Computation()
        while len(self._computations) > MAX_COMPUTATIONS:
            self._computations.popitem(last=False)
        return _status(_paragraph(say("why.its-turn")))

    async def compute(
        self, name: str, per_task: int, method: str, request: gr.Request
    ) -> AsyncGenerator[list[Any], None]:
        """Gather evidence on a model: yields progress in the status, and finally all outputs. Says no more once it is
        replaced: cancelled, and Compute pressed again."""
        session = str(request.session_hash)
        own = self._computations.get(session, Computation())
        if own.begun:  # Compute was pressed again without Cancel
            return
        own.begun, own.chosen = True, (name, method)
        try:
            async with aclosing(self._gathered(name, per_task, own, request)) as every:
                async for outputs in every:
                    if self._computations.get(session, own) is own:
                        yield outputs
        finally:
            if self._computations.get(session) is own:
                del self._computations[session]

        def has_begun() -> bool:
            newest = self._computations.get(session)
            return newest is None or newest.begun

        await until_next(has_begun)

    async def _gathered(
        self, name: str, per_task: int, own: Computation, request: gr.Request
    ) -> AsyncGenerator[list[Any], None]:
        """The outputs of `compute`, also after it is replaced."""
        stop = own.stop
        rest = [gr.skip()] * (1 + 2 * len(PICTURES))
        try:
            place = self._host.ask(visitor_of(request))
            with place.until_claimed():
                async with aclosing(
                    outlooks(place, stop, lambda: self._host.unheard(place))
                ) as waiting:
                    async for outlook in waiting:
                        yield [_status(_paragraph(_waiting(outlook))), *rest]
                gathering = in_threads(self._gather(name, int(per_task), stop, place))
                async with aclosing(gathering) as steps:
                    async for progress in steps:
                        yield [_status(_bar(progress)), *rest]
            if stop.is_set():
                yield [self._stopped(own.chosen[0]), *rest]
            else:
                yield await to_thread.run_sync(self.show, *own.chosen)
        except Exception as error:
            if not isinstance(error, LogitSpecError):
                log.exception("evidence on %s failed", name)
            failed = _status(_paragraph(sentence(error)))
            yield [self._stopped(own.chosen[0]) if stop.is_set() else failed, *rest]

    def _gather(
        self, name: str, per_task: int, stop: Event, place: Place
    ) -> Generator[Progress, None, None]:
        """Progress, seldom enough for a page; the evidence is stored unless `stop` is set first."""
        questions = prompts_for(name, min(max(per_task, 1), MAX_PER_TASK))
        seconds = len(questions) * GPU_SECONDS_PER_PROMPT
        work = self._host.work(name, stop, seconds, gather, questions, NEW_TOKENS, place=place)
        with closing(work) as steps:
            sent_at = 0.0
            while not stop.is_set():
                try:
                    progress = next(steps)
                except StopIteration as end:
                    self._store(name, end.value)
                    return
                if monotonic() - sent_at >= SECONDS_PER_MESSAGE:
                    sent_at = monotonic()
                    yield progress

    def _store(self, name: str, evidence: Evidence) -> None:
        self._evidence[name] = evidence
        self._outdated = self._outdated and name != BUILTIN

    def cancel(self, name: str, request: gr.Request) -> Any:
        """Handle a click on Cancel; earlier evidence stays."""
        computation = self._computations.get(str(request.session_hash))
        if computation is None:
            return gr.skip()
        computation.stop.set()
        return self._stopped(name)

    def _stopped(self, name: str) -> str:
        return _status(_paragraph(say("why.cancelled")) + self.about(name))


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _waiting(outlook: Outlook) -> str:
    """What a waiting visitor may expect."""
    if outlook.seconds is None:
        return say("why.runs-ahead", n=outlook.ahead)
    seconds = round(max(outlook.seconds, 1))
    return say("why.runs-ahead-about", n=outlook.ahead, seconds=seconds)


def _status(html: str) -> str:
    return f'<div role="status">{html}</div>'


def _bar(progress: Progress) -> str:
    """A progress bar that screen readers do not announce at every step."""
    done, total = progress.done, progress.prompts
    label = escape(say("why.prompts-done"))
    doing = say(f"why.doing-{progress.doing.replace(' ', '-')}")
    what = f"{words.task_title(progress.task)}, {doing}" if progress.task else doing
    text = escape(say("why.progress", done=done, total=total, what=what))
    return (
        f'<div aria-live="off"><progress value="{done}" max="{total}" aria-label="{label}">'
        f"</progress><p>{text}</p></div>"
    )
