"""The command line: `python -m logitspec` lists its commands.

Each command is a module with `add_arguments(parser)` and `run(options)`, imported only when it is
called, so that help and a wrong option don't wait for torch.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from logitspec.commandline import INTERRUPTED, TERMINATED, Parser, Terminated, terminable
from logitspec.errors import explain

PROGRAM = "python -m logitspec"
DEFAULT = "run"


class Command(NamedTuple):
    """A command's module, and what it does in one line."""

    module: str
    help: str


COMMANDS = {
    "run": Command(
        "logitspec.terminal",
        f"decode a prompt and show where each token came from; `{PROGRAM} PROMPT` does the same",
    ),
    "benchmark": Command(
        "logitspec.measure.benchmark.command",
        "measure methods against each other and against transformers' generate",
    ),
    "gpu-check": Command(
        "logitspec.measure.gpu_check.command",
        "check and measure what runs on a GPU, in less than ten minutes",
    ),
    "replay": Command(
        "logitspec.measure.replay.command",
        "record a model's output once, then try methods on it in seconds",
    ),
    "evidence": Command(
        "logitspec.measure.evidence.command",
        'count what the page "Why it works" shows',
    ),
    "record": Command(
        "logitspec.publish.record",
        "run the shipped examples and keep their traces, which the page replays",
    ),
    "export": Command(
        "logitspec.publish.export",
        "turn a saved trace into a page, pictures, a film, a handout or tables",
    ),
    "deploy": Command(
        "logitspec.publish.deploy",
        "create or update the Hugging Face Space that the Spacefile describes",
    ),
    "train": Command("logitspec.builtin.train", "train a built-in model"),
    "evaluate": Command("logitspec.builtin.evaluate", "measure a built-in model on unseen prompts"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 after one sentence on standard error, or that of a signal."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    _open_streams()
    words = list(sys.argv[1:] if words is None else words)
    code: int | None = 0
    try:
        if not words or words[0] in ("-h", "--help"):
            print(overview())
        else:
            command, options = parse(words)
            with terminable():  # so that what a command has so far is kept, and no half file
                code = command.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        _let_go()
        return 0
    except Exception as error:
        print(explain(error), file=sys.stderr)
        _let_go()
        return 2
    except Terminated:
        return TERMINATED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code or 0


def _open_streams() -> None:
    """Let standard output and error take whatever is written to them.

    Characters that the encoding lacks are written as their codes, so that one of them costs no figures. A command
    that was started without a stream (`>&-`, a service) has None there, which libraries would write to.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go() -> None:
    """Discard what standard output refuses to take, which Python would try to write again on exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse(words: Sequence[str]) -> tuple[ModuleType, argparse.Namespace]:
    """The module of the command that `words` name, and its options.

    Words that don't begin with a command are a prompt and options of `run`.
    """
    name, rest = (words[0], words[1:]) if words[0] in COMMANDS else (DEFAULT, words)
    chosen = COMMANDS[name]
    parser = Parser(
        prog=f"{PROGRAM} {name}",
        description=f"{chosen.help[0].upper()}{chosen.help[1:]}.",
    )
    module = import_module(chosen.module)
    module.add_arguments(parser)
    return module, parser.parse_args(rest)


def overview() -> str:
    """All commands, one per line."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Speculative decoding without a draft model, and a trace of every step.",
        epilog=f"`{PROGRAM} COMMAND --help` lists the options of a command.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help)
    return parser.format_help()


if __name__ == "__main__":
    sys.exit(main())
