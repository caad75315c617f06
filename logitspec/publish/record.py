"""The command `record`, which records demos: runs of shipped prompts that the page replays, and races.

python -m logitspec record                  # all runs, each on the model of its gallery
python -m logitspec record --race           # the most typical race of the first gallery
python -m logitspec record 18 --race        # one particular race
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from logitspec import commandline
from logitspec.decoding.engine import begin, complete
from logitspec.decoding.race import DEFAULT_LANES, Race, begin_race, run_race
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.models.tokens import Speller
from logitspec.prompts import Prompt
from logitspec.publish.demos import RACES, TRACES, Gallery, demo_file, demo_run, galleries
from logitspec.publish.typical import most_typical_race
from logitspec.trace.records import Trace
from logitspec.trace.rounding import several


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The prompts, how they are decoded, and where their demos are written."""
    parser.add_argument(
        "ids",
        nargs="*",
        type=int,
        help="question ids (default: all; for races, the most typical of the first gallery)",
    )
    parser.add_argument(
        "--out", type=Path, help="folder (default: assets/traces; for races, assets/races)"
    )
    parser.add_argument(
        "--race",
        nargs="*",
        choices=list(METHODS),
        metavar="METHOD",
        help=f"record races of these methods (default: {' '.join(DEFAULT_LANES)})",
    )
    parser.add_argument("--method", choices=list(METHODS), help="(default: the gallery's)")
    # The precision in which tests compare the output with plain decoding's.
    commandline.add_model(parser, device="cpu", dtype="float32")
    parser.set_defaults(model=None)
    parser.add_argument("--max-new-tokens", type=int, help="(default: the gallery's)")


def run(options: argparse.Namespace) -> None:
    """Record each prompt, and print a line about it."""
    from logitspec.models.loader import load

    if options.model is not None and options.out is None:
        raise LogitSpecError(
            "The page's own recordings are of the models of their galleries; give --out."
        )
    folder = options.out or (TRACES if options.race is None else RACES)
    chosen = _choose(options)
    folder.mkdir(parents=True, exist_ok=True)
    for gallery in chosen:
        target, tokenizer = load(gallery.model, options.device, options.dtype)
        # The first run of a process is slow, and its times would be recorded.
        record(target, tokenizer, gallery.prompts[0], gallery.method, 8)
        if options.race is None:
            _record_runs(target, tokenizer, gallery, folder)
        else:
            _record_races(target, tokenizer, gallery, options, folder)


def _choose(options: argparse.Namespace) -> list[Gallery]:
    """The galleries to record, with the prompts and settings that the options name.

    Raises LogitSpecError for the id of a prompt that no gallery has.
    """
    every = galleries()
    known = {prompt.question_id for gallery in every for prompt in gallery.prompts}
    if missing := sorted(set(options.ids) - known):
        raise LogitSpecError(
            f"There is no prompt {missing[0]}; choose from {', '.join(map(str, sorted(known)))}."
        )
    if not options.ids:
        chosen = every if options.race is None else every[:1]
    else:
        chosen = tuple(
            replace(gallery, prompts=prompts)
            for gallery in every
            if (prompts := tuple(p for p in gallery.prompts if p.question_id in options.ids))
        )
    names = ("model", "method", "max_new_tokens")
    changes = {name: value for name in names if (value := getattr(options, name)) is not None}
    return [replace(gallery, **changes) for gallery in chosen]


def _record_runs(target: Any, tokenizer: Any, gallery: Gallery, folder: Path) -> None:
    for prompt in gallery.prompts:
        trace = record(target, tokenizer, prompt, gallery.method, gallery.max_new_tokens)
        path = demo_file(prompt, folder)
        trace.save(path)
        print(f"{path.name}: {_run_line(trace, path)}", flush=True)


def _record_races(
    target: Any, tokenizer: Any, gallery: Gallery, options: argparse.Namespace, folder: Path
) -> None:
    """Record a race of each prompt; save all of them, or only the most typical where the options name no prompt."""
    methods = options.race or DEFAULT_LANES
    races: list[Race] = []
    for prompt in gallery.prompts:
        race = record_race(target, tokenizer, prompt, methods, gallery.max_new_tokens)
        print(_race_line(race), flush=True)
        races.append(race)
        if options.ids:
            _save_race(race, demo_file(prompt, folder))
    if not options.ids:
        typical = races.index(most_typical_race(races))
        _save_race(races[typical], demo_file(gallery.prompts[typical], folder))


def _save_race(race: Race, path: Path) -> None:
    race.save(path)
    print(f"{path.name}: {race.recorded}, {path.stat().st_size / 1000:.0f} kB", flush=True)


def record(target: Any, tokenizer: Any, prompt: Prompt, method: str, max_new_tokens: int) -> Trace:
    """The greedy run of `prompt`; its baseline has the seconds per token of plain decoding.

    Raises LogitSpecError when plain decoding writes another text: such a run is not fit for a demo.
    """
    plain = _decode(target, tokenizer, prompt, "autoregressive", max_new_tokens)
    trace = _decode(target, tokenizer, prompt, method, max_new_tokens)
    if trace.output_ids != plain.output_ids:
        raise LogitSpecError(
            f"The output of prompt {prompt.question_id} differs from plain decoding's; record it on another device."
        )
    totals = plain.totals
    trace.baseline = {
        "method": plain.method,
        "seconds_per_token": round(totals["seconds"] / totals["tokens"], 6),
    }
    trace.spell(Speller(tokenizer))
    trace.run, trace.prompt, trace.recorded = demo_run(prompt), prompt.text, prompt.title
    return trace


def record_race(
    target: Any, tokenizer: Any, prompt: Prompt, methods: Sequence[str], max_new_tokens: int
) -> Race:
    """The race of `methods` over `prompt`, greedy.

    Raises LogitSpecError when they do not all write the same text: such a race is not fit for a demo.
    """
    from logitspec.models.chat import encode_prompt

    race = begin_race(target, encode_prompt(tokenizer, prompt.text), methods, max_new_tokens)
    for _ in run_race(target, race):
        pass
    if race.verdict.differs_at is not None:
        raise LogitSpecError(
            f"The outputs differ in the race of prompt {prompt.question_id}; record it on another"
            " device."
        )
    race.name, race.recorded = demo_run(prompt), prompt.title
    for trace in race.traces:
        trace.spell(Speller(tokenizer))
        trace.prompt = prompt.text
    return race


def _decode(target: Any, tokenizer: Any, prompt: Prompt, method: str, max_new_tokens: int) -> Trace:
    from logitspec.models.chat import encode_prompt

    return complete(
        target, begin(target, encode_prompt(tokenizer, prompt.text), method, max_new_tokens)
    )


def _run_line(trace: Trace, path: Path) -> str:
    counts = trace.counts()
    return (
        f"{trace.recorded}; {several(counts.tokens, 'token')} from {several(counts.forwards, 'forward')},"
        f" {counts.mean_accepted_tokens:.2f} mean accepted tokens, {path.stat().st_size / 1000:.0f} kB"
    )


def _race_line(race: Race) -> str:
    lanes = zip(race.titles, race.traces, strict=True)
    times = [
        f"{title} {lane.totals['seconds']:.3f} s in {len(lane.steps)} forwards"
        for title, lane in lanes
    ]
    return f"{race.recorded}; {', '.join(times)}"
