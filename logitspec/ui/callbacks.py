"""Functions that the page's scripts call by name: `fetch_steps` and `stop_run`. Anyone can call them with anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from logitspec.publish.demos import demo_prompts, demo_run, read_demo
from logitspec.serving.host import Host
from logitspec.serving.waiting import in_moderation
from logitspec.serving.wire import pack


def callbacks(host: Host, demos: Path) -> list[Callable[[Any], Any]]:
    """The functions for a view of `host`'s runs and of the recorded ones in the folder `demos`."""
    recorded = {demo_run(prompt) for prompt in demo_prompts()}
    packed: dict[str, str | None] = {}

    def answer(name: str, first: int) -> str | None:
        """`Host.reply` for a live run; a recorded run as a whole, whichever part is requested."""
        if name not in recorded:
            return host.reply(name, first)
        if name not in packed:
            demo = read_demo(name, demos)
            packed[name] = pack(demo) if demo else None
        return packed[name]

    async def fetch_steps(request: Any) -> str | None:
        """The steps of {"run", "from"}, which fill a gap; the whole run where those are many.

        Answers that are packed already cost nothing; others are made in moderation.
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
        return await in_moderation(host.answering, answer, name, first)

    def stop_run(request: Any) -> None:
        """End {"run"}, which has continued without its page. Names of runs can't be guessed."""
        if isinstance(request, dict) and isinstance(request.get("run"), str):
            host.stop(request["run"])

    return [fetch_steps, stop_run]
