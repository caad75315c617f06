"""The command: `python -m logitspec.measure.benchmark`."""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import gather_object

from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.bench import Bench, measure
from logitspec.measure.benchmark.contenders import (
    BASELINES,
    METHODS,
    baselines,
    ours,
    theirs,
    variants,
)
from logitspec.measure.benchmark.figures import document
from logitspec.measure.benchmark.report import notes, table
from logitspec.measure.benchmark.runs import REFERENCE, TIE_AT_MOST, Contender, Part, merged
from logitspec.measure.replay.prompts import prompts_in
from logitspec.measure.replay.scores import write
from logitspec.models.loader import encode_prompt, known_as, load
from logitspec.publish.recordings import EXAMPLES, Example
from logitspec.trace.records import dumps
from logitspec.version import VERSION

MOST_REPEATS = 1000


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0, or 2 with one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        _benchmark(options)
    except LogitSpecError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logitspec.measure.benchmark",
        description="Measure methods against each other and against transformers' generate.",
    )
    parser.add_argument("--model", default="builtin", help="builtin, a folder or a hub id")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=METHODS,
        metavar="NAME[:option=value,...]",
        help=f"(default: {' '.join(METHODS)}); {REFERENCE} always runs",
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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda ...")
    parser.add_argument(
        "--dtype", default="auto", help="auto, fastest, float32, bfloat16, float16, float64"
    )
    parser.add_argument(
        "--no-graphs", action="store_true", help="on a GPU: launch every kernel of every forward"
    )
    parser.add_argument("--json", metavar="OUT", help="write figures and every run to a file")
    return parser


def _benchmark(options: argparse.Namespace) -> None:
    """Measure this process's share; the first process prints what all have found."""
    asked, compared = variants(options.methods), baselines(options.baselines)
    prompts = _prompts(options)
    _check(options)
    processes = PartialState(cpu=options.device == "cpu")
    alone = processes.num_processes == 1
    device = options.device if alone or options.device != "auto" else str(processes.device)
    target, tokenizer = load(options.model, device, options.dtype, graphs=not options.no_graphs)
    contenders = [ours(target, each) for each in asked] + [theirs(target, n) for n in compared]
    bench = Bench(
        contenders,
        encode=lambda text, before: encode_prompt(tokenizer, text, before),
        spell=lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)),
        limit=target.limit,
        max_new_tokens=options.max_new_tokens,
        repeats=options.repeats,
    )
    target.measure()  # forwards of every size, so that no method meets one for the first time
    share = prompts[processes.process_index :: processes.num_processes]
    part = measure(bench, share, quiet=not processes.is_main_process)
    parts = gather_object([part])
    if processes.is_main_process:
        about = {"request": _request(options), "environment": environment(target)}
        about["environment"]["processes"] = processes.num_processes
        _report(merged(parts), contenders, about, options.json)
    processes.destroy_process_group()


def _prompts(options: argparse.Namespace) -> list[Example]:
    """Those of all files; what is told of a prompt is told by its id, so no two may share one."""
    prompts = [each for file in options.prompts for each in prompts_in(file, options.category)]
    shared = [
        number for number, count in Counter(p.question_id for p in prompts).items() if count > 1
    ]
    if shared:
        raise LogitSpecError(
            f"{len(shared)} prompts share their question_id with another, the first is {shared[0]};"
            " give each its own."
        )
    return prompts


def _check(options: argparse.Namespace) -> None:
    """What would be found out only after hours."""
    if options.max_new_tokens < 2:
        raise LogitSpecError(f"--max-new-tokens must be 2 or more; got {options.max_new_tokens}.")
    if not 1 <= options.repeats <= MOST_REPEATS:
        raise LogitSpecError(f"--repeats must be from 1 to {MOST_REPEATS}; got {options.repeats}.")
    if options.json:
        try:
            with Path(options.json).open("ab"):
                pass
        except OSError as error:
            raise LogitSpecError(f"Can't write {options.json} ({error.strerror}).") from error


def _request(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "model": known_as(options.model),
        "prompts": [Path(file).name for file in options.prompts],
        "category": options.category,
        "max_new_tokens": options.max_new_tokens,
        "repeats": options.repeats,
        "decoding": "greedy",
        "tie_at_most": TIE_AT_MOST,
    }


def environment(target: Any) -> dict[str, Any]:
    """Model, device, threads and versions."""
    info = dict(target.info)
    versions = dict(info.pop("environment", {}))
    if why := versions.pop("dtype", None):
        info["dtype_chosen"] = why
    return {
        **info,
        "cpu": _cpu(),
        "threads": torch.get_num_threads(),
        **versions,
        "logitspec": VERSION,
    }


def _cpu() -> str:
    """The processor's name, which Python tells on few systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _report(
    part: Part, contenders: Sequence[Contender], about: dict[str, Any], path: str | None
) -> None:
    """Table, notes and one line of JSON; the file has every run beside."""
    if not part.measurements:
        raise LogitSpecError("No prompt fits the model's context; choose shorter ones.")
    if path:
        write(path, dumps(document(part, contenders, about, whole=True)))
    print(", ".join(f"{name} {value}" for name, value in about["environment"].items()))
    print("\n".join([table(part), *notes(part)]))
    print(dumps(document(part, contenders, about)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
