"""Work on a loaded model, in the process that has the GPU.

Worker.run (here)  -- name, costs, work, arguments -->  zerogpu  -->  _work (where the GPU is)
                   <-- the values of the work; last its result and the forward costs --
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.serving import zerogpu
from logitspec.serving.models import LoadedModels
from logitspec.serving.thread import HungError, ModelThread
from logitspec.trace.costs import ForwardCosts

log = logging.getLogger(__name__)


class Worker:
    """Runs generator functions of plain data on models, in this process or through ZeroGPU."""

    def __init__(self, models: LoadedModels) -> None:
        self._models = models
        self._thread = ModelThread()
        self._beyond = zerogpu.boundary(self._work)
        self._costs: dict[str, ForwardCosts] = {}  # by model, measured in the process with the GPU

    def run(
        self,
        name: str,
        seconds: float,
        left: Callable[[], float],
        work: zerogpu.Work,
        *arguments: Any,
    ) -> Generator[Any, None, Any]:
        """Yield and return what `work(target, tokenizer, *arguments)` does, on the model `name`.

        seconds: of GPU time to request on ZeroGPU, which enforces them itself. left: the seconds that a step
        may take without it. Raises LogitSpecError, also for a step that takes longer: then its thread is
        abandoned, and the model is reloaded when it is next needed.
        """
        results = self._beyond(seconds, name, self._costs.get(name), work, *arguments)
        try:
            value, costs = yield from self._thread.steps(
                results, (lambda: None) if zerogpu.HERE else left
            )
        except HungError:
            log.error("a forward of %s hangs; the model is being reloaded", name)
            self._models.forget(name)
            raise LogitSpecError(
                "The model stopped responding, so this run was ended; the model is being reloaded:"
                " run it again."
            ) from None
        if costs is not None:
            self._costs[name] = costs
        return value

    def _work(
        self, name: str, costs: ForwardCosts | None, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, tuple[Any, ForwardCosts | None]]:
        """The result of the work, and the costs of forwards in its process."""
        target, tokenizer, _ = self._models.load(name)
        if not zerogpu.HERE:
            with self._models.lend(name) as lent:
                return (yield from work(lent, tokenizer, *arguments)), None
        target = target.with_new_cache()  # the old cache's buffers were allocated without a GPU
        target.costs = costs
        target.measure_costs()
        value = yield from work(target, tokenizer, *arguments)
        return value, target.costs
