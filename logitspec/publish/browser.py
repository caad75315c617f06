"""A headless browser, which runs the scripts of a document, or prints it as PDF."""

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
INSTALL_PATHS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions",
)  # fmt: skip
TIMEOUT = 180  # seconds
BODY = re.compile(r"<body>(.*)</body>", re.S)


@cache
def find_browser() -> str | None:
    """The path of a Chromium, Chrome or Edge; None where there is none."""
    return next(filter(None, map(shutil.which, (*NAMES, *INSTALL_PATHS))), None)


def dump_text(document: str) -> str:
    """The text of an HTML document's body after the listeners of its load event have run.

    Raises LogitSpecError where there is no browser, or it fails.
    """
    match = BODY.search(_run(document, "--dump-dom").decode("utf-8", "replace"))
    if match is None:
        raise LogitSpecError("The browser could not draw the pictures; save them in the page.")
    return html.unescape(match[1])


def print_pdf(document: str) -> bytes:
    """An HTML document as a PDF, on the paper that its style names. Raises LogitSpecError as `dump_text` does."""
    return _run(document, "--print-to-pdf", result="print.pdf")


def _run(document: str, action: str, result: str = "") -> bytes:
    """The output of the browser for a document: what it writes to standard output, or into the file `result`."""
    program = find_browser()
    if program is None:
        raise LogitSpecError(
            "PNG, film and PDF files are made by Chromium, Chrome or Edge, none of which was found here; save SVG or HTML, or use the page."
        )
    with TemporaryDirectory(prefix="logitspec-", ignore_cleanup_errors=True) as folder:
        page, out = Path(folder, "page.html"), Path(folder, result or "none")
        page.write_text(document, encoding="utf-8")
        command = [program, *FLAGS, *_root_flags(), f"--user-data-dir={folder}/profile"]
        command += [f"{action}={out}", "--no-pdf-header-footer"] if result else [action]
        try:
            process = subprocess.run(
                [*command, page.as_uri()], capture_output=True, timeout=TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LogitSpecError(f"The browser {program} did not answer; try again.") from error
        if result and out.exists():
            return out.read_bytes()
        if result or process.returncode:
            raise LogitSpecError(f"The browser {program} could not write the file; try again.")
        return process.stdout


def _root_flags() -> list[str]:
    # Chromium doesn't run with its sandbox as root, as in containers. It opens nothing but our own document.
    is_root = sys.platform != "win32" and os.geteuid() == 0
    return ["--no-sandbox"] if is_root else []
