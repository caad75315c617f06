"""The command `replay`: records transcripts, replays methods on them, and fits weights to them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from logitspec import commandline, files
from logitspec.decoding import engine
from logitspec.drafters import DEFAULT_METHOD, METHODS, make
from logitspec.drafters.sources.weights import WEIGHTS
from logitspec.errors import LogitSpecError
from logitspec.measure.replay import ingredients, sizes
from logitspec.measure.replay.fit import fit, format_table
from logitspec.measure.replay.ingredients import DRAFTS, Ingredients, recipes
from logitspec.measure.replay.record import RANKS, record
from logitspec.measure.replay.scores import compare, document, table
from logitspec.measure.replay.sizes import COSTS
from logitspec.measure.replay.transcript import check_readable, read, save
from logitspec.measure.variants import Variant, parse_variant
from logitspec.prompts import EXAMPLES, OVERALL, read_prompts
from logitspec.trace.records import dumps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands and their options."""
    commands = parser.add_subparsers(required=True, metavar="record|run|sizes|ingredients|fit")
    _add_record(commands.add_parser("record", help="decode prompts and record the model's results"))
    _add_run(commands.add_parser("run", help="replay methods on transcripts"))
    _add_sizes(commands.add_parser("sizes", help="compare trees sized by cost with fixed sizes"))
    _add_ingredients(
        commands.add_parser("ingredients", help="what each part of our method is worth")
    )
    _add_fit(commands.add_parser("fit", help="fit the weights that our method starts with"))


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_record)
    parser.add_argument("--out", required=True, metavar="FILE", help="transcripts, .jsonl.gz")
    parser.add_argument("--prompts", default=EXAMPLES, help="JSON lines (default: the examples)")
    parser.add_argument("--category", nargs="+", default=[], help="(default: all)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    parser.add_argument(
        "--ranks",
        type=int,
        default=RANKS,
        help="ranks to record of the last logits; a replay drafts from no others (default: %(default)s)",
    )
    commandline.add_model(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_run)
    parser.add_argument("file", help="a file written by `record`")
    parser.add_argument(
        "--method",
        dest="choices",
        action="append",
        type=lambda name: ("method", name),
        metavar="NAME",
        help=f"one of {', '.join(METHODS)}; repeat to compare (default: {DEFAULT_METHOD})",
    )
    parser.add_argument(
        "--option",
        dest="choices",
        action="append",
        type=lambda pair: ("option", pair),
        metavar="name=value",
        help="of the method named before it, or of every method if none precedes it",
    )
    parser.add_argument("--json", metavar="OUT", help="also write the numbers to a file")


def _add_sizes(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_sizes)
    parser.add_argument("file", help="a file written by `record`")
    parser.add_argument(
        "--costs",
        default="cpu",
        help=f"the cost of forwards: a trace, or one of {', '.join(COSTS)} (default: %(default)s)",
    )


def _add_ingredients(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_ingredients)
    parser.add_argument("files", nargs="+", metavar="file", help="a file written by `record`")
    parser.add_argument(
        "--drafts", type=int, nargs="+", default=DRAFTS, help="per step (default: 63 24 8)"
    )
    parser.add_argument(
        "--model",
        help="run the prompts on this model, which must be the recorded one (default: replay)",
    )
    parser.add_argument("--processes", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--json", metavar="OUT", help="write numbers and conditions to a file")


def _add_fit(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_fit)
    parser.add_argument("files", nargs="+", metavar="file", help="transcripts, one file per model")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        help="the model of a file, for live runs; once for each file (default: replays)",
    )


def run(options: argparse.Namespace) -> None:
    """Run the subcommand."""
    options.command(options)


def _record(options: argparse.Namespace) -> None:
    from logitspec.models.loader import load

    prompts = read_prompts(options.prompts, options.category)
    if not 1 <= options.ranks <= 128:
        raise LogitSpecError(f"--ranks must be from 1 to 128; got {options.ranks}.")
    engine.drafter_for("autoregressive", options.max_new_tokens)
    files.check_writable(options.out, [options.prompts])
    target, tokenizer = load(options.model, options.device, options.dtype)
    transcripts = record(target, tokenizer, prompts, options.max_new_tokens, options.ranks)
    save(tqdm(transcripts, "record", len(prompts), unit=" prompts"), options.out)


def _run(options: argparse.Namespace) -> None:
    variants = _variants(options.choices or [])
    if options.json:
        files.check_writable(options.json, [options.file])
    transcripts = tqdm(read(options.file), "replay", unit=" prompts", disable=None)
    scores = compare(transcripts, variants)
    print(table(variants, scores))
    line = dumps(document(variants, scores))
    print(line)
    if options.json:
        files.write(options.json, line + "\n")


def _sizes(options: argparse.Namespace) -> None:
    transcripts = tqdm(read(options.file), "replay", unit=" prompts", disable=None)
    print(sizes.table(sizes.compare_sizes(transcripts, options.costs)))


def _ingredients(options: argparse.Namespace) -> None:
    results = Ingredients(tuple(dict.fromkeys(options.drafts)), options.model)
    for recipe in recipes(results.drafts):
        make(recipe.method, recipe.options)  # refuses an impossible size before any replay
    check_readable(options.files)
    if options.json:
        files.check_writable(options.json, options.files)
    names = [Path(file).name for file in options.files]
    if taken := [name for name in names if [*names, OVERALL].count(name) > 1]:
        raise LogitSpecError(f"Two parts of the table would be called {taken[0]}; rename a file.")
    for file, name in zip(options.files, names, strict=True):
        transcripts = tqdm(read(file), name, unit=" prompts", disable=None)
        results.add(name, transcripts, options.processes)
    print(ingredients.table(results))
    if options.json:
        files.write(options.json, dumps(ingredients.document(results)) + "\n")


def _fit(options: argparse.Namespace) -> None:
    check_readable(options.files)
    if options.model and len(options.model) != len(options.files):
        raise LogitSpecError(
            f"{len(options.files)} files need as many --model, or none; got {len(options.model)}."
        )
    readers = [partial(read, file) for file in options.files]
    print(format_table(fit(readers, WEIGHTS, options.model)))


def _variants(choices: Sequence[tuple[str, str]]) -> list[Variant]:
    """The variants on the command line: an option belongs to the method before it, or else to all."""
    shared: list[str] = []
    named: list[tuple[str, list[str]]] = []
    for kind, text in choices:
        if kind == "method":
            named.append((text, []))
        else:
            (named[-1][1] if named else shared).append(text)
    return [parse_variant(name, shared + own) for name, own in named or [(DEFAULT_METHOD, [])]]
