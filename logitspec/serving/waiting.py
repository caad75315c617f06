"""Waiting and reading without a thread for each waiting visitor: for event loops, such as Gradio's."""

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
LOOKS_PER_SIGN = 20  # without news: a vanished client is noticed only when something is sent
END = object()  # follows the last value
REST = 4  # pause before the next answer, in multiples of the time that the last one took

Value = TypeVar("Value")


async def outlooks(
    place: Place, stop: Event, unheard: Callable[[], bool] = lambda: False
) -> AsyncGenerator[Outlook, None]:
    """The expected wait of a place, whenever it changes by a turn, until its turn has come.

    LogitSpecError when `stop` is set first, or when nobody listens (`unheard`). The place is left when this is
    closed before its end.
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
    """A visitor's expected wait until their turn has come, then the values of `begin`, which takes over their place.

    LogitSpecError when no place can be had, when `stop` is set first, or when nobody listens.
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
    """`values`, each made in a thread; closing this closes them."""
    limiter = CapacityLimiter(1)  # its own, so that it uses up no one else's threads
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
    """The result of `work`; it takes at most a fifth of the time, because a run shares the processor with it."""
    async with limiter:
        began = perf_counter()
        value = await to_thread.run_sync(work, *arguments)
        await sleep(REST * (perf_counter() - began))
    return value
