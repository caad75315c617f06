"""The command `record`, which records demos: runs of the shipped examples that the page replays.

python -m logitspec record --out assets/traces
python -m logitspec record 18 --race --out assets/races
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logitspec import commandline
from logitspec.decoding.engine import begin, complete
from logitspec.decoding.race import DEFAULT_LANES, Race, begin_race, run_race
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.models.tokens import Speller
from logitspec.prompts import Prompt, examples
from logitspec.publish.demos import RACES, TRACES, demo_file, demo_run
from logitspec.trace.records import Trace

METHOD = "logitspec_paper"
MAX_NEW_TOKENS = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which examples, how they are decoded, and where the demos go."""
    parser.add_argument("ids", nargs="*", type=int, help="question ids (default: all examples)")
    parser.add_argument(
        "--out", type=Path, help="folder (default: assets/traces; of races assets/races)"
    )
    parser.add_argument(
        "--race",
        nargs="*",
        choices=list(METHODS),
        metavar="METHOD",
        help=f"record races, of these methods (default: {' '.join(DEFAULT_LANES)})",
    )
    parser.add_argument(
        "--method", default=METHOD, choices=list(METHODS), help="(default: %(default)s)"
    )
    # The precision in which the output is tested to equal plain decoding's.
    commandline.add_model(parser, device="cpu", dtype="float32")
    parser.add_argument(
        "--max-new-tokens", type=int, default=MAX_NEW_TOKENS, help="(default: %(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    """Record each example and say so in a line."""
    from logitspec.models.loader import load

    examples = _find_examples(options.ids)
    target, tokenizer = load(options.model, options.device, options.dtype)
    folder = options.out or (TRACES if options.race is None else RACES)
    folder.mkdir(parents=True, exist_ok=True)
    # The first run of a process is slow.
    record(target, tokenizer, examples[0], options.method, 8)
    for example in examples:
        path = demo_file(example, folder)
        print(f"{path.name}: {_save(target, tokenizer, example, options, path)}", flush=True)


def _find_examples(ids: Sequence[int]) -> list[Prompt]:
    by_id = {example.question_id: example for example in examples()}
    if missing := sorted(set(ids) - by_id.keys()):
        raise LogitSpecError(f"There is no example {missing[0]}; choose from 1 to {max(by_id)}.")
    return [by_id[each] for each in ids] or list(by_id.values())


def record(target: Any, tokenizer: Any, example: Prompt, method: str, max_new_tokens: int) -> Trace:
    """The run of `example`, greedy, with the seconds a token of plain decoding beside it.

    Raises LogitSpecError when plain decoding writes another text: such a run is not to be shown.
    """
    plain = _decode(target, tokenizer, example, "autoregressive", max_new_tokens)
    trace = _decode(target, tokenizer, example, method, max_new_tokens)
    if trace.output_ids != plain.output_ids:
        raise LogitSpecError(
            f"Example {example.question_id} differs from plain decoding; record it on another device."
        )
    totals = plain.totals
    trace.baseline = {
        "method": plain.method,
        "seconds_per_token": round(totals["seconds"] / totals["tokens"], 6),
    }
    trace.spell(Speller(tokenizer))
    trace.run, trace.prompt, trace.recorded = demo_run(example), example.text, example.title
    return trace


def record_race(
    target: Any, tokenizer: Any, example: Prompt, methods: Sequence[str], max_new_tokens: int
) -> Race:
    """The race of `methods` over `example`, greedy.

    Raises LogitSpecError when they do not all write the same: such a race is not to be shown.
    """
    from logitspec.models.loader import encode_prompt

    contest = begin_race(target, encode_prompt(tokenizer, example.text), methods, max_new_tokens)
    for _ in run_race(target, contest):
        pass
    if contest.verdict.differs_at is not None:
        raise LogitSpecError(
            f"The outputs differ in the race of example {example.question_id}; record it on another"
            " device."
        )
    contest.name, contest.recorded = demo_run(example), example.title
    for trace in contest.traces:
        trace.spell(Speller(tokenizer))
        trace.prompt = example.text
    return contest


def _save(
    target: Any, tokenizer: Any, example: Prompt, options: argparse.Namespace, path: Path
) -> str:
    """Record the run or the race of one example; a line about it."""
    max_new_tokens = options.max_new_tokens
    if options.race is None:
        trace = record(target, tokenizer, example, options.method, max_new_tokens)
        trace.save(path)
        return _line(trace, path)
    contest = record_race(target, tokenizer, example, options.race or DEFAULT_LANES, max_new_tokens)
    contest.save(path)
    lanes = zip(contest.titles, contest.traces, strict=True)
    times = [
        f"{title} {lane.totals['seconds']:.3f} s in {len(lane.steps)} forwards"
        for title, lane in lanes
    ]
    return f"{example.title}; {', '.join(times)}, {path.stat().st_size / 1000:.0f} kB"


def _decode(
    target: Any, tokenizer: Any, example: Prompt, method: str, max_new_tokens: int
) -> Trace:
    from logitspec.models.loader import encode_prompt

    return complete(
        target, begin(target, encode_prompt(tokenizer, example.text), method, max_new_tokens)
    )


def _line(trace: Trace, path: Path) -> str:
    counts = trace.counts()
    return (
        f"{trace.recorded}; {counts.tokens} tokens from {counts.forwards} forwards,"
        f" {counts.mean_accepted_tokens:.2f} mean accepted tokens, {path.stat().st_size / 1000:.0f} kB"
    )
