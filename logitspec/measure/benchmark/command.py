"""The command `benchmark`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logitspec import commandline
from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.figures import document
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
from logitspec.prompts import EXAMPLES, Prompt, read_prompts
from logitspec.trace.records import dumps

MAX_REPEATS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is measured on which prompts, and how often."""
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
        help=f"(default: {' '.join(BASELINES)}); none where no name follows",
    )
    parser.add_argument(
        "--prompts",
        nargs="+",
        default=[EXAMPLES],
        metavar="FILE",
        help="JSON lines (default: the examples)",
    )
    parser.add_argument("--category", nargs="+", default=[], help="(default: all)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="(default: %(default)s)")
    commandline.add_model(parser)
    parser.add_argument(
        "--no-graphs", action="store_true", help="on a GPU: launch every kernel of every forward"
    )
    parser.add_argument("--json", metavar="OUT", help="write figures and every run to a file")


def run(options: argparse.Namespace) -> None:
    """Measure this process's share of the prompts; the first process prints the figures of all."""
    from accelerate import PartialState
    from accelerate.utils import gather_object

    from logitspec.measure.benchmark.bench import Bench, measure
    from logitspec.measure.benchmark.contenders import baselines, ours, theirs, variants
    from logitspec.measure.environment import environment
    from logitspec.models.loader import encode_prompt, load

    methods, rivals = variants(options.methods), baselines(options.baselines)
    prompts = _prompts(options)
    _check(options)
    processes = PartialState(cpu=options.device == "cpu")
    alone = processes.num_processes == 1
    device = options.device if alone or options.device != "auto" else str(processes.device)
    target, tokenizer = load(options.model, device, options.dtype, graphs=not options.no_graphs)
    contenders = [ours(target, each) for each in methods] + [theirs(target, n) for n in rivals]
    bench = Bench(
        contenders,
        encode=lambda text, before: encode_prompt(tokenizer, text, before),
        spell=lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)),
        limit=target.limit,
        max_new_tokens=options.max_new_tokens,
        repeats=options.repeats,
    )
    target.measure_costs()  # forwards of every size, so that no method meets one for the first time
    share = prompts[processes.process_index :: processes.num_processes]
    part = measure(bench, share, quiet=not processes.is_main_process)
    parts = gather_object([part])
    if processes.is_main_process:
        about = {"request": _request(options), "environment": environment(target)}
        about["environment"]["processes"] = processes.num_processes
        _report(merge(parts), contenders, about, options.json)
    processes.destroy_process_group()


def _prompts(options: argparse.Namespace) -> list[Prompt]:
    """Those of all files; figures name a prompt by its id, so no two may share one."""
    prompts = [each for file in options.prompts for each in read_prompts(file, options.category)]
    repeated = [
        number for number, count in Counter(p.question_id for p in prompts).items() if count > 1
    ]
    if repeated:
        raise LogitSpecError(
            f"{len(repeated)} prompts share their question_id with another, the first is {repeated[0]};"
            " give each its own."
        )
    return prompts


def _check(options: argparse.Namespace) -> None:
    """Refuse at once what would fail only after hours."""
    if options.max_new_tokens < 2:
        raise LogitSpecError(f"--max-new-tokens must be 2 or more; got {options.max_new_tokens}.")
    if not 1 <= options.repeats <= MAX_REPEATS:
        raise LogitSpecError(f"--repeats must be from 1 to {MAX_REPEATS}; got {options.repeats}.")
    if options.json:
        commandline.check_writable(options.json)


def _request(options: argparse.Namespace) -> dict[str, Any]:
    from logitspec.models.loader import display_name

    return {
        "model": display_name(options.model),
        "prompts": [Path(file).name for file in options.prompts],
        "category": options.category,
        "max_new_tokens": options.max_new_tokens,
        "repeats": options.repeats,
        "decoding": "greedy",
        "tie_at_most": MAX_TIE,
    }


def _report(
    part: Part, contenders: Sequence[Contender], about: dict[str, Any], path: str | None
) -> None:
    """Table, notes and one line of JSON; the file has every run beside."""
    if not part.measurements:
        raise LogitSpecError("No prompt fits the model's context; choose shorter ones.")
    if path:
        commandline.write(path, dumps(document(part, contenders, about, whole=True)))
    print(", ".join(f"{name} {value}" for name, value in about["environment"].items()))
    print("\n".join([table(part), *notes(part)]))
    print(dumps(document(part, contenders, about)), flush=True)
