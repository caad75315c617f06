"""The device side of a step: masks, positions, KV cache, one forward, commit.

Any attention-only stock transformers model can be the target; `forward.py` has the seam behind which
its logits are computed. Nothing but ints and floats goes to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.runtime.cache import PrefixCache
from logitspec.runtime.changes import state_of
from logitspec.runtime.draws import pick
from logitspec.runtime.forward import Forward, StockForward
from logitspec.runtime.graphs import Capture, CaptureError
from logitspec.runtime.ranks import HostCopy, pack_ranks, topk, unpack_ranks, upcast
from logitspec.runtime.repetition import penalise
from logitspec.runtime.replay import ReplayedForward
from logitspec.runtime.shapes import BUCKETS
from logitspec.runtime.timing import fitting_sizes, forward_seconds, some_tree
from logitspec.trace.costs import SIZES, ForwardCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree, accept

PREFILL_ROWS = 512
NODE_RANKS = 16
LAST_RANKS = 128
MEASURING = "measuring"  # an owner that is not a run
AS_CHANGED = {"forward": "stock", "graphs": "none", "kernels": "none", "exact": "no"}
"""How a changed model runs, by the names in an environment."""


class Launched(NamedTuple):
    """A forward handed to the device. started: time by `perf_counter`. read: waits for the choice and the best
    tokens after each node of `tree`."""

    tree: DraftTree
    started: float
    read: Callable[[], tuple[list[int], list[TopK]]]


class Runner(Target):
    """A transformers model as a `Target`. It holds one text at a time; its buffers outlive the text.

    model: a causal language model in eval mode. windows: by layer type, how many positions a row
    attends to, itself included (None: all). eos_ids: ids that end a text. limit: positions that the
    model can hold. info: what the trace says about the model.
    """

    def __init__(
        self,
        model: Any,
        windows: dict[str, int | None],
        eos_ids: Collection[int],
        limit: int,
        info: dict[str, Any],
    ) -> None:
        self.model = model
        self.windows = windows
        self.eos_ids = frozenset(eos_ids)
        self.limit = limit
        self.info = info
        self.sampling = GREEDY
        self.vocabulary_size: int = model.config.get_text_config().vocab_size
        self.replay: ReplayedForward | None = None
        self.renew: Callable[[], Runner] | None = None
        """Makes another target over the model as it is now, for a text that begins after the model was changed."""
        self.improve: Callable[[Runner], None] | None = None
        """Called between texts, when something that makes the target faster may have become ready."""
        self.at_best_shape: Callable[[], Runner] | None = None
        """Makes another target, which takes the fastest shape for each number of rows; None where this one
        already does."""
        self._device = model.get_input_embeddings().weight.device
        self._to_host = HostCopy()
        self._text: set[int] = set()
        self._tokens: Sequence[int] = ()  # of the last tree
        self._launched: Launched | None = None
        self.use_forward(StockForward(model, windows))

    def use_forward(self, forward: Forward) -> None:
        """Take logits from `forward` from now on. Forgets the text and the measured costs."""
        self.forward = forward
        self.replay = self.costs = None
        self._state = state_of(self.model)

    def enable_replay(self, capture: Capture, sizes: Sequence[int] = BUCKETS) -> None:
        """Run trees through forwards of fixed shapes from now on, each captured once by `capture`.

        sizes: the row counts. If a capture fails, the forward runs as before, and the trace's environment
        says why.
        """
        self.replay = ReplayedForward(self.forward, self._device, capture, LAST_RANKS, sizes)
        self.costs = None

    def disable_replay(self, reason: str) -> None:
        """Launch every forward without replay from now on; the trace's environment gives the reason."""
        self.replay = self.costs = None
        self._cache.leaves_moves = False
        self.info["environment"]["graphs"] = f"none: {reason}"

    @property
    def replays(self) -> bool:
        """Whether trees go through captured forwards."""
        return self.replay is not None

    def claim(self, run: str) -> None:
        super().claim(run)
        with self.used_by(run):
            if state_of(self.model) != self._state:
                self._take_changes()
            if self.improve is not None:
                self.improve(self)

    def _take_changes(self) -> None:
        """Read the model as it is now. Packed weights, captures and costs are out of date, so all are dropped."""
        if self.renew is None:
            raise LogitSpecError(
                "The model has been changed since this target was made from it; make another target."
            )
        now = self.renew()
        self.windows, self.eos_ids, self.limit = now.windows, now.eos_ids, now.limit
        self.vocabulary_size = now.vocabulary_size
        self.improve = self.at_best_shape = None
        self._tell_changes(now.info)
        self.use_forward(now.forward)

    def _tell_changes(self, now: dict[str, Any]) -> None:
        """Have `info` say of the changed model what is true of it. Its name and revision stay."""
        environment = self.info["environment"]
        environment.pop("dtype", None)  # which was the fastest one
        for name, word in AS_CHANGED.items():
            if name in environment or name == "forward":
                environment[name] = f"{word}: the model has been changed since it was loaded"
        if now["attention"] != self.info.get("attention"):
            self.info.pop("attention_reason", None)
        self.info.pop("context", None)
        changed = ("dtype", "device", "parameters", "attention", "context")
        self.info.update({name: now[name] for name in changed if name in now})

    def with_new_cache(self) -> Runner:
        """Another target over the same weights, with its own text, owner and captures."""
        other = copy(self)
        other.owner, other.improve, other._launched = "", None, None
        other._to_host = HostCopy()
        other.forward = copy(self.forward)
        other.forward.cache = PrefixCache(len(self._cache.layers))
        if self.replay is not None:
            other.replay = ReplayedForward(
                other.forward, self._device, self.replay.capture, LAST_RANKS, self.replay.sizes
            )
        return other

    @property
    def _cache(self) -> PrefixCache:
        return self.forward.cache

    @property
    def length(self) -> int:
        return self._cache.length

    @length.setter
    def length(self, rows: int) -> None:
        self._cache.length = rows

    def measure_costs(self) -> ForwardCosts:
        """Time forwards over 1 to 128 rows, unless `costs` has them. Takes a fraction of a second for a small
        model, and forgets the text."""
        if self.costs is None:
            self.claim(MEASURING)
            with self.used_by(MEASURING):
                padded = self.replays
                sizes = fitting_sizes(self, SIZES if self.replay is None else self.replay.sizes)
                seconds = forward_seconds(self, self.vocabulary_size, sizes)
                # A capture may have failed during the measurement.
                self.costs = ForwardCosts(sizes, seconds, padded and self.replays)
        return self.costs

    @torch.inference_mode()
    def reserve(self, rows: int, more: int) -> None:
        """Capture what a text of `rows` tokens and a few hundred of the `more` that may follow will
        need, so that no step has to. Forgets the text."""
        if self.replay is None:
            return
        if not self._cache.has_buffers:
            self.prefill([0])
        self._cache.length = 0
        try:
            self.replay.reserve(rows, more, self.limit)
        except CaptureError as error:
            self.disable_replay(str(error))

    @torch.inference_mode()
    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = False
    ) -> ForwardResult:
        """Forget the old text and read `ids`; returns one choice and one top-k, those after the last id.

        everywhere: also a top-k of NODE_RANKS after each of the ids, which runs the model's head over
        all of them.
        """
        if not all(0 <= token < self.vocabulary_size for token in ids):
            raise LogitSpecError(
                f"The prompt has token ids outside the model's vocabulary of {self.vocabulary_size};"
                " encode it with the model's own tokenizer."
            )
        started = perf_counter()
        self.sampling, self._launched = sampling, None
        self._cache.begin(len(ids))
        best: list[TopK] = []
        for first in range(0, len(ids), PREFILL_ROWS):
            part = list(ids[first : first + PREFILL_ROWS])
            depths = np.arange(len(part))
            logits = upcast(self.forward(part, depths, None, rows=len(part) if everywhere else 1))
            self._cache.length += len(part)
            if everywhere:
                best += topk(logits, NODE_RANKS)
        self._text = set(ids)
        last = self._penalised(logits[-1:], [[]])
        choices = pick(last, [len(ids)], sampling).tolist()
        best = best[:-1] + topk(last, LAST_RANKS)
        return ForwardResult(choices, best, perf_counter() - started)

    @torch.inference_mode()
    def launch(self, tree: DraftTree) -> bool:
        """Begin the forward over `tree` if it is replayed; `verify` then waits for it."""
        self._launched = self._begin(tree) if self.replays else None
        return self._launched is not None

    @torch.inference_mode()
    def verify(self, tree: DraftTree) -> ForwardResult:
        """One forward over the whole tree after the cached prefix."""
        launched, self._launched = self._launched, None
        if launched is None or launched.tree is not tree:
            self._check_costs(tree)
            launched = self._begin(tree)
        choices, best = launched.read()
        seconds = perf_counter() - launched.started
        if self.costs is not None:
            self.costs.observe(len(tree), seconds)
        return ForwardResult(choices, best, seconds)

    def _begin(self, tree: DraftTree) -> Launched:
        """Give the device all the work for `tree`."""
        if not 0 <= min(tree.tokens) <= max(tree.tokens) < self.vocabulary_size:
            raise LogitSpecError(
                f"The draft has token ids outside the model's vocabulary of {self.vocabulary_size}; draft others."
            )
        started = perf_counter()
        depths = self._depths(tree)
        logits, packed = self._logits(tree, depths)
        if self.sampling.repetition_penalty != 1.0:
            paths = [[tree.tokens[node] for node in path] for path in tree.ancestors()]
            logits = self._penalised(upcast(logits), paths)
            packed = None if packed is None else pack_ranks(logits, LAST_RANKS)
        if packed is None:
            return Launched(tree, started, partial(self._read, logits, tree, depths))
        if self.sampling.temperature > 0:
            packed[:, 0] = pick(logits, self._draw_positions(depths), self.sampling)
        return Launched(
            tree, started, partial(self._read_packed, self._to_host.begin(packed), tree)
        )

    def _check_costs(self, tree: DraftTree) -> None:
        """Before a step's own forward, time one over a row count that `costs` doubt, if any. Captured forwards
        are left alone, as a new size would have to be captured first."""
        rows = None if self.costs is None or self.replays else self.costs.doubtful
        if self.costs is None or rows is None or self.length + rows > self.limit:
            return
        other = some_tree(tree.tokens, rows)
        started = perf_counter()
        depths = self._depths(other)
        self._read(self._logits(other, depths)[0], other, depths)
        self.costs.measure_again(perf_counter() - started)

    @torch.inference_mode()
    def commit(self, path: Sequence[int]) -> None:
        """Keep the cache rows of `path` (nodes of the last tree, root first), drop the others."""
        self._gather(path)
        self._cache.length += len(path)
        self._text.update(self._tokens[node] for node in path)

    @torch.inference_mode()
    def tree_logits(self, tree: DraftTree) -> torch.Tensor:
        """Upcast logits [nodes, vocabulary] of the forward over `tree`, valid until the next forward."""
        return upcast(self._logits(tree, self._depths(tree))[0])

    def _logits(
        self, tree: DraftTree, depths: npt.NDArray[np.integer]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Logits [nodes, vocabulary], and their `pack_ranks` where one copy to the host pays; without it the
        logits are upcast."""
        self._tokens = tree.tokens
        ancestors = self._ancestor_mask(tree)
        if self.replay is not None and len(tree) <= self.replay.MAX_ROWS:
            try:
                return self.replay(tree.tokens, depths, ancestors)
            except CaptureError as error:
                self.disable_replay(str(error))
        self._cache.settle()
        self._cache.make_room(self.length + len(tree))
        logits = upcast(self.forward(tree.tokens, depths, ancestors, rows=len(tree)))
        return logits, pack_ranks(logits, LAST_RANKS) if logits.is_cuda else None

    def _read(
        self, logits: torch.Tensor, tree: DraftTree, depths: npt.NDArray[np.integer]
    ) -> tuple[list[int], list[TopK]]:
        """The choice and the best tokens after each node."""
        choices: list[int] = pick(logits, self._draw_positions(depths), self.sampling).tolist()
        best = topk(logits, NODE_RANKS)
        # The next draft starts from the row where acceptance ends, so that row gets more ranks.
        end = accept(tree, choices)[-1]
        best[end] = topk(logits[end : end + 1], LAST_RANKS)[0]
        return choices, best

    def _read_packed(
        self, wait: Callable[[], npt.NDArray[np.int32]], tree: DraftTree
    ) -> tuple[list[int], list[TopK]]:
        """The same, from the `pack_ranks` of the logits, with a single wait for the device."""
        rows = wait()
        choices: list[int] = rows[:, 0].tolist()
        best = unpack_ranks(rows, NODE_RANKS)
        end = accept(tree, choices)[-1]
        best[end] = unpack_ranks(rows[end : end + 1], LAST_RANKS)[0]
        return choices, best

    def _penalised(self, logits: torch.Tensor, paths: Sequence[Sequence[int]]) -> torch.Tensor:
        """`logits` with the repetition penalty of `sampling` for the text and, in each row, the tokens of a path."""
        penalty = self.sampling.repetition_penalty
        return logits if penalty == 1.0 else penalise(logits, penalty, self._text, paths)

    # Overridden by tests that plant a fault.

    def _gather(self, path: Sequence[int]) -> None:
        self._cache.gather(path)

    def _depths(self, tree: DraftTree) -> npt.NDArray[np.integer]:
        return np.array(tree.depths())

    def _draw_positions(self, depths: npt.NDArray[np.integer]) -> list[int]:
        return [int(position) for position in self.length + depths + 1]

    def _ancestor_mask(self, tree: DraftTree) -> npt.NDArray[np.bool_]:
        """[nodes, nodes]: which nodes a node attends to, its ancestors and itself."""
        rows = [1]
        for node in range(1, len(tree)):
            rows.append(rows[tree.parents[node]] | 1 << node)
        width = -(-len(rows) // 8)
        packed = b"".join([row.to_bytes(width, "little") for row in rows])
        bits = np.frombuffer(packed, np.uint8).reshape(len(rows), width)
        return np.unpackbits(bits, 1, len(rows), "little").view(np.bool_)
