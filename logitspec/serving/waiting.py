"""Waiting and reading without a thread for each who waits: for event loops, such as Gradio's."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Generator
from threading import Event
from typing import Any, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

from logitspec.errors import LogitSpecError
from logitspec.serving.turn import UNHEARD, Outlook, Place, stopped

SECONDS_PER_LOOK = 0.1
LOOKS_PER_SIGN = 20  # without news: whoever vanished is noticed only when something is sent
END = object()  # what comes after the last value

Value = TypeVar("Value")


async def outlooks(
    place: Place, stop: Event, unheard: Callable[[], bool] = lambda: False
) -> AsyncIterator[Outlook]:
    """What somebody who waits may expect, whenever it changes by a turn, until the turn has come.

    LogitSpecError when `stop` is set meanwhile, or when nobody listens: `unheard`. The place is left when this is closed before its end.
    """
    before, looks = -1, 0
    try:
        while not place.come.done():
            if stop.is_set():
                raise stopped()
            if unheard():
                raise LogitSpecError(UNHEARD)
            outlook = place.outlook()
            if outlook.ahead and (outlook.ahead != before or looks % LOOKS_PER_SIGN == 0):
                yield outlook
            before, looks = outlook.ahead, looks + 1
            await sleep(SECONDS_PER_LOOK)
        place.come.result()
    except BaseException:
        place.leave()
        raise


async def in_threads(values: Generator[Value, None, Any]) -> AsyncIterator[Value]:
    """`values`, each made in a thread; they are closed with this."""
    limiter = CapacityLimiter(1)  # of its own, so that nobody's threads run out
    try:
        while True:
            value: Any = await to_thread.run_sync(next, values, END, limiter=limiter)
            if value is END:
                return
            yield value
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(values.close, limiter=limiter)
