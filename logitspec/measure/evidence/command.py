"""The command `evidence`, for the built-in model and others.

python -m logitspec evidence
python -m logitspec evidence --model FOLDER --out assets/evidence/NAME.json.gz
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from logitspec import commandline, files
from logitspec.measure.evidence import SHIPPED, Evidence
from logitspec.measure.evidence.gather import gather, prompts_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, how many prompts, and where the evidence goes."""
    parser.add_argument("--out", type=Path, default=SHIPPED, help="file (default: %(default)s)")
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
    options.out.parent.mkdir(parents=True, exist_ok=True)
    files.check_writable(options.out)
    evidence = _gather(options)
    evidence.save(options.out)
    print(f"{options.out}: {sum(evidence.about['prompts'].values())} prompts")


def _gather(options: argparse.Namespace) -> Evidence:
    from logitspec.models.loader import load

    target, tokenizer = load(options.model, options.device, options.dtype)
    prompts = prompts_for(options.model, options.per_task)
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
