"""Methods measured against each other and against transformers' `generate`, on one loaded model.

    python -m logitspec.benchmark --model FOLDER --prompts question.jsonl --json figures.json
    accelerate launch -m logitspec.benchmark ...    # each process takes its share of the prompts

Greedy decoding, one prompt at a time. For each turn of each prompt, each repeat runs every method once,
in an order that rotates, so that what drifts (clocks, heat, neighbours) hits all alike. In a
conversation every method reads the answers of our plain decoding, and so the same prompt.

What is timed is decoding. Ours: the wall time of the whole run without the prefill, so the loop and
what a drafter does with the prompt count. transformers': the wall time of `generate` less the median
time of `generate` with one new token, which is taken as its prefill. That one token is paid with it,
so its decoding rate counts a token less; ours takes a forward for every step, the first one included.

**Mean accepted tokens** are tokens emitted per target forward, root included, prefill excluded
(Spec-Bench's definition). transformers' first token comes from its prefill, which therefore counts as
a forward there: plain decoding has 1 in both.
"""

from __future__ import annotations

import argparse
import gc
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from tqdm import tqdm
from transformers import GenerationConfig

from logitspec.engine import begin, run
from logitspec.errors import LogitSpecError
from logitspec.models import encode_prompt, known_as, load
from logitspec.recordings import EXAMPLES, Example
from logitspec.replay import OVERALL, Score, Variant, prompts_in, variant, write
from logitspec.target import Sampling
from logitspec.trace import Trace, dumps
from logitspec.version import VERSION

REFERENCE = "autoregressive"
METHODS = (REFERENCE, "prompt_lookup", "logitspec_paper", "logitspec")
BASELINE = "transformers"
BASELINES: dict[str, dict[str, Any]] = {
    BASELINE: {},
    "transformers_prompt_lookup": {"prompt_lookup_num_tokens": 10},
}
TIE_AT_MOST = 0.05  # in probability, between the best two tokens
MOST_REPEATS = 1000

T = TypeVar("T")


# What is measured


@dataclass(slots=True)
class Outcome:
    """One run on one prompt.

    forwards: of the target. drafted, accepted: nodes, roots not counted; None where nobody tells.
    seconds: wall time, prefill included. forward_seconds: the part of decoding spent in forwards,
    with their masks and top-k.
    trace: of our own methods.
    """

    output_ids: list[int]
    forwards: int
    prefill_seconds: float
    seconds: float
    drafted: int | None = None
    accepted: int | None = None
    forward_seconds: float | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A method with options, or a baseline: `decode(prompt_ids, max_new_tokens)` runs it once.

    prefilled: tokens that come with its prefill, whose time is then known by its median only.
    """

    title: str
    method: str
    options: dict[str, Any]
    decode: Callable[[list[int], int], Outcome]
    prefilled: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run as it enters the figures.

    method: title of the contender. turn, repeat: from 0. tokens: emitted. timed_tokens: those that
    `decode_seconds` brought. The rest as in `Outcome`.
    """

    method: str
    question_id: int
    turn: int
    category: str
    repeat: int
    prompt_tokens: int
    tokens: int
    timed_tokens: int
    forwards: int
    drafted: int | None
    accepted: int | None
    prefill_seconds: float
    decode_seconds: float
    forward_seconds: float | None


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the output of `method` leaves that of our plain decoding.

    position: of the first other token, counted in new tokens from 0. margin: by how much plain
    decoding preferred its best token to the second there, in probability; None where one of the
    two outputs just ends. wanted, got: token ids, None at such an end.
    """

    method: str
    question_id: int
    turn: int
    category: str
    position: int
    wanted: int | None
    got: int | None
    margin: float | None

    @property
    def fault(self) -> bool:
        """Whether rounding can't explain it: no two tokens were nearly tied."""
        return self.margin is None or self.margin > TIE_AT_MOST

    def __str__(self) -> str:
        what = "a fault" if self.fault else "a numerical tie"
        why = "one output ends" if self.margin is None else f"margin {self.margin:.3g}"
        place = f"prompt {self.question_id}, turn {self.turn + 1}, new token {self.position}"
        return f"{self.method} differs from {REFERENCE}: {place}, {why}: {what}"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "fault": self.fault}


R = TypeVar("R", Measurement, Divergence)


@dataclass(slots=True)
class Part:
    """What one process found. left_out: [question id, turn] of prompts beyond the model's context."""

    measurements: list[Measurement] = field(default_factory=list)
    divergences: list[Divergence] = field(default_factory=list)
    left_out: list[list[int]] = field(default_factory=list)


def merged(parts: Sequence[Part]) -> Part:
    """The parts of all processes as one."""
    whole = Part()
    for part in parts:
        whole.measurements += part.measurements
        whole.divergences += part.divergences
        whole.left_out += part.left_out
    return whole


# The contenders


def ours(target: Any, asked: Variant) -> Contender:
    """A method of our own, through the one decoding loop."""

    def decode(prompt_ids: list[int], most: int) -> Outcome:
        started = perf_counter()
        trace, drafter = begin(target, prompt_ids, asked.method, most, Sampling(), asked.options)
        for _ in run(target, drafter, trace):
            pass
        seconds = perf_counter() - started
        totals = trace.totals
        return Outcome(
            trace.output_ids,
            forwards=len(trace.steps),
            prefill_seconds=trace.prefill_seconds,
            seconds=seconds,
            drafted=int(totals["drafted"]),
            accepted=int(totals["accepted"]),
            forward_seconds=totals["device_seconds"],
            trace=trace,
        )

    return Contender(asked.title, asked.method, asked.options, decode)


def theirs(target: Any, name: str) -> Contender:
    """transformers' greedy `generate` on the model of `target`, with the options of baseline `name`.

    The model's own generation config (a repetition penalty, a temperature) is left out of it.
    """
    model, eos = target.model, sorted(target.eos_ids)

    def generate(prompt_ids: list[int], most: int) -> tuple[list[int], int, float]:
        """Token ids, forwards and seconds."""
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=most,
            eos_token_id=eos or None,
            pad_token_id=eos[0] if eos else 0,
            **BASELINES[name],
        )
        with _plain(model) as calls:
            started = perf_counter()
            ids = torch.tensor([prompt_ids], device=model.device)
            made = model.generate(
                ids, attention_mask=torch.ones_like(ids), generation_config=config
            )
            output = made[0, len(prompt_ids) :].tolist()
            return output, len(calls), perf_counter() - started

    def decode(prompt_ids: list[int], most: int) -> Outcome:
        _, _, first = generate(prompt_ids, 1)
        output, forwards, seconds = generate(prompt_ids, most)
        return Outcome(output, forwards, prefill_seconds=first, seconds=seconds)

    return Contender(name, name, BASELINES[name], decode, prefilled=1)


@contextmanager
def _plain(model: Any) -> Iterator[list[None]]:
    """`model` without its generation config; the list grows by one with each forward."""
    calls: list[None] = []
    kept, model.generation_config = model.generation_config, GenerationConfig()
    hook = model.register_forward_hook(lambda *_: calls.append(None))
    try:
        yield calls
    finally:
        hook.remove()
        model.generation_config = kept


def variants(asked: Sequence[str]) -> list[Variant]:
    """`method` or `method:name=value,name=value` each, plain decoding always among them."""
    found = {}
    for text in asked:
        name, _, pairs = text.partition(":")
        made = variant(name, pairs.split(",") if pairs else [])
        found[made.title] = made
    return list(found.values() if REFERENCE in found else [Variant(REFERENCE), *found.values()])


def baselines(asked: Sequence[str]) -> list[str]:
    """The names, each once; LogitSpecError for one that there is not."""
    if unknown := [name for name in asked if name not in BASELINES]:
        raise LogitSpecError(
            f"There is no baseline {unknown[0]!r}; choose one of {', '.join(BASELINES)}."
        )
    return list(dict.fromkeys(asked))


# Measuring


def rotated(items: Sequence[T], turns: int) -> list[T]:
    """`items` from number `turns` on, then those before it: in as many rounds as there are items each
    one has every place once."""
    first = turns % len(items)
    return [*items[first:], *items[:first]]


@dataclass(slots=True)
class Bench:
    """The contenders and how often they run.

    encode: token ids of a text after a conversation. spell: the text of an answer's ids.
    limit: positions of the model, new tokens included. rounds: run so far.
    """

    contenders: list[Contender]
    encode: Callable[[str, Sequence[tuple[str, str]]], list[int]]
    spell: Callable[[list[int]], str]
    limit: int
    max_new_tokens: int
    repeats: int
    rounds: int = 0

    def warm_up(self, prompts: Sequence[Example]) -> None:
        """Run every contender once on the longest prompt: buffers and kernels for all its shapes."""
        fitting = [ids for each in prompts if self._room(ids := self.encode(each.prompt, ())) > 1]
        if not fitting:
            return
        longest = max(fitting, key=len)
        for contender in self.contenders:
            contender.decode(longest, self._room(longest))

    def measure(self, prompt: Example, part: Part, done: Callable[[], Any] = bool) -> None:
        """All turns of `prompt`; `done` is called after each repeat, and for those left out."""
        before: list[tuple[str, str]] = []
        for turn, text in enumerate((prompt.prompt, *prompt.later)):
            ids = self.encode(text, before)
            # What comes after an answer that was not written can't be asked either.
            if len(before) < turn or self._room(ids) < 2:
                part.left_out.append([prompt.question_id, turn])
                for _ in range(self.repeats):
                    done()
                continue
            outcomes = self._outcomes(ids, done)
            part.measurements += measurements(prompt, turn, len(ids), self.contenders, outcomes)
            part.divergences += divergences(prompt, turn, outcomes)
            before.append((text, self.spell(outcomes[REFERENCE][0].output_ids)))

    def _outcomes(self, ids: list[int], done: Callable[[], Any]) -> dict[str, list[Outcome]]:
        """By contender the outcome of each repeat."""
        outcomes: dict[str, list[Outcome]] = {each.title: [] for each in self.contenders}
        for _ in range(self.repeats):
            gc.collect()  # the rubbish of one method is not to be cleared away in another's time
            for contender in rotated(self.contenders, self.rounds):
                outcomes[contender.title].append(contender.decode(ids, self._room(ids)))
            self.rounds += 1
            done()
        return outcomes

    def _room(self, ids: Sequence[int]) -> int:
        """New tokens behind a prompt: transformers, unlike us, would write beyond the context."""
        return min(self.max_new_tokens, self.limit - len(ids))


def measurements(
    prompt: Example,
    turn: int,
    prompt_tokens: int,
    contenders: Sequence[Contender],
    outcomes: dict[str, list[Outcome]],
) -> Iterator[Measurement]:
    """The runs of one turn; a prefill that was timed apart from its run counts by its median."""
    for contender in contenders:
        runs = outcomes[contender.title]
        typical = median(each.prefill_seconds for each in runs)
        for repeat, each in enumerate(runs):
            prefill = typical if contender.prefilled else each.prefill_seconds
            yield Measurement(
                method=contender.title,
                question_id=prompt.question_id,
                turn=turn,
                category=prompt.category,
                repeat=repeat,
                prompt_tokens=prompt_tokens,
                tokens=len(each.output_ids),
                timed_tokens=len(each.output_ids) - contender.prefilled,
                forwards=each.forwards,
                drafted=each.drafted,
                accepted=each.accepted,
                prefill_seconds=round(prefill, 6),
                decode_seconds=round(each.seconds - prefill, 6),
                forward_seconds=each.forward_seconds,
            )


def divergences(
    prompt: Example, turn: int, outcomes: dict[str, list[Outcome]]
) -> Iterator[Divergence]:
    """For each contender that did not always write what plain decoding wrote first, where it left
    that for the first time."""
    reference = outcomes[REFERENCE][0]
    wanted = reference.output_ids
    for title, runs in outcomes.items():
        other = next((each.output_ids for each in runs if each.output_ids != wanted), None)
        if other is None:
            continue
        pairs = enumerate(zip(wanted, other, strict=False))
        shorter = min(len(wanted), len(other))
        place = next((place for place, (left, right) in pairs if left != right), shorter)
        yield Divergence(
            method=title,
            question_id=prompt.question_id,
            turn=turn,
            category=prompt.category,
            position=place,
            wanted=wanted[place] if place < len(wanted) else None,
            got=other[place] if place < len(other) else None,
            margin=_margin(reference.trace, place) if place < shorter else None,
        )


def _margin(trace: Trace | None, place: int) -> float:
    """How much more probable the best token was than the second, at new token `place` of a run of
    plain decoding, which has a step for each."""
    assert trace is not None
    best, second = trace.steps[place].last.probs[:2]
    return round(best - second, 6)


# Figures


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles over the repeats."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None without values; quartiles as numpy's, by linear interpolation."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0]) if values else None
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)


def rates(runs: Sequence[Measurement]) -> dict[int, float]:
    """Decoded tokens a second by repeat: all tokens / all seconds, where that can be told."""
    found = {}
    for repeat in sorted({each.repeat for each in runs}):
        of_it = [each for each in runs if each.repeat == repeat]
        tokens = sum(each.timed_tokens for each in of_it)
        seconds = sum(each.decode_seconds for each in of_it)
        if tokens > 0 and seconds > 0:
            found[repeat] = tokens / seconds
    return found


def speed_up(runs: Sequence[Measurement], baseline: Sequence[Measurement]) -> Spread | None:
    """How many times as many tokens a second as `baseline`, within the same repeat."""
    own, other = rates(runs), rates(baseline)
    return Spread.of([own[repeat] / other[repeat] for repeat in own if repeat in other])


def score(
    runs: Sequence[Measurement], plain: Sequence[Measurement], stock: Sequence[Measurement]
) -> dict[str, Any]:
    """The figures of one contender, as JSON values, beside the runs of plain decoding (ours) and of
    transformers' greedy `generate` on the same prompts.

    prompts: turns. tokens: of the first repeat. Means are over all repeats.
    """
    first = [each for each in runs if each.repeat == 0]
    counts = Score(
        tokens=sum(each.tokens for each in runs),
        steps=sum(each.forwards for each in runs),
        drafted=sum(each.drafted or 0 for each in runs),
        accepted=sum(each.accepted or 0 for each in runs),
    ).to_json()
    told = all(each.drafted is not None for each in runs)
    decoding = sum(each.decode_seconds for each in runs)
    forwards = sum(each.forward_seconds or 0.0 for each in runs)
    spreads = {
        "tokens_per_second": Spread.of(list(rates(runs).values())),
        f"speed_up_over_{BASELINE}": speed_up(runs, stock),
        f"speed_up_over_{REFERENCE}": speed_up(runs, plain),
    }
    return {
        "prompts": len(first),
        "tokens": sum(each.tokens for each in first),
        **{name: spread and asdict(spread) for name, spread in spreads.items()},
        "mean_accepted_tokens": counts["mean_accepted_tokens"],
        "mean_drafted": counts["mean_drafted"] if told else None,
        "acceptance_rate": counts["acceptance_rate"] if told else None,
        "outside_forward": 1 - forwards / decoding if told and decoding > 0 else None,
        "prefill_ms": 1000 * median(each.prefill_seconds for each in runs),
    }


def scores(part: Part) -> dict[str, dict[str, Any]]:
    """By title, then by category and overall: the figures, and the prompts whose output differs."""
    titles = dict.fromkeys(each.method for each in part.measurements)
    categories = [*sorted({each.category for each in part.measurements}), OVERALL]
    found: dict[str, dict[str, Any]] = {title: {} for title in titles}
    for category in categories:
        plain, stock = (_of(part.measurements, name, category) for name in (REFERENCE, BASELINE))
        for title in titles:
            differing = _of(part.divergences, title, category)
            found[title][category] = {
                **score(_of(part.measurements, title, category), plain, stock),
                "differing": len(differing),
                "faults": sum(each.fault for each in differing),
            }
    return found


def _of(items: Sequence[R], title: str, category: str) -> list[R]:
    """Those of one contender and one category, or of all."""
    return [each for each in items if each.method == title and category in (each.category, OVERALL)]


def document(
    part: Part, contenders: Sequence[Contender], about: dict[str, Any], whole: bool = False
) -> dict[str, Any]:
    """Figures, divergences and what was measured as JSON values; `whole`: every run, too."""
    figures = scores(part)
    methods = [
        {
            "title": each.title,
            "method": each.method,
            "options": each.options,
            "scores": figures[each.title],
        }
        for each in contenders
    ]
    runs = {"measurements": [asdict(each) for each in part.measurements]} if whole else {}
    return {
        **about,
        "methods": methods,
        "divergences": [each.to_json() for each in part.divergences],
        "left_out": part.left_out,
        **runs,
    }


# The table

COLUMNS = {
    "prompts": 9, "tokens": 9, "tokens/s": 25, f"x {BASELINE}": 20, f"x {REFERENCE}": 20, "MAT": 7,
    "drafted": 9, "accepted": 10, "outside": 9, "prefill ms": 12, "differ": 8, "faults": 8,
}  # fmt: skip

LEGEND = f"""\
tokens/s: decoding only, median and quartiles over the repeats. x: times the tokens/s of {BASELINE}' greedy
generate and of our plain decoding ({REFERENCE}), within the same repeat. MAT: mean accepted tokens (tokens
per target forward, root included, prefill excluded; for {BASELINE} with the prefill, which gives its first
token). drafted: nodes a step, without the root; accepted: of the drafted. outside: share of decoding outside
the forward. prefill: median; for {BASELINE} the time of one new token, which is taken off its decoding.
differ: prompts whose output is not that of {REFERENCE}; faults: those where no two tokens were nearly tied."""


def table(part: Part) -> str:
    """The figures side by side: per category, then overall."""
    figures = scores(part)
    width = max(map(len, figures)) + 2
    lines = ["".join([" " * width, *(f"{head:>{size}}" for head, size in COLUMNS.items())])]
    for category in next(iter(figures.values())):
        lines.append(category)
        lines += [
            f"  {title:<{width - 2}}{_cells(by_category[category])}"
            for title, by_category in figures.items()
        ]
    return "\n".join([*lines, LEGEND])


def _cells(figures: dict[str, Any]) -> str:
    cells = [
        str(figures["prompts"]),
        str(figures["tokens"]),
        _spread(figures["tokens_per_second"], 1),
        _spread(figures[f"speed_up_over_{BASELINE}"], 2),
        _spread(figures[f"speed_up_over_{REFERENCE}"], 2),
        _cell(figures["mean_accepted_tokens"], ".2f"),
        _cell(figures["mean_drafted"], ".1f"),
        _cell(figures["acceptance_rate"], ".1%"),
        _cell(figures["outside_forward"], ".1%"),
        _cell(figures["prefill_ms"], ".1f"),
        str(figures["differing"]),
        str(figures["faults"]),
    ]
    return "".join(f"{cell:>{size}}" for cell, size in zip(cells, COLUMNS.values(), strict=True))


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _spread(values: dict[str, float] | None, digits: int) -> str:
    if values is None:
        return "-"
    low, middle, high = (f"{values[name]:.{digits}f}" for name in ("low", "median", "high"))
    return f"{middle} ({low}-{high})"


def notes(part: Part) -> list[str]:
    """What a reader of the table must know: differing outputs, prompts that are missing."""
    lines = [str(each) for each in part.divergences]
    if part.left_out:
        lines.append(f"{len(part.left_out)} prompts are left out: they don't fit the context.")
    return lines


# The command


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
        prog="python -m logitspec.benchmark",
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
    parser.add_argument("--prompts", default=EXAMPLES, help="JSON lines (default: the examples)")
    parser.add_argument("--category", nargs="+", default=[], help="(default: all)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda ...")
    parser.add_argument(
        "--dtype", default="auto", help="auto, fastest, float32, bfloat16, float16, float64"
    )
    parser.add_argument("--json", metavar="OUT", help="write figures and every run to a file")
    return parser


def _benchmark(options: argparse.Namespace) -> None:
    """Measure this process's share; the first process prints what all have found."""
    asked, compared = variants(options.methods), baselines(options.baselines)
    prompts = prompts_in(options.prompts, options.category)
    _check(options)
    processes = PartialState(cpu=options.device == "cpu")
    alone = processes.num_processes == 1
    device = options.device if alone or options.device != "auto" else str(processes.device)
    target, tokenizer = load(options.model, device, options.dtype)
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


def measure(bench: Bench, prompts: Sequence[Example], quiet: bool = False) -> Part:
    """Warm up, then measure each of `prompts`, with a progress bar where somebody watches."""
    part = Part()
    bench.warm_up(prompts)
    repeats = bench.repeats * sum(1 + len(each.later) for each in prompts)
    with tqdm(total=repeats, desc="measure", unit=" rounds", disable=quiet or None) as bar:
        for prompt in prompts:
            bench.measure(prompt, part, bar.update)
    return part


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
        "prompts": Path(options.prompts).name,
        "category": options.category,
        "max_new_tokens": options.max_new_tokens,
        "repeats": options.repeats,
        "decoding": "greedy",
        "tie_at_most": TIE_AT_MOST,
    }


def environment(target: Any) -> dict[str, Any]:
    """Model, device, threads and versions."""
    info = dict(target.info)
    versions = info.pop("environment", {})
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
