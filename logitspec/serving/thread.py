"""The thread in which all work on models is done: one, so that torch keeps its own threads warm, and one
that can be left behind when a forward never ends."""

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

END = object()  # what comes after the last value
SECONDS_AT_EXIT = 2.0  # for the step that is going on when the process ends

Value = TypeVar("Value")
Jobs = SimpleQueue[Callable[[], None] | None]


class HungError(RuntimeError):
    """A step has not ended in the time it had."""


class ModelThread:
    """Takes the steps of generators, each when it is asked for."""

    def __init__(self) -> None:
        self._jobs: Jobs = SimpleQueue()
        self._hung = False
        Thread(target=_work, args=[self._jobs], name="models", daemon=True).start()
        _threads.add(self)

    def __del__(self) -> None:
        self._jobs.put(None)

    def steps(
        self, values: Generator[Any, None, Any], seconds: Callable[[], float | None]
    ) -> Generator[Any, None, Any]:
        """What `values` yields and returns, in the caller's context.

        seconds: that its next step may take; None for as long as it likes. Raises HungError after them,
        and this thread is of no use any more.
        """
        context = copy_context()
        result: list[Any] = []

        def step() -> Any:
            try:
                return next(values)
            except StopIteration as end:
                result.append(end.value)
                return END

        try:
            while (value := self._call(lambda: context.run(step), seconds())) is not END:
                yield value
        finally:
            if not self._hung:
                self._call(lambda: context.run(values.close), seconds())
        return result[0]

    def rest(self) -> None:
        """Take no further steps."""
        if not self._hung:
            with suppress(HungError):
                self._call(lambda: self._jobs.put(None), SECONDS_AT_EXIT)

    def _call(self, work: Callable[[], Any], seconds: float | None) -> Any:
        try:
            return _in_time(work, self._jobs.put, seconds)
        except HungError:
            self._hung = True
            self._jobs.put(None)
            raise


def in_a_thread(work: Callable[[], Value], seconds: float) -> Value:
    """What `work` returns, in a thread of its own; HungError after so many seconds, and the thread is left to itself."""
    context = copy_context()

    def begin(job: Callable[[], None]) -> None:
        Thread(target=job, daemon=True).start()

    return _in_time(lambda: context.run(work), begin, seconds)


def _in_time(
    work: Callable[[], Value], begin: Callable[[Callable[[], None]], None], seconds: float | None
) -> Value:
    """What `work` returns once `begin` has it done elsewhere."""
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
        if future.done():  # the work's own
            raise
        raise HungError from None


def _work(jobs: Jobs) -> None:
    while (job := jobs.get()) is not None:
        job()


_threads: WeakSet[ModelThread] = WeakSet()


@atexit.register
def _rest() -> None:
    """A thread that is in the middle of a forward when the interpreter ends would take the process down."""
    for thread in list(_threads):
        thread.rest()
