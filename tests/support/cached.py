"""Checks that need not run again until something that they read has changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSED = ROOT / "build" / "passed"
# What mypy knows of the installed packages, which take it longer than the project; shared by all checkouts.
MYPY_CACHE = Path(
    os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "logitspec-tests", "mypy"
)


def failure(name: str, command: list[str], inputs: Iterable[Path], versions: Iterable[str]) -> str:
    """What `command` prints in the project's folder if it fails; "" if it passes, now or when it last ran.

    name: that of the file which records that it passed. inputs: all files that it reads, relative to the
    project's folder. versions: those of everything it runs with.
    """
    stamp = PASSED / name
    fingerprint = _fingerprint(command, inputs, versions)
    if stamp.exists() and stamp.read_text() == fingerprint:
        return ""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return f"{result.stdout}{result.stderr}" or f"exit code {result.returncode}"
    PASSED.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)
    return ""


def python_versions() -> list[str]:
    """Those of Python and of every installed distribution, for checks that run in this environment."""
    installed = {f"{each.name} {each.version}" for each in distributions()}
    return [sys.version, *sorted(installed)]


def _fingerprint(command: list[str], inputs: Iterable[Path], versions: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in [*command, *versions, *map(str, sorted(inputs))]:
        digest.update(text.encode() + b"\0")
    for file in sorted(inputs):
        digest.update(hashlib.sha256((ROOT / file).read_bytes()).digest())
    return digest.hexdigest()
