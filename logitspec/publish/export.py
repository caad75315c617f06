"""A trace as something to hand on: one HTML page that plays it, or a picture of one step.

    python -m logitspec export run.json --html run.html
    python -m logitspec export run.json --svg step.svg --step 12

Token text is hostile: in the page it travels as JSON in which no `<` occurs, in the picture as
escaped text of its own element.
"""

from __future__ import annotations

import argparse
import html
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from logitspec import files
from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish.modules import DEFAULT_LANGUAGE, inline_modules, inline_styles
from logitspec.publish.picture import picture
from logitspec.trace.records import Trace

PLAYER = ASSETS / "player"

MAX_READ = 4096  # letters of a prompt, for a title

# Where the parts of an exported page go in document.json.
PLACE = re.compile(r"\{(\w+)\}")


def page(trace: Trace) -> str:
    """One HTML document that plays `trace` in any browser and fetches nothing.

    By its policy it runs the one script that carries the nonce, draws, and can reach no address.
    """
    text = trace.to_json().replace("<", "\\u003c")
    parts = {
        "player": player_markup(),
        "title": html.escape(title(trace)),
        "style": player_style(),
        "scripts": player_scripts(),
        "trace": text,
        # Not to be foreseen by whoever wrote the trace, and yet the same for the same trace.
        "nonce": sha256(text.encode()).hexdigest()[:32],
    }
    return PLACE.sub(lambda place: parts[place[1]], "\n".join(_document()["lines"]))


def title(trace: Trace) -> str:
    """What to call the run: its recorded title, or the beginning of its prompt, on one line."""
    text = (trace.recorded or trace.prompt or "a run")[:MAX_READ]
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(printable.split())
    return "LogitSpec: " + (words if len(words) <= 60 else words[:59] + "…")


def player_scripts(language: str = DEFAULT_LANGUAGE) -> str:
    """What an exported page runs; it can speak `language` and the default one."""
    return inline_modules(PLAYER / "standalone.js", {language, DEFAULT_LANGUAGE})


def player_style() -> str:
    """The player's style sheets as one."""
    return inline_styles(PLAYER / "player.css")


def player_markup() -> str:
    """The element that a player goes into."""
    markup: str = _document()["player"]
    return markup


def _document() -> dict[str, Any]:
    """What the player's own button writes pages from, too."""
    document: dict[str, Any] = json.loads((PLAYER / "document.json").read_text(encoding="utf-8"))
    return document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The trace, and what to make of it."""
    parser.add_argument(
        "trace", type=Path, help="a file of --trace or of the player (.json, .json.gz)"
    )
    parser.add_argument("--html", type=Path, metavar="OUT", help="write one self-contained page")
    parser.add_argument("--svg", type=Path, metavar="OUT", help="write a picture of one step")
    parser.add_argument("--step", type=int, default=1, help="which step (default: %(default)s)")


def run(options: argparse.Namespace) -> None:
    """Write what the options name."""
    if not options.html and not options.svg:
        raise LogitSpecError("Nothing to write; give --html OUT or --svg OUT.")
    trace = Trace.open(options.trace)
    if options.html:
        files.write(options.html, page(trace))
    if options.svg:
        files.write(options.svg, picture(trace, options.step))
