"""The shipped lesson, its runs, its figures, and the example in its documentation."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from functools import cache
from typing import Any

from logitspec.paths import ASSETS, ROOT
from logitspec.publish import lesson as lessons
from logitspec.publish.node import find_node


@cache
def shipped() -> dict[str, Any]:
    return lessons.read(lessons.LESSON.read_bytes())


@cache
def run(name: str) -> dict[str, Any]:
    """A run of the lesson as it was recorded, read without any of the project's code."""
    number = shipped()["runs"][name].removeprefix("recorded-")
    data = gzip.decompress((ASSETS / "traces" / f"{number}.json.gz").read_bytes())
    document: dict[str, Any] = json.loads(data)
    return document


@cache
def values() -> dict[str, Any]:
    """Every figure of the lesson as the page works it out."""
    runs = {name: run(name) for name in shipped()["runs"]}
    done = subprocess.run(
        [str(find_node()), "--no-warnings", str(ROOT / "tests" / "scripts" / "lesson.js")],
        input=json.dumps({"lesson": shipped(), "runs": runs}),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def example() -> str:
    """The worked example in the documentation."""
    text = (ASSETS / "learn" / "README.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return found[0]
