"""Runs of the contenders, and where their outputs differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from logitspec.drafters import METHODS
from logitspec.trace.records import Trace

REFERENCE = "autoregressive"
OURS = "logitspec"
CONTENDERS = (REFERENCE, *(name for name in METHODS if name != REFERENCE))
BASELINE = "transformers"
BASELINES: dict[str, dict[str, Any]] = {
    BASELINE: {},
    "transformers_prompt_lookup": {"prompt_lookup_num_tokens": 10},
}
MAX_TIE = 0.05  # in probability, between the best two tokens


@dataclass(slots=True)
class Outcome:
    """One run on one prompt.

    forwards: of the target. seconds: wall time, prefill included; 0 where nothing was timed. trace: of our own
    methods. replayed: on a transcript.
    """

    output_ids: list[int]
    forwards: int
    prefill_seconds: float
    seconds: float
    trace: Trace | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Contender:
    """A method with options, or a baseline: `decode(prompt_ids, max_new_tokens)` runs it once.

    prefilled: tokens that come with its prefill, whose time is then known only by its median.
    """

    title: str
    method: str
    options: dict[str, Any]
    decode: Callable[[list[int], int], Outcome]
    prefilled: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run as it enters the figures.

    method: title of the contender. turn, repeat: from 0. tokens: emitted. timed_tokens: those emitted
    in `decode_seconds`. forwards: of the target. drafted, accepted: nodes, roots not counted, and
    forward_seconds: the part of decoding spent in forwards, with their masks and top-k; these three for
    our own methods only. replayed: counts come from a transcript. Times are 0 where nothing was timed.
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
    replayed: bool = False

    @property
    def timed(self) -> bool:
        return self.prefill_seconds > 0


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the output of `method` leaves that of our plain decoding.

    position: of the first differing token, counted in new tokens from 0. margin: by how much plain
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
        return self.margin is None or self.margin > MAX_TIE

    def __str__(self) -> str:
        what = "a fault" if self.fault else "a numerical tie"
        why = "one output ends" if self.margin is None else f"margin {self.margin:.3g}"
        place = f"prompt {self.question_id}, turn {self.turn + 1}, new token {self.position}"
        return f"{self.method} differs from {REFERENCE}: {place}, {why}: {what}"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "fault": self.fault}


@dataclass(slots=True)
class Part:
    """The results of one process. left_out: [question id, turn] of prompts beyond the model's context."""

    measurements: list[Measurement] = field(default_factory=list)
    divergences: list[Divergence] = field(default_factory=list)
    left_out: list[list[int]] = field(default_factory=list)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Part:
        """The results in a document that has every run."""
        names = Divergence.__slots__
        return cls(
            [Measurement(**each) for each in data["measurements"]],
            [Divergence(**{name: each[name] for name in names}) for each in data["divergences"]],
            data["left_out"],
        )

    def questions(self) -> set[int]:
        """Ids of the prompts that are done, including those left out."""
        return {each.question_id for each in self.measurements} | {id_ for id_, _ in self.left_out}


def merge(parts: Sequence[Part]) -> Part:
    """The parts of all processes as one."""
    whole = Part()
    for part in parts:
        whole.measurements += part.measurements
        whole.divergences += part.divergences
        whole.left_out += part.left_out
    return whole
