"""The command `benchmark`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logitspec import commandline, files
from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.block import block, tables
from logitspec.measure.benchmark.figures import document
from logitspec.measure.benchmark.questions import choose, fingerprint
from logitspec.measure.benchmark.report import notes, table
from logitspec.measure.benchmark.runs import (
    BASELINES,
    CONTENDERS,
    MAX_TIE,
    REFERENCE,
    Contender,
    Part,
    merge,
)
from logitspec.measure.benchmark.stop import FAILED, Stop, stop
from logitspec.prompts import EXAMPLES, Prompt
from logitspec.trace.records import dumps

if TYPE_CHECKING:
    from accelerate import PartialState

    from logitspec.measure.benchmark.bench import Bench
    from logitspec.measure.variants import Variant

MAX_REPEATS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to measure, on which prompts, and how often."""
    parser.epilog = (
        "Exit status: 0, everything was measured; 1, an error ended it; 2, it did not start; 130 and 143, SIGINT"
        " and SIGTERM ended it. Whatever ends it, complete prompts are reported and are in the file."
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        default=CONTENDERS,
        metavar="NAME[:option=value,...]",
        help=f"(default: {' '.join(CONTENDERS)}); {REFERENCE} always runs",
    )
    parser.add_argument(
        "--baselines",
        nargs="*",
        default=list(BASELINES),
        metavar="NAME",
        help=f"(default: {' '.join(BASELINES)}); no names: none",
    )
    parser.add_argument(
        "--prompts",
        nargs="+",
        default=[EXAMPLES],
        metavar="FILE",
        help="JSON lines (default: the examples)",
    )
    parser.add_argument("--category", nargs="+", default=[], help="(default: all)")
    parser.add_argument(
        "--per-category", type=int, metavar="N", help="the first of each (default: all)"
    )
    parser.add_argument("--turns", type=int, metavar="N", help="of each prompt (default: all)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="(default: %(default)s)")
    commandline.add_model(parser)
    parser.add_argument(
        "--no-graphs", action="store_true", help="on a GPU: launch every kernel of every forward"
    )
    commandline.add_exact(parser)
    parser.add_argument(
        "--replay",
        metavar="FILE",
        help="transcripts of this model: methods whose replay is exact take their counts from these and are"
        " not timed",
    )
    parser.add_argument(
        "--untimed",
        action="store_true",
        help="count only: other work may go on, and --resume may continue on another processor, or take the"
        " counts of a timed file",
    )
    parser.add_argument(
        "--json", metavar="OUT", help="write figures and every run to a file, after each prompt"
    )
    parser.add_argument(
        "--resume", metavar="FILE", help="continue from this file, measured with the same settings"
    )
    parser.add_argument(
        "--markdown", metavar="FILE", help="measure nothing: print a file's results as Markdown"
    )


@dataclass(slots=True)
class Work:
    """What is measured, and how much of it is complete. about: request and environment. path: the file, if
    one is wanted. parts: one for each complete prompt."""

    prompts: list[Prompt]
    contenders: list[Contender]
    about: dict[str, Any]
    path: str | None
    parts: list[Part]

    def missing(self) -> list[int]:
        """Ids of the prompts that are not complete, in the order of measuring."""
        complete = {number for part in self.parts for number in part.questions()}
        return [each.question_id for each in self.prompts if each.question_id not in complete]

    def document(self, whole: bool = False) -> dict[str, Any]:
        missing = self.missing()
        about = {**self.about, "complete": not missing, "missing": missing}
        return document(merge(self.parts), self.contenders, about, whole)

    def save(self) -> None:
        """Write the file, if one is wanted, whole or not at all."""
        if self.path:
            files.write(self.path, dumps(self.document(whole=True)) + "\n")


def run(options: argparse.Namespace) -> int | None:
    """Measure this process's share of the prompts; the first process prints the figures of all."""
    if options.markdown:
        print(_markdown(options.markdown))
        return None
    from accelerate import PartialState
    from accelerate.utils import gather_object

    from logitspec.measure.benchmark.bench import Bench
    from logitspec.measure.benchmark.contenders import baselines, untimed, variants
    from logitspec.models.chat import encode_prompt

    methods, rivals = variants(options.methods), baselines(options.baselines)
    _check(options)
    prompts = choose(options.prompts, options.category, options.per_category, options.turns)
    processes = PartialState(cpu=options.device == "cpu")
    target, tokenizer = _load(options, processes)
    contenders = _contenders(target, methods, rivals, options.replay)
    if options.untimed:
        contenders = [untimed(each) for each in contenders]
    work = _work(options, target, prompts, contenders, processes.num_processes)
    bench = Bench(
        contenders,
        encode=lambda text, before: encode_prompt(tokenizer, text, before),
        spell=lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)),
        limit=target.limit,
        max_new_tokens=options.max_new_tokens,
        repeats=options.repeats,
        timed=not options.untimed,
    )
    if not bench.fitting_prompts(prompts):
        raise LogitSpecError("No prompt fits the model's context; choose shorter ones.")
    own, end = _measure(bench, work, target, processes)
    gathered = gather_object([(own, end)])
    status = None
    if processes.is_main_process:
        work.parts += [part for others, _ in gathered[1:] for part in others]
        status = _report(work, next((each for _, each in gathered if each), None))
    processes.destroy_process_group()
    return status


def _load(options: argparse.Namespace, processes: PartialState) -> tuple[Any, Any]:
    """The target and its tokenizer, on the device of this process."""
    from logitspec.models.loader import load

    alone = processes.num_processes == 1
    device = options.device if alone or options.device != "auto" else str(processes.device)
    return load(
        options.model, device, options.dtype, graphs=not options.no_graphs, exact=options.exact
    )


def _contenders(
    target: Any, methods: Sequence[Variant], rivals: Sequence[str], replay: str | None
) -> list[Contender]:
    """Our methods, then transformers'; those whose replay of the transcripts in `replay` is exact don't run."""
    from logitspec.measure.benchmark.contenders import baseline_contender, method_contender
    from logitspec.measure.benchmark.replayed import Transcripts, with_replays

    contenders = [method_contender(target, each) for each in methods]
    if replay:
        transcripts = Transcripts(replay, target)
        contenders = [with_replays(each, transcripts) for each in contenders]
    return contenders + [baseline_contender(target, name) for name in rivals]


def _work(
    options: argparse.Namespace,
    target: Any,
    prompts: list[Prompt],
    contenders: list[Contender],
    num_processes: int,
) -> Work:
    """The work with what `--resume` has of it."""
    from logitspec.measure.benchmark.resume import resume
    from logitspec.measure.environment import environment

    about = {
        "request": _request(options, prompts),
        "environment": {**environment(target), "processes": num_processes},
    }
    out = options.json or options.resume
    parts = [resume(options.resume, about, contenders, out)] if options.resume else []
    return Work(prompts, contenders, about, out, parts)


def _measure(
    bench: Bench, work: Work, target: Any, processes: PartialState
) -> tuple[list[Part], Stop | None]:
    """Measure this process's share of what is missing: its parts, and what ended it early. The first process
    adds its parts to the work and saves each."""
    from logitspec.measure.benchmark.bench import measure

    missing = set(work.missing())
    remaining = [each for each in work.prompts if each.question_id in missing]
    complete = [each for each in work.prompts if each.question_id not in missing]
    share = remaining[processes.process_index :: processes.num_processes]
    own: list[Part] = []
    try:
        if bench.timed:
            target.measure_costs()  # every size once, so that no method meets one for the first time
        quiet = not processes.is_main_process
        for part in measure(bench, share, complete, quiet=quiet):
            own.append(part)
            if processes.is_main_process:
                work.parts.append(part)
                work.save()
    except (KeyboardInterrupt, Exception) as error:
        alone = processes.num_processes == 1
        if alone and not work.parts and not isinstance(error, KeyboardInterrupt):
            raise
        return own, stop(error)
    return own, None


def _check(options: argparse.Namespace) -> None:
    """Refuse immediately what would fail only after hours."""
    if options.max_new_tokens < 2:
        raise LogitSpecError(f"--max-new-tokens must be 2 or more; got {options.max_new_tokens}.")
    if not 1 <= options.repeats <= MAX_REPEATS:
        raise LogitSpecError(f"--repeats must be from 1 to {MAX_REPEATS}; got {options.repeats}.")
    if options.per_category is not None and options.per_category < 1:
        raise LogitSpecError(f"--per-category must be 1 or more; got {options.per_category}.")
    if options.turns is not None and options.turns < 1:
        raise LogitSpecError(f"--turns must be 1 or more; got {options.turns}.")
    if options.resume and not Path(options.resume).is_file():
        raise LogitSpecError(
            f"Can't read {options.resume} (no such file); measure with --json first."
        )
    if path := options.json or options.resume:
        files.check_writable(path, [*options.prompts, *filter(None, [options.replay])])


def _request(options: argparse.Namespace, prompts: Sequence[Prompt]) -> dict[str, Any]:
    from logitspec.models.sources import display_name

    return {
        "model": display_name(options.model),
        "prompts": [Path(file).name for file in options.prompts],
        "category": options.category,
        "per_category": options.per_category,
        "turns": options.turns,
        "prompts_digest": fingerprint(prompts),
        "max_new_tokens": options.max_new_tokens,
        "repeats": options.repeats,
        "replay": Path(options.replay).name if options.replay else None,
        "decoding": "greedy",
        "tie_at_most": MAX_TIE,
        **({"untimed": True} if options.untimed else {}),
    }


def _report(work: Work, end: Stop | None) -> int:
    """Print tables, notes and one line of JSON for the complete prompts; the file also has every run.
    Returns the exit status: 0, or that of whatever ended the measurement."""
    part, missing = merge(work.parts), work.missing()
    complete = len(work.prompts) - len(missing)
    refusal = _refusal(work) if part.measurements else None
    if end:
        saved = work.path and complete and not refusal
        goes_on = " --resume continues from there." if saved else ""
        print(
            f"Ended by {end.why}: {complete} of {len(work.prompts)} prompts are complete, and only those"
            f" count.{goes_on}",
            file=sys.stderr,
        )
    if refusal:
        print(refusal, file=sys.stderr)
    status = end.status if end else FAILED if refusal else 0
    if not part.measurements:
        return status
    whole = work.document()
    environment = work.about["environment"]
    print(", ".join(f"{name} {value}" for name, value in environment.items()))
    print("\n".join([table(part), *notes(part)]))
    print("\n\n" + tables(whole) + "\n")
    print(dumps(whole), flush=True)
    return status


def _refusal(work: Work) -> LogitSpecError | None:
    """Save the work. Where that fails, the reason: the figures are still to be printed."""
    try:
        work.save()
    except LogitSpecError as error:
        return error
    return None


def _markdown(path: str) -> str:
    """The results in a file as Markdown; LogitSpecError if it has none."""
    try:
        return block(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise LogitSpecError(
            f"{path} was not written by `benchmark --json` ({type(error).__name__}: {error});"
            " name a file that was."
        ) from error
