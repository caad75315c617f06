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
    """A target model with one text in its KV cache; the base class of all targets.

    length: verified tokens, which are the rows in the KV cache. limit: positions that the model can
    hold. eos_ids: tokens that end a text. info: what the trace says about the model: id, revision,
    dtype, device, and under "environment" versions and how it runs. costs: what its forwards cost,
    None until measured. owner: the run whose text it holds.
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
        """All but the lock: a copy is another target, with its own lock."""
        return {name: value for name, value in vars(self).items() if name != "_in_use"}

    @abstractmethod
    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = False
    ) -> ForwardResult:
        """Forget the old text and read `ids`; return the choice and the top-k after the last id.

        everywhere: return a top-k after each of the ids, if the target can; they count as given when
        there are as many as ids.
        """

    def launch(self, tree: DraftTree) -> bool:
        """Begin the forward over `tree` that `verify` will ask for, without waiting for it; False if nothing is
        gained by that."""
        return False

    @abstractmethod
    def verify(self, tree: DraftTree) -> ForwardResult:
        """One forward over the whole tree after the verified text; refines `costs`."""

    @abstractmethod
    def commit(self, path: Sequence[int]) -> None:
        """Keep the cache rows of `path` (nodes of the last tree, root first) and drop the others."""

    def claim(self, run: str) -> None:
        """Give the target to `run`, as soon as no other thread is in the middle of a step. The run that
        had it before is refused at its next step, because its text is gone."""
        with self._in_use:
            self.owner = run

    @contextmanager
    def used_by(self, run: str) -> Iterator[None]:
        """A context, held for one step or prefill, in which no other run can claim the target. Raises
        LogitSpecError if another has claimed it since `run` did."""
        with self._in_use:
            if self.owner != run:
                raise LogitSpecError(
                    "Another run has since used this target; finish one run before the next, or load"
                    " the model twice."
                )
            yield

    def reserve(self, rows: int, more: int) -> None:
        """Get ready for a text of `rows` tokens that may grow by `more`. May forget the old text."""
        return

    def measure_costs(self) -> ForwardCosts | None:
        """`costs`, measured now if they are not known yet, which forgets the text; None if they can't
        be measured."""
        return self.costs

    def with_new_cache(self) -> Target:
        """Another target over the same weights, with a text of its own, for the same thread.

        Raises LogitSpecError if the weights serve one text only.
        """
        raise LogitSpecError(
            "This target holds one text at a time; load the model once for each lane of a race."
        )
