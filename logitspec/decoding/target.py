"""What the engine asks of a target model, in plain ints and floats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from logitspec.trace.results import ForwardResult
from logitspec.trace.sampling import Sampling
from logitspec.trace.tree import DraftTree


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
