"""Methods tried without the model: what it would say is recorded once, drafts are checked against that.

    python -m logitspec.replay record --out recording.jsonl.gz
    python -m logitspec.replay run recording.jsonl.gz --method logitspec_paper

prompts -> plain decoding -> Recording: output, top-k everywhere -> RecordedTarget -> decode loop -> Score

Greedy output is the same whatever was drafted, so the choices and the top-k along it are all that a
method meets, but for one thing: **the logits of rejected nodes are not in a recording**. A method that
learns from those does worse in a replay than live; any other drafts the same trees, step by step. (Up
to rounding, as everywhere: live, ranks that are nearly tied may swap in a forward of another size.)
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from logitspec.drafters import DEFAULT_METHOD, METHODS, Drafter, make, option_fields
from logitspec.engine import begin, run
from logitspec.errors import LogitSpecError
from logitspec.recordings import EXAMPLES, Example
from logitspec.target import ForwardResult, Sampling, Target, TopK
from logitspec.trace import Trace, dumps
from logitspec.tree import DraftTree, accept

SCHEMA = 1
RANKS = 64  # kept after the prompt and after each token of the output
NODE_RANKS = 8  # shown after the nodes before the last accepted one, as the runner does
UNKNOWN = -1  # the choice after a node off the recorded text; no token has this id
OFF = -1  # the position of such a node
NOTHING = TopK([], [])
OVERALL = "overall"


# A recording


@dataclass(frozen=True, slots=True)
class Recording:
    """The greedy output of one prompt, and what the model put after every token.

    model: as in traces. max_new_tokens, finish: of the recorded run. after: the model's choice after
    the last of `output_ids`. topk: one after each of `prompt_ids` (few ranks, many for the last) and
    `output_ids` (many ranks): [prompt + output].
    """

    question_id: int
    category: str
    model: dict[str, Any]
    eos_ids: list[int]
    limit: int
    max_new_tokens: int
    prompt_ids: list[int]
    output_ids: list[int]
    after: int
    finish: str
    topk: list[TopK]

    def to_json(self) -> str:
        """One line of JSON."""
        names = [name for name in self.__slots__ if name != "topk"]
        ids, probs = [top.ids for top in self.topk], [top.probs for top in self.topk]
        rest = {name: getattr(self, name) for name in names}
        return dumps({"kind": "recording", "schema": SCHEMA, **rest, "ids": ids, "probs": probs})

    @classmethod
    def from_json(cls, text: str) -> Recording:
        """The recording in `text`; LogitSpecError when it is none, or one of another schema."""
        try:
            data = json.loads(text)
            if (data.pop("kind"), data.pop("schema")) != ("recording", SCHEMA):
                raise LogitSpecError(f"of another kind than recordings of schema {SCHEMA}")
            rows = zip(data.pop("ids"), data.pop("probs"), strict=True)
            recording = cls(**data, topk=[TopK(*row) for row in rows])
            if len(recording.topk) != len(recording.prompt_ids) + len(recording.output_ids):
                raise LogitSpecError("without a top-k after each token")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LogitSpecError(
                f"A line is no recording ({error}); make the file with"
                " `python -m logitspec.replay record`."
            ) from error
        return recording


def save(recordings: Iterable[Recording], path: str | Path) -> None:
    """Write JSON lines, gzipped, each as soon as it is there: an interrupt leaves a file to read."""
    try:
        # Without name and time, so that the same recordings give the same file.
        with (
            Path(path).open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8") as lines,
        ):
            for recording in recordings:
                lines.write(recording.to_json() + "\n")
    except OSError as error:
        raise LogitSpecError(f"Can't write {path} ({error.strerror or error}).") from error


def read(path: str | Path) -> Iterator[Recording]:
    """The recordings in a file of `save`, one at a time: hundreds would fill the memory."""
    empty = True
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield Recording.from_json(line)
                empty = False
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise LogitSpecError(f"Can't read recordings from {path} ({why}).") from error
    if empty:
        raise LogitSpecError(f"There is no recording in {path}; record again.")


# Recording


class Listener:
    """A target that hands everything on to `inner` and keeps what came back, for plain decoding.

    topk: after each verified token, at most `ranks`. after: the choice after the last of them.
    """

    def __init__(self, inner: Target, ranks: int) -> None:
        if not getattr(inner, "ranks_prompt", False):
            raise LogitSpecError(
                "This target tells no top-k within a prompt; use the stock runner."
            )
        self.inner, self.ranks = inner, ranks
        self.topk: list[TopK] = []
        self.after = UNKNOWN

    @property
    def length(self) -> int:
        return self.inner.length

    @property
    def limit(self) -> int:
        return self.inner.limit

    @property
    def eos_ids(self) -> Collection[int]:
        return self.inner.eos_ids

    @property
    def info(self) -> dict[str, Any]:
        return self.inner.info

    def prefill(self, ids: Sequence[int], sampling: Sampling = Sampling()) -> ForwardResult:
        asked: Any = self.inner  # `everywhere` is for targets with `ranks_prompt` only
        result: ForwardResult = asked.prefill(ids, sampling, everywhere=True)
        self.topk = []
        self._keep(result)
        return result

    def verify(self, tree: DraftTree) -> ForwardResult:
        result = self.inner.verify(tree)
        self._keep(result)
        return result

    def commit(self, path: Sequence[int]) -> None:
        self.inner.commit(path)

    def _keep(self, result: ForwardResult) -> None:
        self.topk += [top.head(self.ranks) for top in result.topk]
        self.after = result.choices[-1]


def record(
    target: Target,
    tokenizer: Any,
    prompts: Sequence[Example],
    max_new_tokens: int = 256,
    ranks: int = RANKS,
) -> Iterator[Recording]:
    """Recordings of the greedy outputs of `prompts`, their first turns, in the model's chat template.

    ranks: kept after each token of the output; a method whose trees take more of the last logits
    (`draft_tree_capacity` above it) wants more. Raises LogitSpecError before the first forward for
    a prompt that can't be decoded.
    """
    from logitspec.models import encode_prompt  # only here are the heavy packages wanted

    listener = Listener(target, ranks)
    greedy = Sampling()
    runs = []
    for prompt in prompts:
        try:
            ids = encode_prompt(tokenizer, prompt.prompt)
            runs.append(begin(listener, ids, "autoregressive", max_new_tokens, greedy, {}))
        except LogitSpecError as error:
            raise LogitSpecError(f"Prompt {prompt.question_id}: {error}") from error
    return (
        _recorded(listener, prompt, trace, drafter)
        for prompt, (trace, drafter) in zip(prompts, runs, strict=True)
    )


def _recorded(listener: Listener, prompt: Example, trace: Trace, drafter: Drafter) -> Recording:
    for _ in run(listener, drafter, trace):
        pass
    return recording_of(listener, prompt, trace)


def recording_of(listener: Listener, prompt: Example, trace: Trace) -> Recording:
    """What `listener` has kept of plain decoding of `prompt`, whose finished trace is `trace`."""
    return Recording(
        question_id=prompt.question_id,
        category=prompt.category,
        model=dict(listener.info),
        eos_ids=trace.eos_ids,
        limit=listener.limit,
        max_new_tokens=trace.max_new_tokens,
        prompt_ids=trace.prompt_ids,
        output_ids=trace.output_ids,
        after=listener.after,
        finish=trace.finish or "",
        topk=listener.topk,
    )


def prompts_in(path: str | Path = EXAMPLES, categories: Collection[str] = ()) -> list[Example]:
    """The questions of a JSON-lines file in Spec-Bench's form, of `categories` or of all."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        prompts = [_prompt(json.loads(line)) for line in lines if line.strip()]
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise LogitSpecError(
            f"{path} has a line that is no prompt ({type(error).__name__}: {error}); each is JSON with"
            " question_id, category and turns."
        ) from error
    known = sorted({prompt.category for prompt in prompts})
    if strange := sorted(set(categories) - set(known)):
        raise LogitSpecError(
            f"{path} has no category {strange[0]!r}; choose from {', '.join(known)}."
        )
    if not prompts:
        raise LogitSpecError(f"There is no prompt in {path}.")
    return [prompt for prompt in prompts if not categories or prompt.category in categories]


def _prompt(row: dict[str, Any]) -> Example:
    first, *later = row["turns"]
    return Example(row["question_id"], row["category"], row.get("title", ""), first, tuple(later))


# Replaying


class RecordedTarget:
    """A recording as `Target`: exact along the recorded text, silent beside it.

    The choice after a node whose path is not the recorded output is `UNKNOWN`, so that nothing below
    it is ever accepted, and its top-k is empty: what the model would have said there was never
    computed. The same holds beyond the end of the recording, where a run stops anyway.
    """

    ranks_prompt = True

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._text = [*recording.prompt_ids, *recording.output_ids, recording.after]
        self.length = 0
        self.limit = recording.limit
        self.eos_ids: Collection[int] = recording.eos_ids
        self.info = {**recording.model, "replayed": True}

    def prefill(
        self, ids: Sequence[int], sampling: Sampling = Sampling(), everywhere: bool = False
    ) -> ForwardResult:
        """Start over; `ids` must be the recorded prompt and `sampling` greedy."""
        if list(ids) != self._recording.prompt_ids or sampling.temperature > 0:
            raise LogitSpecError("A recording answers for its own prompt only, and greedily.")
        self.length = len(ids)
        topk = self._recording.topk[0 if everywhere else self.length - 1 : self.length]
        return ForwardResult([self._text[self.length]], topk, 0.0)

    def verify(self, tree: DraftTree) -> ForwardResult:
        """The recorded choices and top-k of the nodes that lie on the recorded text."""
        places = self._places(tree)
        choices = [self._after(place) for place in places]
        topk = [self._ranks(place).head(NODE_RANKS) for place in places]
        # As the runner: the row where acceptance ends has all its ranks.
        end = accept(tree, choices)[-1]
        topk[end] = self._ranks(places[end])
        return ForwardResult(choices, topk, 0.0)

    def commit(self, path: Sequence[int]) -> None:
        """`path` (nodes of the last tree, root first) is now part of the text."""
        self.length += len(path)

    def _places(self, tree: DraftTree) -> list[int]:
        """Position of each node, `OFF` for those whose path is not the recorded text."""
        places: list[int] = []
        for token, parent in zip(tree.tokens, tree.parents, strict=True):
            before = places[parent] if parent >= 0 else self.length - 1
            places.append(before + 1 if self._after(before) == token else OFF)
        return places

    def _after(self, place: int) -> int:
        known = 0 <= place < len(self._text) - 1
        return self._text[place + 1] if known else UNKNOWN

    def _ranks(self, place: int) -> TopK:
        known = 0 <= place < len(self._recording.topk)
        return self._recording.topk[place] if known else NOTHING


def replay(recording: Recording, method: str = DEFAULT_METHOD, **options: Any) -> Trace:
    """The trace of `method` with `options` on a recorded prompt, through the engine's own loop.

    Nothing is kept between calls: every replay is cold. Its verify and device seconds mean nothing;
    those of drafting and committing (observing) are real. Live, the last step may name another of
    two nodes of the same tokens, for it sees what would have followed the end.
    """
    target = RecordedTarget(recording)
    trace, drafter = begin(
        target, recording.prompt_ids, method, recording.max_new_tokens, Sampling(), options
    )
    for _ in run(target, drafter, trace):
        pass
    return trace


@dataclass(slots=True)
class Score:
    """What was counted over replays.

    steps: forwards of the target, prefill excluded. drafted, accepted: nodes, roots not counted.
    seconds: of drafting and observing.
    """

    prompts: int = 0
    tokens: int = 0
    steps: int = 0
    drafted: int = 0
    accepted: int = 0
    seconds: float = 0.0

    def add(self, trace: Trace) -> None:
        """Count one more run."""
        totals = trace.totals
        self.prompts += 1
        self.tokens += int(totals["tokens"])
        self.steps += int(totals["forwards"])
        self.drafted += int(totals["drafted"])
        self.accepted += int(totals["accepted"])
        self.seconds += sum(step.seconds.draft + step.seconds.commit for step in trace.steps)

    def to_json(self) -> dict[str, Any]:
        """Counts, and the means that are made of them."""
        return {
            **asdict(self),
            "seconds": round(self.seconds, 6),
            "mean_accepted_tokens": self.tokens / max(1, self.steps),
            "mean_drafted": self.drafted / max(1, self.steps),
            "acceptance_rate": self.accepted / max(1, self.drafted),
            "ms_per_step": 1000 * self.seconds / max(1, self.steps),
        }


@dataclass(frozen=True, slots=True)
class Variant:
    """A method with options, and its scores by category, `OVERALL` among them."""

    method: str
    options: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))

    @property
    def title(self) -> str:
        return " ".join([self.method, *(f"{name}={value}" for name, value in self.options.items())])

    def add(self, recording: Recording) -> None:
        """Replay one more recording."""
        trace = replay(recording, self.method, **self.options)
        for category in (recording.category, OVERALL):
            self.scores[category].add(trace)


def compare(recordings: Iterable[Recording], variants: Sequence[Variant]) -> None:
    """Replay every recording with every variant, whose scores grow."""
    for recording in recordings:
        for variant in variants:
            variant.add(recording)


def table(variants: Sequence[Variant]) -> str:
    """The scores side by side: per category, then overall."""
    width = max(len(variant.title) for variant in variants) + 2
    heads = ("prompts", "tokens", "steps", "MAT", "drafted", "accepted", "ms/step")
    lines = ["".join([" " * width, *(f"{head:>9}" for head in heads)])]
    categories = [name for name in variants[0].scores if name != OVERALL]
    for category in [*sorted(categories), OVERALL]:
        lines.append(category)
        lines += [
            f"  {variant.title:<{width - 2}}{_cells(variant.scores[category])}"
            for variant in variants
        ]
    return "\n".join(
        [
            *lines,
            "MAT: mean accepted tokens (tokens per target forward, root included, prefill excluded);"
            " drafted: nodes a step, without the root; accepted: of the drafted;"
            " ms/step: drafting and observing.",
        ]
    )


def _cells(score: Score) -> str:
    means = score.to_json()
    return (
        f"{score.prompts:>9}{score.tokens:>9}{score.steps:>9}{means['mean_accepted_tokens']:>9.3f}"
        f"{means['mean_drafted']:>9.1f}{means['acceptance_rate']:>9.1%}{means['ms_per_step']:>9.3f}"
    )


def document(variants: Sequence[Variant]) -> dict[str, Any]:
    """The scores as JSON values."""
    return {
        "methods": [
            {
                "method": variant.method,
                "options": make(variant.method, variant.options).options(),
                "scores": {name: score.to_json() for name, score in variant.scores.items()},
            }
            for variant in variants
        ]
    }


# The command


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what goes wrong is one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except LogitSpecError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logitspec.replay",
        description="Record what a model says once, then try methods on it in seconds.",
    )
    commands = parser.add_subparsers(required=True, metavar="record|run")
    making = commands.add_parser("record", help="decode prompts and keep what the model says")
    making.set_defaults(command=_record)
    making.add_argument("--out", required=True, metavar="FILE", help="recordings, .jsonl.gz")
    making.add_argument("--prompts", default=EXAMPLES, help="JSON lines (default: the examples)")
    making.add_argument("--category", nargs="+", default=[], help="(default: all)")
    making.add_argument("--max-new-tokens", type=int, default=256, help="(default: %(default)s)")
    making.add_argument(
        "--ranks", type=int, default=RANKS, help="kept of the last logits (default: %(default)s)"
    )
    making.add_argument("--model", default="builtin", help="builtin, a folder or a hub id")
    making.add_argument("--device", default="auto", help="auto, cpu, cuda ...")
    making.add_argument(
        "--dtype", default="auto", help="auto, fastest, float32, bfloat16, float16, float64"
    )

    trying = commands.add_parser("run", help="replay methods on recordings")
    trying.set_defaults(command=_run)
    trying.add_argument("file", help="what `record` wrote")
    trying.add_argument(
        "--method",
        dest="asked",
        action="append",
        type=lambda name: ("method", name),
        metavar="NAME",
        help=f"one of {', '.join(METHODS)}; repeat to compare (default: {DEFAULT_METHOD})",
    )
    trying.add_argument(
        "--option",
        dest="asked",
        action="append",
        type=lambda pair: ("option", pair),
        metavar="name=value",
        help="of the method named before it; of every method where none was named yet",
    )
    trying.add_argument("--json", metavar="OUT", help="also write the numbers to a file")
    return parser


def _record(options: argparse.Namespace) -> None:
    from logitspec.models import load

    prompts = prompts_in(options.prompts, options.category)
    if not 1 <= options.ranks <= 128:
        raise LogitSpecError(f"--ranks must be from 1 to 128; got {options.ranks}.")
    target, tokenizer = load(options.model, options.device, options.dtype)
    made = record(target, tokenizer, prompts, options.max_new_tokens, options.ranks)
    save(tqdm(made, "record", len(prompts), unit=" prompts"), options.out)


def _run(options: argparse.Namespace) -> None:
    variants = _variants(options.asked or [])
    compare(tqdm(read(options.file), "replay", unit=" prompts", disable=None), variants)
    print(table(variants))
    line = dumps(document(variants))
    if options.json:
        write(options.json, line)
    print(line)


def write(path: str | Path, line: str) -> None:
    """Keep one line of JSON in a file; LogitSpecError where that can't be."""
    try:
        Path(path).write_text(line + "\n", encoding="utf-8")
    except OSError as error:
        raise LogitSpecError(f"Can't write {path} ({error.strerror}).") from error


def _variants(asked: Sequence[tuple[str, str]]) -> list[Variant]:
    """What the command line asks for: an option is of the method before it, or else of all."""
    shared: list[str] = []
    named: list[tuple[str, list[str]]] = []
    for kind, text in asked:
        if kind == "method":
            named.append((text, []))
        else:
            (named[-1][1] if named else shared).append(text)
    return [variant(name, shared + own) for name, own in named or [(DEFAULT_METHOD, [])]]


def variant(method: str, pairs: Sequence[str]) -> Variant:
    """The method with its options read from "name=value"; LogitSpecError for what it has not."""
    fields = option_fields(METHODS[method]) if method in METHODS else []
    kinds = {each.name: type(each.default) for each in fields}
    options = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise LogitSpecError(f"An option wants name=value; got {pair!r}.")
        options[name] = _value(kinds.get(name, str), text)
    make(method, options)  # before any replay
    return Variant(method, options)


def _value(kind: type, text: str) -> Any:
    """`text` as `kind`; as it is where it is none, for the method says best what it wants."""
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
