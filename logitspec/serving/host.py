"""The path of a request: its turn, its run, and its messages; README.md in this folder draws it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from contextvars import copy_context
from threading import Event, Thread
from typing import Any

from logitspec.decoding.race import begin_race
from logitspec.models.chat import encode_prompt
from logitspec.models.loader import BUILTIN
from logitspec.serving import zerogpu
from logitspec.serving.events import apply_events, race_events
from logitspec.serving.live import LiveRun, LiveRuns
from logitspec.serving.models import LoadedModels
from logitspec.serving.request import Request
from logitspec.serving.turn import Turn
from logitspec.serving.worker import Worker

GPU_SECONDS = 10.0  # to get a GPU ready and to read the prompt
SLOW_TOKENS_PER_SECOND = 25.0


class Host:
    """Runs one request at a time; see `LoadedModels` for the arguments."""

    def __init__(
        self,
        model: str = BUILTIN,
        device: str = "auto",
        dtype: str = "auto",
        others: bool = False,
        **placement: Any,
    ) -> None:
        self.turn = Turn()
        self.models = LoadedModels(self.turn, model, device, dtype, others, **placement)
        self._worker = Worker(self.models)
        self._runs = LiveRuns()

    def stream(
        self, request: Request, stop: Event, outlives: bool = False
    ) -> Generator[str, None, None]:
        """Run `request`; yields the messages of `LiveRun.messages`.

        Ends within one step after `stop` is set and keeps the steps so far. Closing the stream ends the
        run too, unless it `outlives` its reader: then it goes on for as long as somebody asks for its
        steps. Such a reader has all the steps there are, and the last message holds no more than
        those it lacks; others get the whole last. Raises LogitSpecError when the request can't be run.
        """
        request.check()
        self.turn.take(stop)
        run = None
        try:
            run = self._begin(request, stop)
            yield from run.messages(whole=not outlives)
        except GeneratorExit:
            if run is not None:
                run.alone = outlives and not stop.is_set() and not run.race.over
            raise
        finally:
            if run is not None and run.alone:
                # In the reader's context, from which a Space knows its visitor.
                Thread(target=copy_context().run, args=[self._go_on, run], daemon=True).start()
            else:
                self._end(run)

    def _begin(self, request: Request, stop: Event) -> LiveRun:
        target, tokenizer, speller = self.models.load(request.model)
        race = begin_race(
            target,
            encode_prompt(tokenizer, request.prompt),
            request.methods,
            request.max_new_tokens,
            request.sampling,
        )
        for trace in race.traces:
            trace.prompt = request.prompt
            trace.spell(speller)
        seconds = GPU_SECONDS + len(race.traces) * request.max_new_tokens / SLOW_TOKENS_PER_SECOND
        events = self._worker.run(request.model, seconds, race_events, race)
        run = LiveRun(race, speller, apply_events(race, events), stop)
        self._runs.add(run)
        return run

    def _go_on(self, run: LiveRun) -> None:
        run.go_on_alone()
        self._end(run)

    def _end(self, run: LiveRun | None) -> None:
        if run is not None:
            run.close()
            run.alone = False
        self.turn.give_back()

    def steps_from(self, name: str, first: int) -> str | None:
        """`LiveRun.steps_from` of a recent run; None for one that is not known (any more)."""
        run = self._runs.get(name)
        return None if run is None else run.steps_from(first)

    def stop(self, name: str) -> None:
        """End a run that has outlived its reader; others are their readers' to stop."""
        run = self._runs.get(name)
        if run is not None and run.alone:
            run.stop.set()

    def work(
        self, name: str, stop: Event, seconds: float, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, Any]:
        """What `work(target, tokenizer, *arguments)` yields and returns, while no other work runs.

        work: a module's generator function. Its arguments and results are plain data, because on ZeroGPU
        it runs in another process. seconds: of GPU time to request there. Raises
        LogitSpecError.
        """
        with (
            self.turn.hold(stop),
            closing(self._worker.run(name, seconds, work, *arguments)) as results,
        ):
            return (yield from results)
