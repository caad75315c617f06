"""Visitors' runs: the models that are loaded, the limits, the stream of deltas, stopping."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from logitspec.decoding.race import (
    MAX_LANES,
    MIN_RIVALS,
    Entry,
    Race,
    begin_race,
    progress_message,
    start_message,
)
from logitspec.drafters import DEFAULT_METHOD
from logitspec.errors import LogitSpecError, sentence
from logitspec.models.catalogue import CATALOGUE
from logitspec.models.loader import BUILTIN, encode_prompt, fetch, known_as, load
from logitspec.models.tokens import Speller
from logitspec.runtime.runner import Runner
from logitspec.serving import zerogpu
from logitspec.serving.events import apply_events, race_events
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.records import Trace, reset_message, steps_message
from logitspec.trace.sampling import Sampling

MOST_NEW_TOKENS = 4096
MOST_CHARACTERS = 200_000
RUNS_KEPT = 32
MODELS_KEPT = 3
SECONDS_PER_LINE = 0.3
SECONDS_PER_MESSAGE = 1 / 25
SECONDS_ALONE = 60.0  # a page that lost its connection is back by then, or will not come back

GPU_SECONDS = 10.0
SLOW_TOKENS_PER_SECOND = 25.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What a visitor asked for. options: the method's, by name."""

    prompt: str
    method: str = DEFAULT_METHOD
    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    model: str = BUILTIN


ABOUT_BUILTIN = (
    "The built-in model knows the seven tasks of the examples, in their own words;"
    " free-form prompts want a larger model."
)


@dataclass(slots=True)
class Kept:
    """A run or a race that can be asked for: its traces so far, and what goes on with it.

    traces: of a race one a lane. asked: when somebody last wanted its steps. alone: whether it has
    outlived its reader.
    """

    traces: list[Trace]
    speller: Speller
    steps: Generator[int, None, None]
    stop: Event
    race: Race | None = None
    asked: float = 0.0
    alone: bool = False

    @property
    def name(self) -> str:
        return self.race.name if self.race else self.traces[0].run

    @property
    def over(self) -> bool:
        return all(trace.finish for trace in self.traces)

    def close(self) -> None:
        self.steps.close()
        for trace in self.traces:
            trace.finish = trace.finish or "cancelled"


class Host:
    """Loads each model once and runs one request at a time on it.

    Visitors may ask for `model`, an id or a folder, or for the built-in one; with `others`, for any
    model that this machine can reach. placing: device_map and offload, as `load` takes them.
    """

    def __init__(
        self,
        model: str = BUILTIN,
        device: str = "auto",
        dtype: str = "auto",
        others: bool = False,
        **placing: Any,
    ) -> None:
        self._sources = {known_as(model): model}
        self._sources.setdefault(BUILTIN, BUILTIN)
        self.others = others
        self._device = device
        self._dtype = dtype
        # A captured graph would belong to a process without a GPU.
        self._placing = {**placing, "graphs": False} if zerogpu.HERE else placing
        self._loaded: OrderedDict[str, tuple[Runner, Any, Speller]] = OrderedDict()
        self._runs: OrderedDict[str, Kept] = OrderedDict()
        self._busy = Lock()
        self._beside_model = zerogpu.boundary(self._work)
        self._costs: dict[str, ForwardCosts] = {}  # as they were measured where the GPU was

    @property
    def models(self) -> list[str]:
        """The names of the models that visitors are offered without having to ask, the default first."""
        return list(self._sources)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What a list of models shows, and the names that stand for it."""
        listed = CATALOGUE if self.others else ()
        return [(name, name) for name in self.models] + [(each.line, each.name) for each in listed]

    def prepare(self) -> None:
        """Load what must be there before the page is: the default model, and on ZeroGPU all that are
        offered, since what has the GPU there is a copy of this process."""
        for name in self.models if zerogpu.HERE else self.models[:1]:
            self.model(name)

    def about(self, name: str) -> str:
        """One line about the model `name`; empty where nothing can be said."""
        if name == BUILTIN:
            return ABOUT_BUILTIN
        if name not in self._loaded:
            return ""
        info = self._loaded[name][0].info
        return (
            f"{info['id']}: {info['parameters'] / 1e6:,.0f} million parameters in {info['dtype']},"
            f" {info['attention']} attention, on {info['device']}."
        )

    def model(self, name: str) -> tuple[Runner, Any, Speller]:
        """Target, tokenizer and speller of a model, loaded on first use. When that fails, those that
        are loaded stay."""
        if name not in self._sources and not self.others:
            raise LogitSpecError(
                f"The model {name!r} is not offered here; choose one of {', '.join(self.models)}."
            )
        if name not in self._loaded:
            source = self._sources.get(name, name)
            target, tokenizer = load(source, self._device, self._dtype, **self._placing)
            if not zerogpu.HERE:
                target.measure()  # its costs, measured now, so that the first run begins at once
            self._loaded[name] = target, tokenizer, Speller(tokenizer)
            self._forget()
        self._loaded.move_to_end(name)
        return self._loaded[name]

    def _forget(self) -> None:
        """Drop the models that were asked for longest ago; those that the host offers stay."""
        others = [name for name in self._loaded if name not in self._sources]
        for name in others[:-MODELS_KEPT]:
            del self._loaded[name]

    def loading(self, name: str) -> Iterator[str]:
        """Load a model and tell how far it is, line by line; the last line is about it, or says what
        went wrong. It goes on when nobody listens any more."""
        if not self.others:
            yield self.about(name)
            return
        told = [f"{name} is being looked for."]
        if name not in self._loaded:
            at_work = Thread(target=self._load_aside, args=[name, told], daemon=True)
            at_work.start()
            while at_work.is_alive():
                yield told[-1]
                at_work.join(SECONDS_PER_LINE)
        yield self.about(name) if name in self._loaded else told[-1]

    def _load_aside(self, name: str, told: list[str]) -> None:
        def progress(there: int, whole: int) -> None:
            share = there / whole if whole else 1.0
            told.append(
                f"{name} is being downloaded: {there / 1e6:,.0f} of {whole / 1e6:,.0f} MB ({share:.0%})."
            )

        try:
            source = self._sources.get(name, name)
            fetch(source, self._device, self._dtype, progress=progress, **self._placing)
            told.append(f"{name} is being loaded; it waits while a run goes on.")
            with self._busy:
                self.model(name)
        except Exception as error:
            if not isinstance(error, LogitSpecError):
                log.exception("loading %s failed", name)
            told.append(sentence(error))

    def stream(
        self, request: Request, stop: Event, outlives: bool = False
    ) -> Generator[str, None, None]:
        """Run `request`: a reset delta, deltas with steps, and last the finished trace as JSON.

        Ends within one step after `stop` is set and keeps what there is. Closing the stream ends the
        run too, unless it `outlives` its reader: then it goes on for as long as somebody asks for its
        steps, and SECONDS_ALONE more; such a reader has all the steps there are, and the last message
        holds no more than those it lacks and how the run ended. Raises LogitSpecError when the request can't be run.
        """
        _check(request)
        tell = partial(_messages, whole=not outlives)
        yield from self._told(partial(self._begin, request, stop), tell, stop, outlives)

    def race(
        self, request: Request, entries: Sequence[Entry], stop: Event, outlives: bool = False
    ) -> Generator[str, None, None]:
        """Run `request` with each of `entries` (methods, or methods with their options) side by side:
        the lanes, deltas with their steps, and last how they ended and whether they wrote the same.

        Stopping, closing and outliving are as for `stream`. Raises LogitSpecError when the request
        can't be run.
        """
        _check(request)
        if not MIN_RIVALS <= len(entries) <= MAX_LANES:
            raise LogitSpecError(
                f"A race takes {MIN_RIVALS} to {MAX_LANES} methods; got {len(entries)}."
            )
        start = partial(self._begin_race, request, entries, stop)
        yield from self._told(start, _race_messages, stop, outlives)

    def _told(
        self,
        start: Callable[[], Kept],
        tell: Callable[[Kept], Iterator[str]],
        stop: Event,
        outlives: bool,
    ) -> Generator[str, None, None]:
        """What there is to tell of the run or race that `start` begins when its turn has come."""
        self._take(stop)
        kept = None
        try:
            kept = start()
            yield from tell(kept)
        except GeneratorExit:
            if kept is not None:
                kept.alone = outlives and not stop.is_set() and not kept.over
            raise
        finally:
            if kept is not None and kept.alone:
                # In the reader's context, which tells a Space whose visitor this is.
                Thread(target=copy_context().run, args=[self._go_on, kept], daemon=True).start()
            else:
                self._end(kept)

    @contextmanager
    def borrowed(self, name: str, stop: Event) -> Iterator[tuple[Runner, Any]]:
        """Target and tokenizer of one of `models`, with nobody else at work on it meanwhile."""
        self._take(stop)
        try:
            yield self.model(name)[:2]
        finally:
            self._busy.release()

    def working(
        self, name: str, stop: Event, seconds: float, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, Any]:
        """What `work(target, tokenizer, *arguments)` yields and returns, with nobody else at work.

        work: a module's generator function; like its arguments, what it gives is plain data, for on
        ZeroGPU it runs in another process. seconds: for which it asks for a GPU there. Raises
        LogitSpecError.
        """
        with self.borrowed(name, stop), closing(self._job(name, seconds, work, *arguments)) as job:
            return (yield from job)

    def _job(
        self, name: str, seconds: float, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, Any]:
        beside = self._beside_model(seconds, name, self._costs.get(name), work, *arguments)
        value, costs = yield from beside
        if costs is not None:
            self._costs[name] = costs
        return value

    def _work(
        self, name: str, costs: ForwardCosts | None, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, tuple[Any, ForwardCosts | None]]:
        """Where the GPU is: what the work returned, and what forwards were found to cost."""
        target, tokenizer, _ = self.model(name)
        if zerogpu.HERE:
            target = target.with_new_cache()  # the buffers of the other were made without a GPU
            target.costs = costs
            target.measure_costs()
        value = yield from work(target, tokenizer, *arguments)
        return value, target.costs if zerogpu.HERE else None

    def _take(self, stop: Event) -> None:
        """Wait for all other work to end."""
        while not self._busy.acquire(timeout=SECONDS_PER_MESSAGE):
            if stop.is_set():
                raise LogitSpecError("This run was stopped before it began.")

    def _begin(self, request: Request, stop: Event) -> Kept:
        target, tokenizer, speller = self.model(request.model)
        contest = begin_race(
            target,
            encode_prompt(tokenizer, request.prompt),
            [(request.method, request.options)],
            request.max_new_tokens,
            Sampling(temperature=request.temperature, seed=request.seed),
        )
        (trace,) = contest.traces
        trace.prompt = request.prompt
        trace.spell(speller)
        steps = self._job(request.model, _seconds(request.max_new_tokens), race_events, contest)
        return self._keep(Kept([trace], speller, apply_events(contest, steps), stop))

    def _begin_race(self, request: Request, entries: Sequence[Entry], stop: Event) -> Kept:
        target, tokenizer, speller = self.model(request.model)
        asked = (
            encode_prompt(tokenizer, request.prompt),
            entries,
            request.max_new_tokens,
            Sampling(temperature=request.temperature, seed=request.seed),
        )
        contest = begin_race(target, *asked)
        for trace in contest.traces:
            trace.prompt = request.prompt
            trace.spell(speller)
        seconds = _seconds(request.max_new_tokens, len(entries))
        steps = self._job(request.model, seconds, race_events, contest)
        going = apply_events(contest, steps)
        return self._keep(Kept(contest.traces, speller, going, stop, contest))

    def _keep(self, kept: Kept) -> Kept:
        self._runs[kept.name] = kept
        while len(self._runs) > RUNS_KEPT:
            self._runs.popitem(last=False)
        return kept

    def _go_on(self, kept: Kept) -> None:
        """The rest of what has outlived its reader."""
        kept.asked = monotonic()
        for _ in _steps(kept):
            if monotonic() - kept.asked > SECONDS_ALONE:
                break
        self._end(kept)

    def _end(self, kept: Kept | None) -> None:
        if kept is not None:
            kept.close()
            kept.alone = False
        self._busy.release()

    def stop(self, run_id: str) -> None:
        """End a run or race that has outlived its reader; others are their readers' to stop."""
        kept = self._runs.get(run_id)
        if kept is not None and kept.alone:
            kept.stop.set()

    def steps_from(self, run_id: str, first: int) -> str | None:
        """The delta with all steps of a recent run or race from number `first` (0-based) on; for 0 all
        there is so far. None for one that is not known (any more)."""
        if run_id not in self._runs:
            return None
        kept = self._runs[run_id]
        kept.asked = monotonic()
        return _race_from(kept.race, kept.speller, first) if kept.race else _run_from(kept, first)


def _run_from(kept: Kept, first: int) -> str | None:
    (growing,) = kept.traces
    # The run may go on in another thread: what is spelt must be what is sent, and a run that has ended
    # has all its steps.
    trace = replace(
        growing,
        finish=growing.finish,
        steps=list(growing.steps),
        vocabulary=dict(growing.vocabulary),
    )
    if not 0 <= first <= len(trace.steps):
        return None
    trace.spell(kept.speller)
    return steps_message(trace, -1, first, _spelt(trace, first)) if first else trace.to_json()


def _race_from(growing: Race, speller: Speller, first: int) -> str | None:
    contest = growing.so_far()
    if not 0 <= first <= len(contest.order):
        return None
    for trace in contest.traces:
        trace.spell(speller)
    if first == 0:
        return contest.to_json()
    sent = [contest.order[:first].count(lane) for lane in range(len(contest.traces))]
    lanes = zip(contest.traces, sent, strict=True)
    return progress_message(contest, sent, [_spelt(trace, at) for trace, at in lanes])


def _spelt(trace: Trace, first: int) -> dict[int, bytes]:
    """The bytes of the tokens mentioned from step number `first` on, whoever was told them before."""
    return {token: trace.vocabulary[token] for token in trace.mentioned(first)}


def _steps(kept: Kept) -> Iterator[int]:
    """The steps still to come, until they are stopped; a failure is noted in its trace."""
    try:
        for step in kept.steps:
            if kept.stop.is_set():
                break
            yield step
    except Exception as error:
        # Logged in full where it arose, unless a person is meant to read it.
        expected = isinstance(error, LogitSpecError)
        done = sum(len(trace.steps) for trace in kept.traces)
        log.error("%s failed after %d steps", kept.name, done, exc_info=None if expected else error)
        # A race can fail before any of its lanes has begun.
        for trace in [t for t in kept.traces if t.finish == "error"] or kept.traces[:1]:
            trace.finish, trace.error = "error", sentence(error)


def _messages(kept: Kept, whole: bool) -> Iterator[str]:
    (trace,), speller = kept.traces, kept.speller
    yield reset_message(trace, 0)
    sequence, sent, sent_at = 1, 0, 0.0
    for _ in _steps(kept):
        if monotonic() - sent_at >= SECONDS_PER_MESSAGE:
            yield steps_message(trace, sequence, sent, trace.spell(speller, sent))
            sequence, sent, sent_at = sequence + 1, len(trace.steps), monotonic()
    kept.close()
    spelt = trace.spell(speller, sent)
    yield trace.to_json() if whole else steps_message(trace, sequence, sent, spelt)


def _race_messages(kept: Kept) -> Iterator[str]:
    contest, speller = kept.race, kept.speller
    assert contest is not None
    yield start_message(contest)
    sent, sent_at = [0] * len(contest.traces), 0.0
    for _ in _steps(kept):
        if monotonic() - sent_at >= SECONDS_PER_MESSAGE:
            yield _progress(contest, speller, sent)
            sent, sent_at = [len(trace.steps) for trace in contest.traces], monotonic()
    kept.close()
    yield _progress(contest, speller, sent)


def _progress(contest: Race, speller: Speller, sent: Sequence[int]) -> str:
    lanes = zip(contest.traces, sent, strict=True)
    return progress_message(contest, sent, [trace.spell(speller, at) for trace, at in lanes])


def _seconds(new_tokens: int, lanes: int = 1) -> float:
    """For how long to ask for a GPU: to get it ready, to read the prompt and to decode slowly."""
    return GPU_SECONDS + lanes * new_tokens / SLOW_TOKENS_PER_SECOND


def parse_options(text: str) -> dict[str, Any]:
    """Options from a JSON object; LogitSpecError when it is none."""
    try:
        options = json.loads(text or "{}")
    except (ValueError, TypeError, RecursionError) as error:
        raise LogitSpecError(
            f"The options are not JSON ({error}); write an object like {{}}."
        ) from error
    if not isinstance(options, dict):
        raise LogitSpecError("The options must be a JSON object of names and values, like {}.")
    return options


def _check(request: Request) -> None:
    texts = (request.prompt, request.method, request.model)
    if not all(isinstance(text, str) for text in texts):
        raise LogitSpecError("The prompt, the method and the model must be texts.")
    if len(request.prompt) > MOST_CHARACTERS:
        raise LogitSpecError(
            f"The prompt has {len(request.prompt)} characters and at most {MOST_CHARACTERS} are"
            " taken; shorten it."
        )
    wanted = request.max_new_tokens
    whole = isinstance(wanted, int) and not isinstance(wanted, bool)
    if not whole or not 1 <= wanted <= MOST_NEW_TOKENS:
        raise LogitSpecError(
            f"Max new tokens must be a whole number from 1 to {MOST_NEW_TOKENS}; got {wanted!r}."
        )
