"""Functions that the page's scripts call by name: `fetch_steps` and `stop_run`. Anyone can call them with anything."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from anyio import CapacityLimiter, to_thread

from logitspec.publish.demos import demo_run, read_demo, shown_prompts
from logitspec.serving.host import Host
from logitspec.serving.wire import pack

REST = 4  # times as long as an answer took to make, until the next one is made


def callbacks(host: Host, demos: Path) -> list[Callable[[Any], Any]]:
    """The functions for a view of `host`'s runs and of the recorded ones in the folder `demos`."""
    recorded = {demo_run(prompt) for prompt in shown_prompts()}
    packed: dict[str, str | None] = {}
    one_at_a_time = CapacityLimiter(1)

    def answer(name: str, first: int) -> str | None:
        """The whole of a recorded run, whatever part of it is asked for."""
        if name not in recorded:
            return host.reply(name, first)
        if name not in packed:
            demo = read_demo(name, demos)
            packed[name] = pack(demo) if demo else None
        return packed[name]

    async def fetch_steps(request: Any) -> str | None:
        """The steps of {"run", "from"}, which fill a gap; also the whole run, where those are many.

        What is packed already costs nothing. Other answers are made one after the other, and take a fifth of
        the time at most, because a run shares its processor with them.
        """
        if not isinstance(request, dict):
            return None
        name, first = request.get("run"), request.get("from")
        if not isinstance(name, str) or type(first) is not int:
            return None
        if name not in recorded and not host.knows(name):
            return None
        if known := packed.get(name) or host.packed(name, first):
            return known
        async with one_at_a_time:
            began = perf_counter()
            message = await to_thread.run_sync(answer, name, first)
            await sleep(REST * (perf_counter() - began))
        return message

    def stop_run(request: Any) -> None:
        """End {"run"}, which went on without its page. Names of runs can't be guessed."""
        if isinstance(request, dict) and isinstance(request.get("run"), str):
            host.stop(request["run"])

    return [fetch_steps, stop_run]
