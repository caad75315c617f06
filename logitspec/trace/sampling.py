"""How a target chooses its tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from logitspec.errors import LogitSpecError

EXACT = 2**53  # below this, JavaScript's numbers hold every whole number exactly
SEEDS = 2**63  # the number of seeds, from 0 on


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the target chooses: the argmax at temperature 0, otherwise a draw fixed by seed and position.

    top_k: tokens that may be drawn, 0 for all; top_p applies to what top_k leaves. repetition_penalty: how
    much less likely a token is that is already in the text, 1 for not at all; it is applied first.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    top_k: int = 0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.temperature, bool) or not isinstance(self.temperature, (int, float)):
            raise LogitSpecError(f"Temperature must be a number; got {self.temperature!r}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise LogitSpecError(f"Seed must be a whole number; got {self.seed!r}.")
        if isinstance(self.top_p, bool) or not isinstance(self.top_p, (int, float)):
            raise LogitSpecError(f"top_p must be a number; got {self.top_p!r}.")
        if not 0.0 <= self.temperature <= 10.0:
            raise LogitSpecError(
                f"Temperature {self.temperature} is out of range; choose 0 (greedy) to 10."
            )
        if not 0.0 < self.top_p <= 1.0:
            raise LogitSpecError(f"top_p {self.top_p} is out of range; choose above 0 and up to 1.")
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or self.top_k < 0:
            raise LogitSpecError(
                f"top_k must be a whole number, 0 for all tokens; got {self.top_k!r}."
            )
        penalty = self.repetition_penalty
        if isinstance(penalty, bool) or not isinstance(penalty, (int, float)):
            raise LogitSpecError(f"A repetition penalty must be a number; got {penalty!r}.")
        if not 0.0 < penalty <= 100.0:
            raise LogitSpecError(
                f"A repetition penalty of {penalty} is out of range; choose above 0 and up to 100."
            )
        if not 0 <= self.seed < SEEDS:
            raise LogitSpecError(f"Seed {self.seed} is out of range; choose 0 to 2^63 - 1.")

    def to_json(self) -> dict[str, Any]:
        """The fields by name; the penalty only if there is one. A seed that a page would round is a string."""
        fields = asdict(self)
        if self.seed >= EXACT:
            fields["seed"] = str(self.seed)
        if self.repetition_penalty == 1.0:
            del fields["repetition_penalty"]
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Sampling:
        """The inverse of `to_json`."""
        return cls(**{**fields, "seed": int(fields.get("seed", 0))})


GREEDY = Sampling()
