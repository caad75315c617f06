"""A whole lesson, with the recorded runs that it shows, as one HTML page that needs no network and no server."""

from __future__ import annotations

import base64
import html
import json
import zlib
from functools import cache
from pathlib import Path

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish.demos import read_demo
from logitspec.publish.lesson import LESSON, read, runs
from logitspec.publish.modules import WORDS, inline_modules, inline_styles
from logitspec.publish.outline import fill_outline

LEARN = ASSETS / "learn"


def lesson_page(file: Path = LESSON, station: int = 0, cue: int = 1, language: str = "") -> str:
    """The page of the lesson in `file`. language: a folder of `assets/words`; "" for the reader's own.

    station, cue: where it opens, counted from 1; station 0 opens it where the visitor left off. Raises LogitSpecError
    if the file holds no lesson, or names a run that is not recorded here.
    """
    try:
        lesson = read(file.read_bytes())
    except OSError as error:
        raise LogitSpecError(f"Can't read {file} ({error.strerror}).") from error
    recorded = {run: _pack(run) for run in runs(lesson)}
    data = json.dumps({"lesson": lesson, "runs": recorded}, ensure_ascii=False)
    return fill_outline(
        data,
        player=lesson_markup(language),
        title=html.escape("LogitSpec: " + _english(lesson["title"])),
        style=inline_styles(ASSETS / "player" / "player.css") + inline_styles(LEARN / "learn.css"),
        scripts=_scripts(),
        step=str(station),
        beat=str(cue),
    )


def lesson_markup(language: str = "") -> str:
    """The element that a lesson goes into. language: as in `lesson_page`."""
    chosen = f' data-language="{html.escape(language)}"' if language else ""
    return (
        '<section data-logitspec-lesson class="ls-player learn" role="group" aria-label="Lesson"'
        f"{chosen}></section>"
    )


@cache
def _scripts() -> str:
    languages = [each.name for each in WORDS.iterdir() if each.is_dir()]
    return inline_modules(LEARN / "standalone.js", languages)


def _english(text: str | dict[str, str]) -> str:
    return text if isinstance(text, str) else text.get("en") or next(iter(text.values()))


@cache
def _pack(run: str) -> str:
    """The trace of a recorded run for the page to unpack: deflated, in base64."""
    trace = read_demo(run)
    if trace is None:
        raise LogitSpecError(
            f"The lesson shows the run {run}, which is not recorded here; add it to the lesson's traces."
        )
    return base64.b64encode(zlib.compress(trace.encode())).decode()
