"""The command `run`, which decodes a prompt in the terminal: `python -m logitspec "Once upon a time"`."""

from __future__ import annotations

import argparse
import codecs
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import Field
from typing import Any

from logitspec import commandline, files
from logitspec.drafters import DEFAULT_METHOD, METHODS, describe, option_fields
from logitspec.errors import sentence
from logitspec.prompts import refuse_empty
from logitspec.trace.exactness import promise
from logitspec.trace.metrics import Counts
from logitspec.trace.origins import LOOKS
from logitspec.trace.records import StepRecord, Trace, dumps
from logitspec.trace.rounding import decimal, rate, several
from logitspec.trace.schema import unopenable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The prompt, how to decode it, and the options of all methods."""
    parser.add_argument("prompt", help="text for the model")
    parser.add_argument(
        "--method", default=DEFAULT_METHOD, choices=list(METHODS), help="(default: %(default)s)"
    )
    commandline.add_model(parser)
    commandline.add_loading(parser)
    parser.add_argument("--max-new-tokens", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 is greedy")
    parser.add_argument("--seed", type=int, default=0, help="fixes the draws")
    parser.add_argument("--trace", metavar="FILE", help="save every step as JSON (.gz: compressed)")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON document on the last line"
    )
    group = parser.add_argument_group("options of the methods")
    for name, owners in _method_options().items():
        first = next(iter(owners.values()))
        kind: dict[str, Any] = {"type": type(first.default)}
        if isinstance(first.default, bool):  # --name and --no-name
            kind = {"action": argparse.BooleanOptionalAction}
        elif isinstance(first.default, tuple):
            kind = {"type": type(first.default[0]), "nargs": "+"}
        group.add_argument(
            f"--{name.replace('_', '-')}",
            default=argparse.SUPPRESS,  # each method has its own default
            help="; ".join(_help_texts(owners)),
            **kind,
        )


def _method_options() -> dict[str, dict[str, Field[Any]]]:
    """For each option, the methods that have it, each with its field."""
    options: dict[str, dict[str, Field[Any]]] = {}
    for method, drafter in METHODS.items():
        for each in option_fields(drafter):
            options.setdefault(each.name, {})[method] = each
    return options


def _help_texts(owners: dict[str, Field[Any]]) -> Iterator[str]:
    """What an option does, once for all methods that describe it alike, with their defaults."""
    texts = dict.fromkeys(describe(each) for each in owners.values())
    for text in texts:
        defaults = [
            f"{method} {each.default}" for method, each in owners.items() if describe(each) == text
        ]
        yield f"{text}; default: {', '.join(defaults)}".replace("%", "%%")


def run(options: argparse.Namespace) -> int | None:
    """Decode and print the text in the styles of its origins, then the numbers."""
    if options.trace:
        files.check_writable(options.trace)
    trace, end = stream(options)
    counts = trace.counts()
    print(report(trace, counts))
    if options.json:
        print(document(trace, counts))
    # An interrupt by hand is a way to say that the text is long enough.
    return commandline.TERMINATED if isinstance(end, commandline.Terminated) else None


def save(trace: Trace, path: str | None) -> None:
    """Write the trace if a path was given; say it where no reader would open the file."""
    if path:
        trace.save(path)
        if why := unopenable(trace.to_json().encode()):
            print(why, file=sys.stderr)


def stream(options: argparse.Namespace) -> tuple[Trace, KeyboardInterrupt | None]:
    """Decode, print and save; returns the finished trace, or the part so far and the signal that ended it. After an
    error, what there is of the run is printed and saved."""
    from logitspec.decoding import engine
    from logitspec.models.chat import encode_prompt
    from logitspec.models.loader import load
    from logitspec.models.tokens import Speller
    from logitspec.trace.sampling import Sampling

    method_options = {
        name: value for name, value in vars(options).items() if name in _method_options()
    }
    # A model may take minutes to load, so what can be refused without it is refused first.
    refuse_empty(options.prompt)
    sampling = Sampling(temperature=options.temperature, seed=options.seed)
    engine.drafter_for(options.method, options.max_new_tokens, method_options)
    target, tokenizer = load(
        options.model,
        options.device,
        options.dtype,
        **commandline.loading(options),
    )
    for line in ("weights", "context"):
        if line in target.info:
            print(target.info[line], file=sys.stderr)
    trace = engine.begin(
        target,
        encode_prompt(tokenizer, options.prompt),
        options.method,
        options.max_new_tokens,
        sampling,
        method_options,
    )
    trace.prompt = options.prompt
    speller, printer = Speller(tokenizer), Printer(sys.stdout)
    steps, end = engine.run(target, trace), None
    try:
        for step in steps:
            printer.step(step, [speller(token) for token in step.tokens])
    except KeyboardInterrupt as signal:
        end = signal
        steps.close()
    except Exception as error:
        steps.close()  # if it is not the run's own: a reader may have left
        if trace.finish == "error":
            trace.error = sentence(error)
        with suppress(BrokenPipeError):
            finish(trace, speller, printer, options.trace)
        raise
    finish(trace, speller, printer, options.trace)
    return trace, end


def finish(
    trace: Trace, speller: Callable[[int], bytes], printer: Printer, path: str | None
) -> None:
    """Print the rest, and save the trace even where nobody reads that."""
    trace.spell(speller)
    try:
        printer.end()
    finally:
        save(trace, path)


class Printer:
    """Writes tokens to a terminal in the style of their origin, holding back incomplete characters."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        force = os.environ.get("FORCE_COLOR", "") not in ("", "0")
        plain = bool(os.environ.get("NO_COLOR"))
        use_styles = force or (out.isatty() and os.environ.get("TERM") != "dumb")
        # Styles as well as colours, so that the sources can be told apart without colour.
        self._styles = {
            origin: look.style_without_colour if plain else look.style
            for origin, look in LOOKS.items()
            if use_styles
        }
        self.origins: set[str] = set()

    def step(self, step: StepRecord, pieces: list[bytes]) -> None:
        """Write the tokens of one step."""
        for provenance, piece in zip(step.provenance, pieces, strict=True):
            self.origins.add(provenance.origin.value)
            self._write(provenance.origin.value, self._utf8.decode(piece))
        self._out.flush()

    def end(self) -> None:
        """Write what is left and the legend."""
        self._write("root", self._utf8.decode(b"", final=True))
        self._out.write("\n")
        if self._styles:
            self._out.write("\n")
            for origin in [name for name in LOOKS if name in self.origins]:
                self._write(origin, "token")
                self._out.write(f"  {LOOKS[origin].words}\n")
        self._out.flush()

    def _write(self, origin: str, text: str) -> None:
        style = self._styles.get(origin, "")
        visible = "".join(map(escape, text))
        self._out.write(f"\x1b[{style}m{visible}\x1b[0m" if style and visible else visible)


def escape(character: str) -> str:
    """The character, or its code where it would control the terminal or change the text's direction."""
    code = ord(character)
    control = (code < 0x20 and character not in "\n\t") or 0x7F <= code < 0xA0
    turning = (
        0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or code in (0x061C, 0x200E, 0x200F)
    )
    return f"⟨{code:02x}⟩" if control or turning else character


def report(trace: Trace, counts: Counts) -> str:
    """The lines after the text."""
    shares = ", ".join(f"{origin} {share:.0%}" for origin, share in sorted(counts.shares().items()))
    return "\n".join(
        [
            "",
            f"{METHODS[trace.method].title} on {trace.model['id']} ({trace.model['dtype']},"
            f" {trace.model['attention']} attention, {trace.model['device']}); ended by {trace.finish}",
            *filter(None, [promise({**trace.model, "environment": trace.environment})]),
            f"{several(counts.tokens, 'token')} from {several(counts.forwards, 'forward')}:"
            f" {decimal(counts.mean_accepted_tokens, 2)} mean accepted tokens"
            " (tokens per target forward, root included, prefill excluded)",
            f"{counts.drafted} drafted = {counts.accepted} accepted + {counts.rejected} rejected"
            f" + {counts.uncompared} not compared",
            f"{rate(counts.tokens_per_second)} tokens/s decoding; prefill"
            f" {trace.prefill_seconds * 1000:.0f} ms for {several(len(trace.prompt_ids), 'token')}",
            f"share by origin: {shares}",
        ]
    )


def document(trace: Trace, counts: Counts) -> str:
    """Text and numbers as one line of JSON."""
    header = trace.header()
    names = (
        "method", "options", "model", "environment", "sampling", "max_new_tokens", "finish", "prompt",
    )  # fmt: skip
    return dumps(
        {
            **{name: header[name] for name in names},
            "text": trace.output_bytes.decode(errors="replace"),
            "output_ids": trace.output_ids,
            "summary": {**counts.summary(), "prefill_seconds": trace.prefill_seconds},
        }
    )
