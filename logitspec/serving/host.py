"""The path of a request: its turn, its run, and its messages; README.md in this folder shows it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, TypeVar

from anyio import CapacityLimiter

from logitspec.decoding.race import Race, begin_race
from logitspec.errors import LogitSpecError
from logitspec.models.chat import encode_prompt
from logitspec.models.sources import BUILTIN
from logitspec.serving import zerogpu
from logitspec.serving.audience import Audience
from logitspec.serving.budget import Budget
from logitspec.serving.events import apply_events, race_events
from logitspec.serving.limits import NOBODY_ELSE, PRIVATE, Limits, Visitor
from logitspec.serving.live import LiveRun, LiveRuns
from logitspec.serving.models import LoadedModels
from logitspec.serving.request import Request
from logitspec.serving.turn import UNHEARD, Place, Turn
from logitspec.serving.worker import Worker
from logitspec.trace.records import Trace

GPU_SECONDS = 10.0  # to get a GPU ready and to read the prompt
SLOW_TOKENS_PER_SECOND = 25.0

Shown = TypeVar("Shown")


class Host:
    """Runs one request at a time; see `LoadedModels` for the arguments. now: a clock, in seconds."""

    def __init__(
        self,
        model: str = BUILTIN,
        device: str = "auto",
        dtype: str = "auto",
        others: bool = False,
        folders: bool = True,
        limits: Limits = PRIVATE,
        now: Callable[[], float] = monotonic,
        **loading: Any,
    ) -> None:
        self.limits = limits
        self.audience = Audience(now)
        self.turn = Turn(limits, now)
        self.models = LoadedModels(self.turn, model, device, dtype, others, folders, **loading)
        self.models.load_seconds = limits.load_seconds
        self.answering = CapacityLimiter(1)  # for answers that take processor time from runs
        self._now = now
        self._worker = Worker(self.models)
        self._runs = LiveRuns()
        self._runs_of_programs = LiveRuns()
        self._held: LiveRun | None = None
        self._lock = Lock()

    def ask(self, visitor: Visitor) -> Place:
        """A place for `visitor`; see `Turn.ask`."""
        self.audience.asks(visitor.session)
        return self.turn.ask(visitor)

    def unheard(self, place: Place) -> bool:
        """Whether nobody has listened for a while to the session that has `place`."""
        return self.audience.silence(place.visitor.session) > self.limits.unheard_seconds

    def stream(
        self,
        request: Request,
        stop: Event,
        outlives: bool = False,
        visitor: Visitor = NOBODY_ELSE,
        place: Place | None = None,
    ) -> Generator[str, None, None]:
        """Run `request`; yields the messages of `LiveRun.messages`.

        Ends within one step after `stop` is set and keeps the steps so far. Closing the stream ends the
        run too, unless it `outlives` its reader: then it goes on while somebody asks for its steps, and is
        held for a while after that. The last message to such a reader has only the steps that it still
        lacks; others get the whole run last. place: the visitor's, if they have waited already.
        Raises LogitSpecError when the request can't be run.
        """
        request.check()
        place = place or self.turn.ask(visitor)
        yield from self._run(
            request, stop, lambda run: run.messages(whole=not outlives), place, outlives
        )

    def race(
        self,
        request: Request,
        stop: Event,
        visitor: Visitor = NOBODY_ELSE,
        place: Place | None = None,
    ) -> Generator[Race, None, None]:
        """The same for readers of data, not messages: yields what `LiveRun.growing` does. Each lane of a race is also
        kept as a run by itself."""
        request.check()
        place = place or self.turn.ask(visitor)

        def show(run: LiveRun) -> Iterator[Race]:
            yield from run.growing()
            if not run.race.is_run:
                for lane in run.lanes():
                    self._keep(lane)

        yield from self._run(request, stop, show, place)

    def _run(
        self,
        request: Request,
        stop: Event,
        show: Callable[[LiveRun], Iterator[Shown]],
        place: Place,
        outlives: bool = False,
    ) -> Generator[Shown, None, None]:
        run = None
        try:
            place.wait(stop)
            run = self._begin(request, stop, place.visitor)
            yield from show(run)
        except GeneratorExit:
            if run is not None and run.reader:
                run.lose_reader(for_good=False)
            raise
        finally:
            if run is not None and outlives and not run.over:
                # In the reader's context, from which a Space knows its visitor.
                arguments = [self._go_on, run, place]
                Thread(target=copy_context().run, args=arguments, daemon=True).start()
            else:
                self._end(run, place)

    def _begin(self, request: Request, stop: Event, visitor: Visitor) -> LiveRun:
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
        budget = Budget(self.limits.run_seconds, self._now)
        events = self._worker.run(request.model, seconds, budget.left, race_events, race)
        self.audience.asks(visitor.session)
        run = LiveRun(
            race,
            speller,
            budget.spend(apply_events(race, events)),
            stop,
            visitor,
            self.limits.unheard_seconds,
            lambda: self.audience.silence(visitor.session),
            self._now,
        )
        self._keep(run)
        return run

    def _keep(self, run: LiveRun) -> None:
        """Keep `run` for later; runs of programs push out no page's."""
        (self._runs if run.owner.session else self._runs_of_programs).add(run)

    def _find(self, name: str) -> LiveRun | None:
        return self._runs.get(name) or self._runs_of_programs.get(name)

    def _go_on(self, run: LiveRun, place: Place) -> None:
        """Continue a page's run without its reader while somebody asks for its steps. Then the run gives its
        turn to others and is held, with its text, in case the page returns."""
        try:
            while not run.go_on_alone():
                place.leave()
                if not self._hold(run):
                    break
                place = self.turn.ask(run.owner, again=True)
                place.wait(run.stop)
        except LogitSpecError:  # stopped while it waited for another turn
            pass
        finally:
            self._end(run, place)

    def _hold(self, run: LiveRun) -> bool:
        """Wait until somebody wants more of `run`. Returns whether that happened in time. Only one run is held
        at a time, since it keeps its cache: the previous one ends."""
        with self._lock:
            before, self._held = self._held, run
        if before is not None:
            before.halt()
        run.wanted.clear()
        came = not run.unheard or run.wanted.wait(self.limits.held_seconds)
        with self._lock:
            if self._held is run:
                self._held = None
        return came and not run.stop.is_set()

    def _end(self, run: LiveRun | None, place: Place) -> None:
        if run is not None:
            run.close()
            run.reader = False
        place.leave()

    def steps_from(self, name: str, first: int) -> str | None:
        """`LiveRun.steps_from` of a recent run; None for an unknown or forgotten one."""
        run = self._find(name)
        return None if run is None else run.steps_from(first)

    def knows(self, name: str) -> bool:
        """Whether a run is a recent one."""
        return self._find(name) is not None

    def traces(self, name: str) -> list[Trace]:
        """The traces so far of a recent run or race, one for each lane, spelt; none for an unknown or forgotten
        one."""
        run = self._find(name)
        return [] if run is None else run.traces()

    def reply(self, name: str, first: int) -> str | None:
        """`LiveRun.reply` of a recent run; None for an unknown or forgotten one."""
        run = self._find(name)
        return None if run is None else run.reply(first)

    def packed(self, name: str, first: int) -> str | None:
        """The same, if it is packed already."""
        run = self._find(name)
        return run.packed if run is not None and run.wants_whole(first) else None

    def stop(self, name: str) -> None:
        """End a run that has lost its reader; a run with one is the reader's to stop."""
        run = self._find(name)
        if run is not None and not run.reader:
            run.halt()

    def goodbye(self, name: str, address: str) -> None:
        """The page that reads a run is closed: the run frees the models at its next step, and is held in case
        the page was only reloaded. address: the sender's; only the owner is heeded."""
        run = self._find(name)
        if run is not None and run.owner.address == address and not run.over:
            run.lose_reader(for_good=True)

    def forget(self, session: str) -> None:
        """The page or the script of `session` is gone. Its queued runs are dropped; a run in progress goes on,
        because the page may return after a reload or a lost connection."""
        if session:
            self.turn.forget(session)

    def work(
        self,
        name: str,
        stop: Event,
        seconds: float,
        work: zerogpu.Work,
        *arguments: Any,
        place: Place | None = None,
    ) -> Generator[Any, None, Any]:
        """Yield and return what `work(target, tokenizer, *arguments)` does; between its yields it gives way
        to others after a while.

        work: a module-level generator function. Its arguments and results are plain data, because on ZeroGPU
        it runs in another process. seconds: of GPU time to request there. place: the visitor's, if they
        have waited already. Raises LogitSpecError.
        """
        place = place or self.turn.ask()
        budget = Budget(self.limits.work_seconds, self._now)
        steps = budget.spend(self._worker.run(name, seconds, budget.left, work, *arguments))
        try:
            place.wait(stop)
            self.audience.asks(place.visitor.session)
            while True:
                try:
                    value = next(steps)
                except StopIteration as end:
                    return end.value
                if self.unheard(place):
                    raise LogitSpecError(UNHEARD)
                yield value
                if not stop.is_set():
                    place = self.turn.give_way(place, stop)
        finally:
            steps.close()
            place.leave()
