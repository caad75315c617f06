"""Work on a loaded model, in the process that has the GPU.

Worker.run (here)  -- name, costs, work, arguments -->  zerogpu  -->  _work (where the GPU is)
                   <-- what the work yields; last its value and the costs of forwards --
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from logitspec.serving import zerogpu
from logitspec.serving.models import LoadedModels
from logitspec.trace.costs import ForwardCosts


class Worker:
    """Runs generator functions of plain data on models, in this process or through ZeroGPU."""

    def __init__(self, models: LoadedModels) -> None:
        self._models = models
        self._beyond = zerogpu.boundary(self._work)
        self._costs: dict[str, ForwardCosts] = {}  # by model, measured in the process with the GPU

    def run(
        self, name: str, seconds: float, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, Any]:
        """What `work(target, tokenizer, *arguments)` yields and returns, on the model `name`.

        seconds: of GPU time to request on ZeroGPU. Raises LogitSpecError.
        """
        results = self._beyond(seconds, name, self._costs.get(name), work, *arguments)
        value, costs = yield from results
        if costs is not None:
            self._costs[name] = costs
        return value

    def _work(
        self, name: str, costs: ForwardCosts | None, work: zerogpu.Work, *arguments: Any
    ) -> Generator[Any, None, tuple[Any, ForwardCosts | None]]:
        """The result of the work, and the costs of forwards in its process."""
        target, tokenizer, _ = self._models.load(name)
        if not zerogpu.HERE:
            return (yield from work(target, tokenizer, *arguments)), None
        target = target.with_new_cache()  # the old cache's buffers were allocated without a GPU
        target.costs = costs
        target.measure_costs()
        value = yield from work(target, tokenizer, *arguments)
        return value, target.costs
