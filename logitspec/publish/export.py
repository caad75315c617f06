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
from hashlib import sha256
from pathlib import Path

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish.picture import picture
from logitspec.trace.records import Trace

PLAYER = ASSETS / "player"

# What the page may do: run the one script that carries the nonce, and draw. It can reach no address.
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data: blob:;"
    " base-uri 'none'; form-action 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="LogitSpec Live">
<title>{title}</title>
<style data-logitspec-style>{style}</style>
<style>:root {{ color-scheme: light dark; }}
body {{ margin: 16px; background: light-dark(#ffffff, #0d0f12); }}</style>
</head>
<body>
{body}<noscript>This page plays its run with JavaScript, which is turned off here.</noscript>
<script type="application/json" id="logitspec-trace">{trace}</script>
<script nonce="{nonce}">{source}
logitspecPlayer().startStandalone();</script>
</body>
</html>
"""


def page(trace: Trace) -> str:
    """One HTML document that plays `trace` in any browser and fetches nothing."""
    text = trace.to_json().replace("<", "\\u003c")
    # Not to be foreseen by whoever wrote the trace, and yet the same for the same trace.
    nonce = sha256(text.encode()).hexdigest()[:32]
    return PAGE.format(
        policy=POLICY.format(nonce=nonce),
        title=html.escape(title(trace)),
        style=player_style(),
        body=player_file("player.html"),
        trace=text,
        nonce=nonce,
        source=player_source(),
    )


def title(trace: Trace) -> str:
    """What to call the run: its recorded title, or the beginning of its prompt, on one line."""
    text = trace.recorded or trace.prompt or "a run"
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(shown.split())
    return "LogitSpec: " + (words if len(words) <= 60 else words[:59] + "…")


def player_source() -> str:
    """The player's scripts as one function, which hands out what hosts need. The function's own text
    is what the player puts into pages that it saves itself."""
    return (
        'function logitspecPlayer() {\n"use strict";\n'
        + _joined("scripts")
        + "\nreturn { createPlayer, installStyle, startStandalone, unpacked };\n}"
    )


def player_style() -> str:
    """The player's style sheets as one."""
    return _joined("styles")


def player_file(name: str) -> str:
    """One file of the player."""
    return (PLAYER / name).read_text(encoding="utf-8")


def _joined(kind: str) -> str:
    names: list[str] = json.loads(player_file("order.json"))[kind]
    return "\n".join(map(player_file, names))


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
        options.html.write_text(page(trace), encoding="utf-8")
    if options.svg:
        options.svg.write_text(picture(trace, options.step), encoding="utf-8")
