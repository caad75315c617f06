"""Functions that the page's scripts call by name: `fetch_steps` and `stop_run`. Anyone can call them with anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from logitspec.publish.demos import read_demo
from logitspec.serving.host import Host
from logitspec.serving.wire import UNNUMBERED, pack, steps_message
from logitspec.trace.records import Trace


def callbacks(host: Host, demos: Path) -> list[Callable[[Any], Any]]:
    """The functions for a view of `host`'s runs and of the recorded ones in the folder `demos`."""

    def fetch_steps(request: Any) -> str | None:
        """The steps of {"run", "from"}, which fill a gap."""
        if not isinstance(request, dict):
            return None
        name, first = request.get("run"), request.get("from")
        if not isinstance(name, str) or type(first) is not int:
            return None
        demo = read_demo(name, demos)
        message = _demo_from(demo, first) if demo else host.steps_from(name, first)
        return pack(message) if message else None

    def stop_run(request: Any) -> None:
        """End {"run"}, which went on without its page. Names of runs can't be guessed."""
        if isinstance(request, dict) and isinstance(request.get("run"), str):
            host.stop(request["run"])

    return [fetch_steps, stop_run]


def _demo_from(demo: str, first: int) -> str | None:
    """Like `Host.steps_from` for a recorded run; a recorded race comes only as a whole."""
    if first == 0:
        return demo
    if json.loads(demo)["kind"] != "trace":
        return None
    trace = Trace.from_json(demo)
    return steps_message(trace, UNNUMBERED, first, {}) if 0 < first <= len(trace.steps) else None
