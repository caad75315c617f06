"""Gather and keep evidence: `python -m logitspec.measure.evidence --out assets/evidence/builtin.json.gz`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from logitspec.errors import LogitSpecError
from logitspec.measure.evidence import SHIPPED, Evidence
from logitspec.measure.evidence.gather import gather, prompts


def main(arguments: list[str] | None = None) -> int:
    """Gather and write; 0, or 2 with one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)  # what can't be is told at once
        found = _gathered(options)
        found.save(options.out)
    except LogitSpecError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Can't write {options.out} ({error.strerror}).", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{options.out}: {sum(found.about['prompts'].values())} prompts")
    return 0


def _gathered(options: argparse.Namespace) -> Evidence:
    from logitspec.models.loader import load

    target, tokenizer = load(options.model, options.device, options.dtype)
    asked = prompts(options.per_task)
    steps = gather(target, tokenizer, asked, options.max_new_tokens)
    with tqdm(total=len(asked), unit=" prompts") as bar:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                found: Evidence = stop.value
                return found
            bar.set_description(progress.what, refresh=False)
            bar.update(progress.done - bar.n)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logitspec.measure.evidence",
        description='Count what the page "Why it works" shows.',
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="file (default: %(default)s)")
    parser.add_argument("--model", default="builtin", help="builtin, a folder or a hub id")
    parser.add_argument("--per-task", type=int, default=6, help="prompts (default: %(default)s)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda ...")
    parser.add_argument(
        "--dtype", default="auto", help="auto, fastest, float32, bfloat16, float16, float64"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
