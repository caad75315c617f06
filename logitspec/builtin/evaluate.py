"""The command `evaluate`, which measures a built-in model.

held-out samples -> decode() with three methods -> grade, ranks, mean accepted tokens -> table, JSON
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import shlex
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import torch
from tqdm import tqdm

from logitspec import commandline, files
from logitspec.builtin.card import EVALUATION, table, write_card
from logitspec.builtin.corpus import samples
from logitspec.builtin.grade import RULES, block, distinct, is_right, kind, repetition
from logitspec.builtin.recipe import describe_hardware
from logitspec.builtin.tasks import Sample
from logitspec.builtin.tokenizer import chat_messages
from logitspec.builtin.unseen import draw_unseen
from logitspec.decoding.engine import begin, complete
from logitspec.errors import LogitSpecError
from logitspec.models.chat import encode_prompt
from logitspec.models.loader import load
from logitspec.models.sources import BUILTIN
from logitspec.paths import MODEL
from logitspec.trace.records import Trace

# The bars are the ones that a demonstration needs: below them a viewer sees mistakes all the time.
BARS = {
    "translation": 0.9,
    "summarization": 0.9,
    "qa": 0.95,
    "math": 0.8,
    "code: functions": 0.9,
    "code: edits": 0.9,
}
RANKS = (8, 32, 63)
METHODS = ("prompt_lookup", "logitspec_paper")
MAX_NEW_TOKENS = 400
MAX_REPEATED = 1000  # drawn prompts in a row that were drawn before


@dataclass(frozen=True)
class Prompt:
    """An unseen prompt: the conversation up to a user message, and the reference answer to it."""

    row: str
    chat: list[dict[str, str]]
    reference: str


@dataclass
class Row:
    """The counts of one row of the table.

    `at_rank` counts next-next tokens whose rank in the last logits is 1 to each of `RANKS`.
    `emitted` and `forwards` hold the tokens and the forwards of each of `METHODS`, without prefill.
    """

    prompts: int = 0
    right: int = 0
    parsed: int = 0
    ended: int = 0
    tokens: int = 0
    next_next: int = 0
    at_rank: dict[int, int] = field(default_factory=lambda: dict.fromkeys(RANKS, 0))
    emitted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(METHODS, 0))
    forwards: dict[str, int] = field(default_factory=lambda: dict.fromkeys(METHODS, 0))
    differing: int = 0
    answers: list[str] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: Row) -> None:
        """Adds the counts of `other`."""
        for name, value in vars(other).items():
            current = getattr(self, name)
            if isinstance(current, dict):
                current.update({key: current[key] + count for key, count in value.items()})
            else:
                setattr(self, name, current + value)

    def to_json(self, row: str) -> dict[str, Any]:
        """The counts as shares of prompts, answers or tokens."""
        shares: dict[str, Any] = {
            "task": row,
            "prompts": self.prompts,
            "right": self.right / self.prompts,
            "wanted": BARS.get(row),
            "ended": self.ended / self.prompts,
            "tokens": self.tokens / self.prompts,
            "next_next_at_rank": {
                str(rank): count / max(1, self.next_next) for rank, count in self.at_rank.items()
            },
            "mean_accepted_tokens": {
                method: self.emitted[method] / forwards
                for method, forwards in self.forwards.items()
                if forwards
            },
            "differing": self.differing,
        }
        if row == "code: functions":
            shares["parsed"] = self.parsed / self.prompts
        if row == "story":
            shares["distinct_3"] = distinct(self.answers)
            shares["repetition"] = repetition(self.answers)
        return shares


def draw_prompts(row: str, count: int, seed: int) -> list[Prompt]:
    """`count` different prompts of one row; the turn of each conversation is drawn.

    Raises LogitSpecError if there seem to be fewer.
    """
    category = row.split(":")[0]
    draw = random.Random(f"turns-{seed}")
    chosen_prompts: dict[str, Prompt] = {}
    repeated = 0
    for sample in samples(seed, "eval", category):
        turn = draw.randrange(len(sample.turns))
        question, reference = sample.turns[turn]
        chat = chat_messages(Sample(category, sample.turns[: turn + 1]))[:-1]
        if kind(category, question) == row:
            text = json.dumps(chat)
            repeated = repeated + 1 if text in chosen_prompts else 0
            chosen_prompts[text] = Prompt(row, chat, reference)
        if len(chosen_prompts) == count:
            break
        if repeated == MAX_REPEATED:
            raise LogitSpecError(
                f"The task {row!r} has hardly more than {len(chosen_prompts)} different prompts; lower"
                f" --prompts from {count}."
            )
    return list(chosen_prompts.values())


def decode_greedily(target: Any, ids: list[int], method: str, new_tokens: int) -> Trace:
    """Decodes to the end and returns the trace."""
    return complete(target, begin(target, ids, method, new_tokens))


@dataclass(frozen=True)
class Conditions:
    """The model, its device and the methods that every prompt runs with."""

    model: str
    device: str
    dtype: str
    new_tokens: int
    methods: tuple[str, ...]


@cache
def _load_once(model: str, device: str, dtype: str) -> tuple[Any, Any]:
    return load(model, device, dtype)


def measure(prompt: Prompt, conditions: Conditions) -> Row:
    """Runs one prompt with plain decoding and with every method, and counts."""
    target, tokenizer = _load_once(conditions.model, conditions.device, conditions.dtype)
    row = Row(prompts=1)
    *before, text = [message["content"] for message in prompt.chat]
    ids = encode_prompt(tokenizer, text, list(zip(before[::2], before[1::2], strict=True)))
    plain = decode_greedily(target, ids, "autoregressive", conditions.new_tokens)
    tokens = plain.output_ids
    answer = tokenizer.decode(tokens, skip_special_tokens=True)
    row.tokens = len(tokens)
    row.ended = plain.finish == "eos"
    row.parsed = block(answer) is not None
    row.answers.append(answer)
    row.right = row.ended and is_right(prompt.row, prompt.reference, answer)
    if not row.right:
        row.wrong.append({"chat": prompt.chat, "wanted": prompt.reference, "answer": answer})
    for step, after in itertools.pairwise(plain.steps):
        rank = step.last.rank(after.tokens[0])
        row.next_next += 1
        for max_rank in RANKS:
            row.at_rank[max_rank] += rank is not None and 1 <= rank <= max_rank
    for method in conditions.methods:
        trace = decode_greedily(target, ids, method, conditions.new_tokens)
        row.emitted[method] += len(trace.output_ids)
        row.forwards[method] += len(trace.steps)
        row.differing += trace.output_ids != tokens
    return row


def measure_all(prompts: list[Prompt], conditions: Conditions, processes: int) -> dict[str, Row]:
    """The counts of all prompts by row, from at most `processes` that share the threads of the CPU."""
    processes = min(processes, len(prompts))
    rows = {prompt.row: Row() for prompt in prompts}
    measure_one = partial(measure, conditions=conditions)
    threads = max(1, (os.cpu_count() or 1) // processes)
    with ExitStack() as stack:
        parts: Iterator[Row] = map(measure_one, prompts)
        if processes > 1:
            context = multiprocessing.get_context("spawn")
            pool = context.Pool(processes, torch.set_num_threads, (threads,))
            parts = stack.enter_context(pool).imap(measure_one, prompts)
        bar = stack.enter_context(tqdm(zip(prompts, parts, strict=True), "evaluate", len(prompts)))
        for prompt, part in bar:
            rows[prompt.row].add(part)
            bar.set_postfix_str(prompt.row)
    return rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, and how many prompts of which tasks."""
    every = list(RULES)
    commandline.add_model(parser, dtype="float32")
    parser.add_argument("--prompts", type=int, default=50, help="prompts per task")
    parser.add_argument(
        "--tasks",
        nargs="+",
        default=every,
        choices=every,
        metavar="TASK",
        help=f"(default: {', '.join(every)})",
    )
    parser.add_argument(
        "--max-new-tokens", type=int, default=MAX_NEW_TOKENS, help="(default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=2, help="fixes which prompts are drawn")
    parser.add_argument("--processes", type=int, default=1, help="prompts run in parallel")
    parser.add_argument("--quick", action="store_true", help="plain decoding only")
    parser.add_argument(
        "--wrong", type=pathlib.Path, metavar="OUT", help="write wrong answers here, as JSON lines"
    )
    parser.add_argument(
        "--unseen",
        type=pathlib.Path,
        metavar="OUT",
        help="only write that many unseen conversations of each task, for the benchmark and the replay",
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help=f"write {EVALUATION} and the model card into the model's folder",
    )


def run(options: argparse.Namespace) -> None:
    """Print a table of figures, then one line of JSON."""
    for name in ("prompts", "processes"):
        if getattr(options, name) < 1:
            raise LogitSpecError(f"--{name} must be 1 or more; got {getattr(options, name)}.")
    if options.unseen is not None:
        rows = draw_unseen(options.prompts, options.seed)
        files.write(options.unseen, _lines(rows))
        return
    folder = MODEL if options.model == BUILTIN else pathlib.Path(options.model)
    for out in (options.wrong, folder / EVALUATION if options.card else None):
        if out is not None:
            files.check_writable(out)
    methods = () if options.quick else METHODS
    conditions = Conditions(
        options.model, options.device, options.dtype, options.max_new_tokens, methods
    )
    prompts = [
        prompt
        for task in dict.fromkeys(options.tasks)
        for prompt in draw_prompts(task, options.prompts, options.seed)
    ]
    counts = measure_all(prompts, conditions, options.processes)
    info = _load_once(options.model, options.device, options.dtype)[0].info
    figures = {
        "command": command(options),
        "dtype": info["dtype"],
        "device": describe_hardware(info["device"].split()[0]),
        "torch": info["environment"]["torch"],
        "rows": [row.to_json(task) for task, row in counts.items()],
    }
    print(table(figures["rows"]))
    print(json.dumps(figures), flush=True)
    if options.wrong is not None:
        wrong = [{"task": task} | entry for task, row in counts.items() for entry in row.wrong]
        files.write(options.wrong, _lines(wrong))
    if options.card:
        files.write(folder / EVALUATION, json.dumps(figures, indent=1) + "\n")
        write_card(folder)


def command(options: argparse.Namespace) -> str:
    """The command that gives these figures again."""
    parts = [f"python -m logitspec evaluate --prompts {options.prompts} --seed {options.seed}"]
    tasks, most = list(dict.fromkeys(options.tasks)), options.max_new_tokens
    parts += [f"--tasks {shlex.join(tasks)}"] if tasks != list(RULES) else []
    parts += [f"--max-new-tokens {most}"] if most != MAX_NEW_TOKENS else []
    parts += ["--quick"] if options.quick else []
    return " ".join(parts)


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
