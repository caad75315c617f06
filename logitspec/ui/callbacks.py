"""What the page's scripts call by name: `fetch_steps` and `stop_run`. Anyone can call them with anything."""

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

    def fetch_steps(wanted: Any) -> str | None:
        """The steps of {"run", "from"}, which fill a gap."""
        if not isinstance(wanted, dict):
            return None
        name, first = wanted.get("run"), wanted.get("from")
        if not isinstance(name, str) or type(first) is not int:
            return None
        demo = read_demo(name, demos)
        message = _demo_from(demo, first) if demo else host.steps_from(name, first)
        return pack(message) if message else None

    def stop_run(wanted: Any) -> None:
        """End {"run"}, which went on without its page. Names of runs can't be guessed."""
        if isinstance(wanted, dict) and isinstance(wanted.get("run"), str):
            host.stop(wanted["run"])

    return [fetch_steps, stop_run]


def _demo_from(demo: str, first: int) -> str | None:
    """What `Host.steps_from` gives, of a recorded run; of a race only the whole."""
    if first == 0:
        return demo
    if json.loads(demo)["kind"] != "trace":
        return None
    trace = Trace.from_json(demo)
    return steps_message(trace, UNNUMBERED, first, {}) if 0 < first <= len(trace.steps) else None
