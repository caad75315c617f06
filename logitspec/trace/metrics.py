"""A trace in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from logitspec.trace.records import StepRecord, Trace, origins


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run, or a part of it, amounts to.

    tokens: emitted. forwards: of the target, prefill not counted. mean_accepted_tokens: tokens
    emitted per forward, root included, prefill excluded (Spec-Bench's definition). drafted =
    accepted + rejected + uncompared, roots not counted. acceptance_rate: accepted / drafted.
    seconds: wall time of decoding, prefill excluded. device_seconds: the part spent in forwards.
    share: of the emitted tokens, by origin.
    """

    tokens: int
    forwards: int
    mean_accepted_tokens: float
    drafted: int
    accepted: int
    rejected: int
    uncompared: int
    acceptance_rate: float
    seconds: float
    device_seconds: float
    prefill_seconds: float
    tokens_per_second: float
    share: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def summarize(trace: Trace, steps: Sequence[StepRecord] | None = None) -> Summary:
    """The numbers of `steps`, or of all steps of `trace`."""
    steps = trace.steps if steps is None else steps
    states = Counter(state for step in steps for state in step.states()[1:])
    tokens = sum(len(step.path) for step in steps)
    drafted = sum(states.values())
    seconds = sum(step.seconds.wall for step in steps)
    by_origin = Counter(origins(steps))
    return Summary(
        tokens=tokens,
        forwards=len(steps),
        mean_accepted_tokens=_ratio(tokens, len(steps)),
        drafted=drafted,
        accepted=states["accepted"],
        rejected=states["rejected"],
        uncompared=states["uncompared"],
        acceptance_rate=_ratio(states["accepted"], drafted),
        seconds=seconds,
        device_seconds=sum(step.seconds.device for step in steps),
        prefill_seconds=trace.prefill_seconds,
        tokens_per_second=_ratio(tokens, seconds),
        share={origin: count / tokens for origin, count in by_origin.items()},
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
