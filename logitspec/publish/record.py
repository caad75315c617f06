"""Record runs of the shipped examples for the page, which replays them.

python -m logitspec.publish.record --out assets/traces
python -m logitspec.publish.record 18 --race --out assets/races
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.race import DEFAULT_LANES, Race, begin_race, run_race
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.models.loader import BUILTIN, encode_prompt, load
from logitspec.models.tokens import Speller
from logitspec.publish.recordings import RACES, TRACES, Example, examples, file_of
from logitspec.trace.metrics import summarize
from logitspec.trace.records import Trace

METHOD = "logitspec_paper"
MOST_NEW_TOKENS = 300


def main(arguments: list[str] | None = None) -> int:
    """Record; 0, or 2 with one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        wanted = _wanted(options.ids)
        # In the precision in which the output is proved to equal plain decoding's.
        target, tokenizer = load(options.model, options.device, "float32")
        folder = options.out or (TRACES if options.race is None else RACES)
        folder.mkdir(parents=True, exist_ok=True)
        # The first run of a process is slow.
        record(target, tokenizer, wanted[0], options.method, 8)
        for example in wanted:
            path = file_of(example, folder)
            print(f"{path.name}: {_keep(target, tokenizer, example, options, path)}", flush=True)
    except (LogitSpecError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logitspec.publish.record",
        description="Run the shipped examples and keep their traces, which the page replays.",
    )
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
    parser.add_argument("--model", default=BUILTIN, help="builtin, a folder or a hub id")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda ... (default: cpu)")
    parser.add_argument(
        "--max-new-tokens", type=int, default=MOST_NEW_TOKENS, help="(default: %(default)s)"
    )
    return parser


def _wanted(ids: Sequence[int]) -> list[Example]:
    known = {example.question_id: example for example in examples()}
    if missing := sorted(set(ids) - known.keys()):
        raise LogitSpecError(f"There is no example {missing[0]}; choose from 1 to {max(known)}.")
    return [known[each] for each in ids] or list(known.values())


def record(target: Any, tokenizer: Any, example: Example, method: str, most: int) -> Trace:
    """The run of `example`, greedy, with the seconds a token of plain decoding beside it.

    Raises LogitSpecError when plain decoding writes another text: such a run is not to be shown.
    """
    plain = _decoded(target, tokenizer, example, "autoregressive", most)
    trace = _decoded(target, tokenizer, example, method, most)
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
    trace.run, trace.prompt, trace.recorded = example.run, example.prompt, example.title
    return trace


def record_race(
    target: Any, tokenizer: Any, example: Example, methods: Sequence[str], most: int
) -> Race:
    """The race of `methods` over `example`, greedy.

    Raises LogitSpecError when they do not all write the same: such a race is not to be shown.
    """
    contest = begin_race(target, encode_prompt(tokenizer, example.prompt), methods, most)
    for _ in run_race(target, contest):
        pass
    if contest.verdict.differs_at is not None:
        raise LogitSpecError(
            f"The outputs differ in the race of example {example.question_id}; record it on another"
            " device."
        )
    contest.name, contest.recorded = example.run, example.title
    for trace in contest.traces:
        trace.spell(Speller(tokenizer))
        trace.prompt = example.prompt
    return contest


def _keep(
    target: Any, tokenizer: Any, example: Example, options: argparse.Namespace, path: Path
) -> str:
    """Record what was asked for of one example and say it in a line."""
    most = options.max_new_tokens
    if options.race is None:
        trace = record(target, tokenizer, example, options.method, most)
        trace.save(path)
        return _line(trace, path)
    contest = record_race(target, tokenizer, example, options.race or DEFAULT_LANES, most)
    contest.save(path)
    lanes = zip(contest.titles, map(summarize, contest.traces), strict=True)
    told = [f"{title} {lane.seconds:.3f} s in {lane.forwards} forwards" for title, lane in lanes]
    return f"{example.title}; {', '.join(told)}, {path.stat().st_size / 1000:.0f} kB"


def _decoded(target: Any, tokenizer: Any, example: Example, method: str, most: int) -> Trace:
    prompt = encode_prompt(tokenizer, example.prompt)
    return complete(target, begin(target, prompt, method, most))


def _line(trace: Trace, path: Path) -> str:
    numbers = summarize(trace)
    return (
        f"{trace.recorded}; {numbers.tokens} tokens from {numbers.forwards} forwards,"
        f" {numbers.mean_accepted_tokens:.2f} mean accepted tokens, {path.stat().st_size / 1000:.0f} kB"
    )


if __name__ == "__main__":
    sys.exit(main())
