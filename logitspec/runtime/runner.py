"""The device side of a step: masks, positions, KV cache, one forward, commit.

Any stock transformers model with attention only can be the target; `forward.py` has the seam behind
which its logits are computed. Nothing but ints and floats leaves this file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.runtime.cache import PrefixCache
from logitspec.runtime.draws import pick
from logitspec.runtime.forward import Forward, StockForward
from logitspec.runtime.graphs import (
    BUCKETS,
    Capture,
    CaptureError,
    Fetch,
    Replayed,
    Rows,
    bucket_for,
    columns_for,
)
from logitspec.runtime.ranks import ranked, topk, unpacked, wide
from logitspec.trace.costs import SIZES, ForwardCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree, Origin, Provenance, accept

PREFILL_ROWS = 512
NODE_RANKS = 8
LAST_RANKS = 128
EXPECTED_ROWS = 512
COST_TEXT = 64
COST_SECONDS = 0.04  # for each size


class Runner(Target):
    """A transformers model as `Target`. One sequence at a time; the buffers outlive it.

    model: a causal language model in eval mode. windows: per layer type of the model the positions
    that a row sees back, itself included (None: all). eos_ids: ids that end a text. limit: positions
    that the model can hold. info: what the trace says about the model.
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
        self._device = model.get_input_embeddings().weight.device
        self._vocabulary: int = model.config.get_text_config().vocab_size
        self._fetch = Fetch()
        self._replayed: Replayed | None = None
        self._reserves = False
        self.use(StockForward(model, windows))

    def use(self, forward: Forward) -> None:
        """Take logits from `forward` from now on. Forgets the sequence and what forwards cost."""
        self.forward = forward
        self.costs = None
        self._replayed = None

    def replay(self, capture: Capture) -> None:
        """Take trees through forwards of fixed shapes from now on, each made once by `capture`.

        Where that fails the forward runs as it did before, and the trace's environment says why.
        """
        self._replayed = Replayed(self._fixed, self._device, capture)
        self._reserves = True
        self.costs = None

    @property
    def replays(self) -> bool:
        """Whether trees go through captured forwards."""
        return self._replayed is not None

    def stop_replaying(self, reason: str) -> None:
        """Run every forward anew from now on; the trace's environment gives the reason."""
        self._replayed = self.costs = None
        self.info["environment"]["graphs"] = f"none: {reason}"

    def with_new_cache(self) -> Runner:
        twin = copy(self)
        twin.owner = ""
        twin.forward = copy(self.forward)
        twin.forward.cache = PrefixCache(len(self._cache.layers))
        if self._replayed is not None:
            twin._replayed = Replayed(twin._fixed, self._device, self._replayed.capture)
        return twin

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
        return self.costs or self.measure()

    @torch.inference_mode()
    def reserve(self, rows: int, more: int) -> None:
        """Make room and captures for a text of `rows` tokens and some hundreds of the `more` that may
        follow, so that no step has to. Forgets the sequence."""
        if self._replayed is None:
            return
        if not self._cache.begun:
            self.prefill([0])
        self._cache.length = 0
        last = columns_for(rows + min(more, EXPECTED_ROWS) + BUCKETS[-1])
        self._make_room(last)
        try:
            for columns in sorted({columns_for(each) for each in range(rows + 1, last + 1)}):
                self._replayed.prepare(max(0, columns - BUCKETS[-1]))
        except CaptureError as error:
            self.stop_replaying(str(error))

    @torch.inference_mode()
    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = False
    ) -> ForwardResult:
        """Forget the old sequence, read `ids`; one choice and one top-k, those after the last id.

        everywhere: a top-k of few ranks after each of the ids, which costs the model's head for all.
        """
        if not all(0 <= token < self._vocabulary for token in ids):
            raise LogitSpecError(
                f"The prompt has token ids outside the model's vocabulary of {self._vocabulary};"
                " encode it with the model's own tokenizer."
            )
        self.sampling = sampling
        self._cache.length = 0
        started = perf_counter()
        self._make_room(len(ids))
        if self._reserves:
            self._cache.reset()  # a NaN would pass through any mask: 0 times NaN is NaN
        before: list[TopK] = []
        for first in range(0, len(ids), PREFILL_ROWS):
            part = list(ids[first : first + PREFILL_ROWS])
            depths = np.arange(len(part))
            logits = wide(self.forward(part, depths, None, rows=len(part) if everywhere else 1))
            self._cache.length += len(part)
            if everywhere:
                before += topk(logits, NODE_RANKS)
        last = logits[-1:]
        choices = pick(last, [len(ids)], sampling).tolist()
        best = before[:-1] + topk(last, LAST_RANKS)
        return ForwardResult(choices, best, perf_counter() - started)

    @torch.inference_mode()
    def verify(self, tree: DraftTree) -> ForwardResult:
        """One forward over the whole tree behind the cached prefix."""
        started = perf_counter()
        depths = self._depths(tree)
        logits, packed = self._over(tree, depths)
        if packed is None:
            choices, best = self._read(logits, tree, depths)
        else:
            choices, best = self._read_at_once(logits, packed, tree, depths)
        seconds = perf_counter() - started
        if self.costs is not None:
            self.costs.observe(len(tree), seconds)
        return ForwardResult(choices, best, seconds)

    @torch.inference_mode()
    def commit(self, path: Sequence[int]) -> None:
        """Keep the cache rows of `path` (nodes of the last tree, root first), drop the others."""
        self._gather(path)
        self._cache.length += len(path)

    @torch.inference_mode()
    def deviation(self, behind: int = 8) -> float:
        """How far logits of a small tree lie from those of plain, uncached forwards over its paths.

        In standard deviations of the plain logits: rounding for a model that can be a target, a lot
        for one that takes no positions or reads its mask in another way. behind: tokens before the tree.
        Forgets the sequence.
        """
        prefix = [3 * place % self._vocabulary for place in range(behind)]
        root, *drafts = (3 * place % self._vocabulary for place in (1, 2, 3, 5, 6))
        tree, guess = DraftTree(root), Provenance(Origin.LOGIT)
        tree.add(tree.add(0, drafts[0], guess), drafts[1], guess)
        tree.add(tree.add(0, drafts[2], guess), drafts[3], guess)
        self.prefill(prefix)
        found, _ = self._over(tree, self._depths(tree))
        self._cache.length = 0
        worst = 0.0
        for node, row in enumerate(found):
            path = [tree.tokens[each] for each in tree.path_to(node)]
            ids = torch.tensor([prefix + path], device=self._device)
            plain = self.model(input_ids=ids, use_cache=False).logits[0, -1].double()
            worst = max(worst, ((row.double() - plain).abs().max() / plain.std()).item())
        return worst

    def forward_over(self, tree: DraftTree) -> Callable[[], Any]:
        """The forward over `tree` behind the prefix, to be timed: nothing of it is read. A captured one is
        replayed with what it was given, any other is run anew."""
        depths = self._depths(tree)
        self._over(tree, depths)
        return partial(self._over, tree, depths) if self._replayed is None else self._replayed.again

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` verified tokens."""
        self._cache.length = length

    def measure(self) -> ForwardCosts:
        """Time its forward over 1 to 128 rows behind a short text: a fraction of a second for a small
        model. Forgets the sequence."""
        padded = self._replayed is not None
        sizes = [
            size
            for size in (BUCKETS if padded else SIZES)
            if self._cost_text() + size <= self.limit
        ]
        seconds = self.seconds(sizes)
        self.costs = ForwardCosts(sizes, seconds, padded and self._replayed is not None)
        return self.costs

    def seconds(self, sizes: Sequence[int]) -> list[float]:
        """The shortest of a few forwards over trees of each size. Forgets the sequence."""
        text = [place % self._vocabulary for place in range(self._cost_text())]
        seconds = []
        for size in sizes:
            tree = DraftTree(text[0])
            for node in range(1, size):
                tree.add(node // 2, text[node % len(text)], Provenance(Origin.LOGIT), merge=False)
            self.prefill(text)
            self.verify(tree)  # buffers of this size
            times: list[float] = []
            until = perf_counter() + COST_SECONDS
            while len(times) < 3 or (perf_counter() < until and len(times) < 12):
                times.append(self.verify(tree).seconds)
                if times[-1] > COST_SECONDS:
                    break
            seconds.append(min(times))
        self._cache.length = 0
        return seconds

    def _cost_text(self) -> int:
        """Length of the text behind which forwards are timed."""
        return min(COST_TEXT, self.limit // 2)

    def _over(
        self, tree: DraftTree, depths: npt.NDArray[Any]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Wide logits [nodes, vocabulary]; with `ranked` of them where that is all that is fetched."""
        ancestors = self._ancestor_mask(tree)
        if self._replayed is not None and len(tree) <= BUCKETS[-1]:
            self._make_room(columns_for(self.length + bucket_for(len(tree))))
            try:
                positions = self.length + depths
                logits, packed = self._replayed(tree.tokens, positions, self.length, ancestors)
                return logits, packed
            except CaptureError as error:
                self.stop_replaying(str(error))
        self._make_room(self.length + len(tree))
        logits = wide(self.forward(tree.tokens, depths, ancestors, rows=len(tree)))
        return logits, ranked(logits, LAST_RANKS) if logits.is_cuda else None

    def _fixed(self, rows: Rows, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What is replayed: a forward, and all that a step wants to know of it."""
        logits = wide(self.forward.fixed(rows, columns))
        return logits, ranked(logits, LAST_RANKS)

    def _make_room(self, rows: int) -> None:
        """See to the cache's buffers before a forward moves them, which no capture survives."""
        if self._reserves and self._cache.reserve(rows) and self._replayed is not None:
            self._replayed.forget()

    def _read(
        self, logits: torch.Tensor, tree: DraftTree, depths: npt.NDArray[Any]
    ) -> tuple[list[int], list[TopK]]:
        """The choice and the best tokens after each node."""
        choices: list[int] = pick(logits, self._draw_positions(depths), self.sampling).tolist()
        best = topk(logits, NODE_RANKS)
        # The next draft starts from the row where acceptance will end: that one is worth more ranks.
        end = accept(tree, choices)[-1]
        best[end] = topk(logits[end : end + 1], LAST_RANKS)[0]
        return choices, best

    def _read_at_once(
        self,
        logits: torch.Tensor,
        packed: torch.Tensor,
        tree: DraftTree,
        depths: npt.NDArray[Any],
    ) -> tuple[list[int], list[TopK]]:
        """The same from `ranked` of the logits, with a single wait for the device."""
        if self.sampling.temperature > 0:
            packed[:, 0] = pick(logits, self._draw_positions(depths), self.sampling)
        fetched = self._fetch(packed)
        choices: list[int] = fetched[:, 0].tolist()
        best = unpacked(fetched, NODE_RANKS)
        end = accept(tree, choices)[-1]
        best[end] = unpacked(fetched[end : end + 1], LAST_RANKS)[0]
        return choices, best

    def _gather(self, path: Sequence[int]) -> None:
        self._cache.keep(path)

    def _depths(self, tree: DraftTree) -> npt.NDArray[Any]:
        return np.array(tree.depths())

    def _draw_positions(self, depths: npt.NDArray[Any]) -> list[int]:
        return [int(position) for position in self.length + depths + 1]

    def _ancestor_mask(self, tree: DraftTree) -> npt.NDArray[Any]:
        """[nodes, nodes]: which nodes a node attends to, its ancestors and itself."""
        mask = np.eye(len(tree), dtype=bool)
        for node in range(1, len(tree)):
            mask[node] |= mask[tree.parents[node]]
        return mask
