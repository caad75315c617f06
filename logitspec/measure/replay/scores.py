"""Methods with options, what is counted over their replays, and the table of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from logitspec.drafters import METHODS, make, option_fields
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.recording import Recording
from logitspec.measure.replay.target import replay
from logitspec.trace.records import Trace

OVERALL = "overall"


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

    def include(self, other: Score) -> None:
        """Count what `other` counted."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def mean_accepted_tokens(self) -> float:
        """Tokens per target forward, root included, prefill excluded."""
        return self.tokens / max(1, self.steps)

    @property
    def mean_drafted(self) -> float:
        """Nodes a step, without the root."""
        return self.drafted / max(1, self.steps)

    def to_json(self) -> dict[str, Any]:
        """Counts, and the means that are made of them."""
        return {
            **asdict(self),
            "seconds": round(self.seconds, 6),
            "mean_accepted_tokens": self.mean_accepted_tokens,
            "mean_drafted": self.mean_drafted,
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
