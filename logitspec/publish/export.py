"""Exports of a trace: one HTML page that plays it; pictures, films and handouts of its steps; tables.

    python -m logitspec export run.json --html run.html
    python -m logitspec export run.json --png step.png --step 12 --beat 4

Token text is hostile: in the page it travels as JSON in which no `<` occurs, in pictures and handouts as escaped
text in its own element, in tables as cells that no spreadsheet takes for a formula.
"""

from __future__ import annotations

import argparse
import html
import re
from pathlib import Path

from logitspec import files
from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish import browser, film
from logitspec.publish.lesson import LESSON
from logitspec.publish.lesson_page import lesson_page
from logitspec.publish.modules import DEFAULT_LANGUAGE, inline_modules, inline_styles
from logitspec.publish.outline import fill_outline, read_outline
from logitspec.publish.picture import LAST_BEAT, picture, png, render
from logitspec.trace.records import Trace
from logitspec.trace.rounding import several

PLAYER = ASSETS / "player"

MAX_PROMPT = 4096  # letters of a prompt from which a title is made


def page(trace: Trace, step: int = 0, beat: int = LAST_BEAT) -> str:
    """One HTML document that plays `trace` in any browser and fetches nothing.

    Its content security policy lets only the script with the nonce run, and no request leave the page. step: the one
    at which it opens, as a still of `beat`; 0 to play from the beginning.
    """
    return fill_outline(
        trace.to_json(),
        player=player_markup(),
        title=html.escape(title(trace)),
        style=player_style(),
        scripts=player_scripts(),
        step=str(step),
        beat=str(beat),
    )


def hosted_page() -> str:
    """The same page without a run, for the frame of an MCP client, which sends it one."""
    return fill_outline(
        "",
        player=player_markup(),
        title="LogitSpec step player",
        style=player_style(),
        scripts=player_scripts(),
        step="0",
        beat="0",
    )


def title(trace: Trace) -> str:
    """A title for the run on one line: its recorded one, or the beginning of its prompt."""
    text = (trace.recorded or trace.prompt or "a run")[:MAX_PROMPT]
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(printable.split())
    return "LogitSpec: " + (words if len(words) <= 60 else words[:59] + "…")


def player_scripts(language: str = DEFAULT_LANGUAGE) -> str:
    """The scripts of an exported page, with the texts in `language` and the default one."""
    return inline_modules(PLAYER / "standalone.js", {language, DEFAULT_LANGUAGE})


def player_style() -> str:
    """The player's style sheets as one."""
    return inline_styles(PLAYER / "player.css")


def player_markup() -> str:
    """The element that a player goes into."""
    markup: str = read_outline()["player"]
    return markup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The trace, and what to write from it."""
    parser.add_argument(
        "trace",
        type=Path,
        nargs="?",
        help="a file of --trace or of the player (.json, .json.gz); for --lesson a lesson (default: the one that ships)",
    )
    for name, what in OUTPUTS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="OUT", help=what)
    parser.add_argument(
        "--step",
        type=int,
        default=0,
        help="step of a picture (default: 1), or at which the page opens",
    )
    parser.add_argument(
        "--beat",
        type=int,
        choices=range(1, LAST_BEAT + 1),
        default=LAST_BEAT,
        help="of the step: last logits, drafts, verification, verdict, commit (default: %(default)s)",
    )
    parser.add_argument(
        "--steps",
        default="",
        metavar="LIST",
        help='such as "4-7, 9" (default: all; in homework, ten)',
    )
    parser.add_argument(
        "--notes", type=Path, metavar="FILE", help='of a handout: lines such as "4: Why four?"'
    )


OUTPUTS = {
    "html": "write one self-contained page",
    "svg": "write a picture of one step",
    "png": "the same, in 1920 x 1080 pixels",
    "film": "write a film of some steps, .webp or .mp4",
    "handout": "write one printable page per step, .html or .pdf",
    "csv": "write a table, one row per step",
    "homework": "write a table of draft trees without what was accepted",
    "lesson": "write one self-contained page of a lesson; --step is the station at which it opens, --beat the cue",
    "solutions": "write what was accepted in the steps of the homework",
}


def run(options: argparse.Namespace) -> None:
    """Write the files that the options name."""
    wanted = [name for name in OUTPUTS if getattr(options, name)]
    if not wanted:
        raise LogitSpecError(
            "There is nothing to write; give --html OUT, or another option from `export --help`."
        )
    if "lesson" in wanted:
        return _write_lesson(wanted, options)
    if options.trace is None:
        raise LogitSpecError("Give the file of a run; `--trace FILE` of a run writes one.")
    trace = Trace.open(options.trace)
    for name in wanted:
        files.check_writable(getattr(options, name), filter(None, [options.trace, options.notes]))
    for name in wanted:
        out: Path = getattr(options, name)
        files.write(out, _content(name, out, trace, options))
    return None


def _write_lesson(wanted: list[str], options: argparse.Namespace) -> None:
    if len(wanted) > 1:
        raise LogitSpecError("A lesson is written alone; leave out the other outputs.")
    if options.lesson.suffix in (".json", ".gz"):
        raise LogitSpecError(
            f"A lesson's page is HTML, and {options.lesson} has the name of a lesson; write"
            " `export LESSON.json --lesson OUT.html`."
        )
    files.check_writable(options.lesson, [options.trace or LESSON])
    cue = min(options.beat, 3) if options.step else 1
    files.write(options.lesson, lesson_page(options.trace or LESSON, options.step, cue))


def _content(name: str, out: Path, trace: Trace, options: argparse.Namespace) -> str | bytes:
    step, beat, steps = options.step, options.beat, options.steps
    if name == "html":
        _check_step(trace, step)
        return page(trace, step, beat)
    if name == "svg":
        return picture(trace, step or 1, beat)
    if name == "png":
        return png(trace, step or 1, beat)
    if name == "film":
        return _film(out, trace, steps)
    if name == "handout":
        text = render("handout", trace, steps, beat, _notes(options.notes, trace))
        return browser.print_pdf(text) if out.suffix.lower() == ".pdf" else text
    return render({"csv": "table"}.get(name, name), trace, steps)


def _check_step(trace: Trace, step: int) -> None:
    if not 0 <= step <= len(trace.steps):
        choice = "it" if len(trace.steps) == 1 else "from them"
        raise LogitSpecError(
            f"The run has {several(len(trace.steps), 'step')}; choose {choice}, not {step}."
        )


def _film(out: Path, trace: Trace, steps: str) -> bytes:
    writers = {".webp": film.webp, ".mp4": film.mp4}
    suffix = out.suffix.lower()
    if suffix not in writers:
        raise LogitSpecError(f"A film ends in .webp or .mp4, not in {out.suffix or 'nothing'}.")
    return writers[suffix](trace, steps)


def _notes(file: Path | None, trace: Trace) -> dict[str, str]:
    """Notes by step. A note begins with a line such as "4: …" and goes on until the next such line; a step may have
    several.

    Raises LogitSpecError for a file that can't be read, has no such line, or names a step that is not there.
    """
    if file is None:
        return {}
    try:
        text = file.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise LogitSpecError(f"Can't read {file}; give a text file of notes.") from error
    parts = re.split(r"^(\d{1,7}):", text, flags=re.M)
    if parts[0].strip() or len(parts) == 1:
        raise LogitSpecError(
            f"{file} has no notes on steps; begin each with its step number, such as “4: …”."
        )
    notes: dict[str, str] = {}
    for number, note in zip(map(int, parts[1::2]), parts[2::2], strict=True):
        if not 1 <= number <= len(trace.steps):
            raise LogitSpecError(
                f"{file} has a note on step {number}, and the run has {several(len(trace.steps), 'step')}; correct its number."
            )
        before = notes.get(str(number))
        notes[str(number)] = f"{before}\n{note.strip()}" if before else note.strip()
    return notes
