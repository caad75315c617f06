"""The thread for all work on models: a single one, so that torch keeps its own threads warm, which another
replaces when a forward never ends."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar
from weakref import WeakSet

END = object()  # follows the last value
SECONDS_AT_EXIT = 2.0  # for a step in progress when the process ends

Value = TypeVar("Value")
Jobs = SimpleQueue[Callable[[], None] | None]


class HungError(RuntimeError):
    """A step did not end within its time."""


class ModelThread:
    """Takes the steps of generators, each on request. After a step that hangs, another thread takes those of
    all other generators, which may have begun in the first one."""

    def __init__(self) -> None:
        self._jobs = _begin()
        _threads.add(self)

    def __del__(self) -> None:
        self._jobs.put(None)

    def steps(
        self, values: Generator[Any, None, Any], seconds: Callable[[], float | None]
    ) -> Generator[Any, None, Any]:
        """Yield and return what `values` does, in the caller's context.

        seconds: that its next step may take; None for no limit. Raises HungError after them, and `values`
        can't be used any more.
        """
        context = copy_context()
        result: list[Any] = []
        hung = False

        def step() -> Any:
            try:
                return next(values)
            except StopIteration as end:
                result.append(end.value)
                return END

        try:
            while (value := self._call(lambda: context.run(step), seconds())) is not END:
                yield value
        except HungError:
            hung = True
            raise
        finally:
            if not hung:
                self._call(lambda: context.run(values.close), seconds())
        return result[0]

    def rest(self) -> None:
        """Take no more steps."""
        jobs = self._jobs
        with suppress(HungError):
            _in_time(lambda: jobs.put(None), jobs.put, SECONDS_AT_EXIT)

    def _call(self, work: Callable[[], Any], seconds: float | None) -> Any:
        jobs = self._jobs
        try:
            return _in_time(work, jobs.put, seconds)
        except HungError:
            jobs.put(None)
            if self._jobs is jobs:
                self._jobs = _begin()
            raise


def in_a_thread(work: Callable[[], Value], seconds: float) -> Value:
    """The result of `work`, done in its own thread; HungError after `seconds`, and the thread is abandoned."""
    context = copy_context()

    def begin(job: Callable[[], None]) -> None:
        Thread(target=job, daemon=True).start()

    return _in_time(lambda: context.run(work), begin, seconds)


def _in_time(
    work: Callable[[], Value], begin: Callable[[Callable[[], None]], None], seconds: float | None
) -> Value:
    """The result of `work`, which `begin` starts in another thread."""
    future: Future[Value] = Future()

    def job() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    begin(job)
    try:
        return future.result(seconds)
    except NotYet:
        if future.done():  # a TimeoutError of the work itself
            raise
        raise HungError from None


def _begin() -> Jobs:
    """The jobs of a new thread."""
    jobs: Jobs = SimpleQueue()
    Thread(target=_work, args=[jobs], name="models", daemon=True).start()
    return jobs


def _work(jobs: Jobs) -> None:
    while (job := jobs.get()) is not None:
        job()


_threads: WeakSet[ModelThread] = WeakSet()


@atexit.register
def _rest() -> None:
    """Stop all threads: one in the middle of a forward when the interpreter ends would take the process down."""
    for thread in list(_threads):
        thread.rest()
