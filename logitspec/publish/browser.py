"""A browser without a window, which turns documents into texts and printed pages."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from logitspec.errors import LogitSpecError

NAMES = (
    "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome",
    "microsoft-edge-stable", "microsoft-edge", "msedge",
)  # fmt: skip
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions",
)  # fmt: skip
SECONDS = 180  # that a document may take
BODY = re.compile(r"<body>(.*)</body>", re.S)


@cache
def program() -> str | None:
    """The path of a Chromium, Chrome or Edge; None where there is none."""
    return next(filter(None, map(shutil.which, (*NAMES, *PLACES))), None)


def text(document: str) -> str:
    """The text of an HTML document's body once it is loaded and its listeners have heard of that.

    Raises LogitSpecError where there is no browser, or it fails.
    """
    found = BODY.search(_run(document, "--dump-dom").decode("utf-8", "replace"))
    if found is None:
        raise LogitSpecError("The browser could not draw the pictures; save them in the page.")
    return html.unescape(found[1])


def printed(document: str) -> bytes:
    """An HTML document as a PDF, on the paper that its style names. Raises LogitSpecError as of `text`."""
    return _run(document, "--print-to-pdf", result="print.pdf")


def _run(document: str, action: str, result: str = "") -> bytes:
    """What the browser writes about a document: to standard output, or into the file `result`."""
    found = program()
    if found is None:
        raise LogitSpecError(
            "Pixels and PDF are made by Chromium, Chrome or Edge, and there is none here; save SVG or HTML, or use the page."
        )
    with TemporaryDirectory(prefix="logitspec-", ignore_cleanup_errors=True) as folder:
        page, out = Path(folder, "page.html"), Path(folder, result or "none")
        page.write_text(document, encoding="utf-8")
        command = [found, *QUIET, *_as_root(), f"--user-data-dir={folder}/profile"]
        command += [f"{action}={out}", "--no-pdf-header-footer"] if result else [action]
        try:
            done = subprocess.run(
                [*command, page.as_uri()], capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LogitSpecError(f"The browser {found} did not answer; try again.") from error
        if result and out.exists():
            return out.read_bytes()
        if result or done.returncode:
            raise LogitSpecError(f"The browser {found} could not write the file; try again.")
        return done.stdout


def _as_root() -> list[str]:
    """Chromium refuses its own sandbox to root, as in containers. What it opens here is our own page."""
    root = sys.platform != "win32" and os.geteuid() == 0
    return ["--no-sandbox"] if root else []
