"""The command `evidence`, for the built-in model and others.

python -m logitspec evidence
python -m logitspec evidence --model FOLDER --out assets/evidence/NAME.json.gz
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from logitspec import commandline, files
from logitspec.decoding import engine
from logitspec.errors import LogitSpecError
from logitspec.measure.evidence import SHIPPED, Evidence
from logitspec.measure.evidence.gather import BUILTIN, gather, prompts_for
from logitspec.paths import ROOT
from logitspec.trace.rounding import several


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, how many prompts, and where the evidence goes."""
    parser.add_argument(
        "--out",
        type=Path,
        help=f"file (default for the built-in model: {SHIPPED.relative_to(ROOT)})",
    )
    parser.add_argument(
        "--per-task",
        type=int,
        default=6,
        help="prompts of each of the built-in model's tasks (default: %(default)s)",
    )
    parser.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    commandline.add_model(parser)


def run(options: argparse.Namespace) -> None:
    """Gather evidence and write it."""
    out: Path | None = options.out or (SHIPPED if options.model == BUILTIN else None)
    if out is None:
        raise LogitSpecError("Only the built-in model has a file for its evidence; give --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    files.check_writable(out)
    evidence = _gather(options)
    evidence.save(out)
    print(f"{out}: {several(sum(evidence.about['prompts'].values()), 'prompt')}")


def _gather(options: argparse.Namespace) -> Evidence:
    from logitspec.models.loader import load

    # Before the model loads, since a wrong number is refused here.
    prompts = prompts_for(options.model, options.per_task)
    engine.drafter_for("autoregressive", options.max_new_tokens)
    target, tokenizer = load(options.model, options.device, options.dtype)
    steps = gather(target, tokenizer, prompts, options.max_new_tokens)
    with tqdm(total=len(prompts), unit=" prompts") as bar:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                evidence: Evidence = stop.value
                return evidence
            bar.set_description(progress.what, refresh=False)
            bar.update(progress.done - bar.n)
