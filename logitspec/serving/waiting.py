"""Waiting and reading without a thread for each who waits: for event loops, such as Gradio's."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from functools import partial
from threading import Event
from time import perf_counter
from typing import Any, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

from logitspec.errors import LogitSpecError
from logitspec.serving.host import Host
from logitspec.serving.limits import Visitor
from logitspec.serving.turn import UNHEARD, Outlook, Place, stopped

SECONDS_PER_LOOK = 0.1
LOOKS_PER_SIGN = 20  # without news: whoever vanished is noticed only when something is sent
END = object()  # what comes after the last value
REST = 4  # times as long as an answer took to make, until the next one is made

Value = TypeVar("Value")


async def outlooks(
    place: Place, stop: Event, unheard: Callable[[], bool] = lambda: False
) -> AsyncGenerator[Outlook, None]:
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


async def in_turn(
    host: Host,
    visitor: Visitor,
    stop: Event,
    begin: Callable[[Place], Generator[Value, None, Any]],
) -> AsyncGenerator[Outlook | Value, None]:
    """What a visitor may expect until their turn has come, then what `begin` yields, which takes their place.

    LogitSpecError when it can't be had, when `stop` is set meanwhile, or when nobody listens.
    """
    place = host.ask(visitor)
    with place.until_claimed():
        unheard = partial(host.unheard, place)
        async with aclosing(outlooks(place, stop, unheard)) as waiting:
            async for outlook in waiting:
                yield outlook
        async with aclosing(in_threads(begin(place))) as values:
            async for value in values:
                yield value


async def in_threads(values: Generator[Value, None, Any]) -> AsyncGenerator[Value, None]:
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


async def in_moderation(
    limiter: CapacityLimiter, work: Callable[..., Value], *arguments: Any
) -> Value:
    """What `work` returns; it takes a fifth of the time at most, because a run shares its processor with it."""
    async with limiter:
        began = perf_counter()
        value = await to_thread.run_sync(work, *arguments)
        await sleep(REST * (perf_counter() - began))
    return value
