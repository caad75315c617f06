"""What the engine asks of a target model, in plain ints and floats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from logitspec.errors import LogitSpecError
from logitspec.tree import DraftTree


@dataclass(frozen=True, slots=True)
class TopK:
    """The best token ids of one distribution and their probabilities at temperature 1, best first."""

    ids: list[int]
    probs: list[float]

    def __len__(self) -> int:
        return len(self.ids)

    def rank(self, token: int) -> int | None:
        """Rank of `token` (0 is the most probable), or None when it is not among the best."""
        return self.ids.index(token) if token in self.ids else None

    def head(self, k: int) -> TopK:
        """The first `k`."""
        return self if len(self.ids) <= k else TopK(self.ids[:k], self.probs[:k])


@dataclass(slots=True)
class ForwardResult:
    """One target forward over a tree.

    choices: the target's token after each node (its argmax, or its draw).
    topk: the best tokens after each node: 8 of them, and many more after the last accepted node.
    seconds: time on the device.
    """

    choices: list[int]
    topk: list[TopK]
    seconds: float


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the target chooses: the argmax at temperature 0, otherwise a draw fixed by seed and position.

    top_k: tokens that may be drawn, 0 for all; top_p is of what they leave.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    top_k: int = 0

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
        if not 0 <= self.seed < 2**63:
            raise LogitSpecError(f"Seed {self.seed} is out of range; choose 0 to 2^63 - 1.")


class Target(Protocol):
    """A target model with one sequence in its KV cache."""

    @property
    def length(self) -> int:
        """Rows in the KV cache: the verified tokens."""
        ...

    @property
    def limit(self) -> int:
        """Positions that the model can hold."""
        ...

    @property
    def eos_ids(self) -> Collection[int]:
        """Tokens that end the text."""
        ...

    @property
    def info(self) -> dict[str, Any]:
        """What the trace says about it: id, revision, dtype, device, versions."""
        ...

    def prefill(self, ids: Sequence[int], sampling: Sampling = ...) -> ForwardResult:
        """Forget the old sequence, read `ids`; one choice and one top-k, those after the last id.

        A target with the attribute `ranks_prompt` takes `everywhere=True` and then gives a top-k for
        each of the ids. One with a method `expect(rows, more)` is told before how long the text is, and how
        many tokens may follow.
        """
        ...

    def verify(self, tree: DraftTree) -> ForwardResult:
        """One forward over the whole tree behind the cached prefix."""
        ...

    def commit(self, path: Sequence[int]) -> None:
        """Keep the cache rows of `path` (nodes of the last tree, root first), drop the others."""
        ...
