"""What the engine asks of a target model, in plain ints and floats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, TypeVar

from logitspec.errors import LogitSpecError
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.results import ForwardResult
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree

Kind = TypeVar("Kind", bound="Target")


class Target(ABC):
    """A target model with one text in its KV cache; whatever can be a target inherits from this.

    length: verified tokens, which are the rows in the KV cache. limit: positions that the model can
    hold. eos_ids: tokens that end a text. info: what the trace says about the model: id, revision,
    dtype, device, and under "environment" versions and how it runs. costs: what its forwards cost,
    None until they are measured. owner: the run whose text it holds.
    """

    length: int = 0
    limit: int
    eos_ids: Collection[int]
    info: dict[str, Any]
    costs: ForwardCosts | None = None
    owner: str = ""
    _in_use: RLock

    def __new__(cls: type[Kind], *arguments: Any, **options: Any) -> Kind:
        target = super().__new__(cls)
        target._in_use = RLock()
        return target

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock: a copy is another target, with a lock of its own."""
        return {name: value for name, value in vars(self).items() if name != "_in_use"}

    @abstractmethod
    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = False
    ) -> ForwardResult:
        """Forget the old text and read `ids`; the choice and the top-k after the last id.

        everywhere: a top-k after each of the ids, where the target can give one; all of them count as
        given when there are as many as ids.
        """

    def launch(self, tree: DraftTree) -> bool:
        """Begin the forward over `tree` that `verify` will ask for, and don't wait for it; False where nothing is
        won by that."""
        return False

    @abstractmethod
    def verify(self, tree: DraftTree) -> ForwardResult:
        """One forward over the whole tree behind the verified text; refines `costs`."""

    @abstractmethod
    def commit(self, path: Sequence[int]) -> None:
        """Keep the cache rows of `path` (nodes of the last tree, root first), drop the others."""

    def claim(self, run: str) -> None:
        """Give the target to `run`, as soon as no other thread is in the middle of a step. The run that
        had it before is refused at its next step, for its text is gone."""
        with self._in_use:
            self.owner = run

    @contextmanager
    def used_by(self, run: str) -> Iterator[None]:
        """Within this, for as long as one step takes, no other run can claim the target. Raises
        LogitSpecError where one has since `run` did."""
        with self._in_use:
            if self.owner != run:
                raise LogitSpecError(
                    "Another run has used this target meanwhile; finish one run before the next, or load"
                    " the model twice."
                )
            yield

    def reserve(self, rows: int, more: int) -> None:
        """Get ready for a text of `rows` tokens that may grow by `more`. May forget the old text."""
        return

    def measure_costs(self) -> ForwardCosts | None:
        """`costs`, measured now if they are not known yet, which forgets the text; None where nobody
        can say what a forward costs."""
        return self.costs

    def with_new_cache(self) -> Target:
        """Another target over the same weights, with a text of its own, for the same thread.

        Raises LogitSpecError where the weights serve one text only.
        """
        raise LogitSpecError(
            "This target holds one text at a time; load the model once for each lane of a race."
        )
