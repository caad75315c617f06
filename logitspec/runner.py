"""The device side of a step: masks, positions, KV cache, one forward, commit.

Any stock transformers model with attention only can be the target; `forward.py` has the seam behind
which its logits are computed. Nothing but ints and floats leaves this file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec.cache import PrefixCache
from logitspec.costs import SIZES, ForwardCosts
from logitspec.errors import LogitSpecError
from logitspec.forward import Forward, StockForward
from logitspec.sampling import pick
from logitspec.target import ForwardResult, Sampling, TopK
from logitspec.tree import DraftTree, Origin, Provenance, accept

PREFILL_ROWS = 512
NODE_RANKS = 8
LAST_RANKS = 128
DIGITS = 4
COST_TEXT = 64
COST_SECONDS = 0.04  # for each size


class Runner:
    """A transformers model as `Target`. One sequence at a time; the buffers outlive it.

    model: a causal language model in eval mode. windows: per layer type of the model the positions
    that a row sees back, itself included (None: all). eos_ids: ids that end a text. limit: positions
    that the model can hold. info: what the trace says about the model.
    """

    ranks_prompt = True

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
        self.sampling = Sampling()
        self._device = model.get_input_embeddings().weight.device
        self._vocabulary: int = model.config.get_text_config().vocab_size
        self.use(StockForward(model, windows))

    def use(self, forward: Forward) -> None:
        """Take logits from `forward` from now on. Forgets the sequence and what forwards cost."""
        self.forward = forward
        self._costs: ForwardCosts | None = None

    def beside(self) -> Runner:
        """Another target over the same weights, with a sequence of its own; for the same thread."""
        twin = copy(self)
        twin.forward = copy(self.forward)
        twin.forward.cache = PrefixCache(len(self._cache.layers))
        return twin

    @property
    def _cache(self) -> PrefixCache:
        return self.forward.cache

    @property
    def costs(self) -> ForwardCosts:
        """What its forwards cost by their rows; without `measure` before, it is measured now."""
        return self._costs or self.measure()

    @costs.setter
    def costs(self, costs: ForwardCosts) -> None:
        self._costs = costs

    @property
    def length(self) -> int:
        """Rows in the KV cache: the verified tokens."""
        return self._cache.length

    @torch.inference_mode()
    def prefill(
        self, ids: Sequence[int], sampling: Sampling = Sampling(), everywhere: bool = False
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
        before: list[TopK] = []
        for first in range(0, len(ids), PREFILL_ROWS):
            part = list(ids[first : first + PREFILL_ROWS])
            depths = np.arange(len(part))
            logits = _wide(self.forward(part, depths, None, rows=len(part) if everywhere else 1))
            self._cache.length += len(part)
            if everywhere:
                before += _topk(logits, NODE_RANKS)
        last = logits[-1:]
        choices = pick(last, [len(ids)], sampling).tolist()
        topk = before[:-1] + _topk(last, LAST_RANKS)
        return ForwardResult(choices, topk, perf_counter() - started)

    @torch.inference_mode()
    def verify(self, tree: DraftTree) -> ForwardResult:
        """One forward over the whole tree behind the cached prefix."""
        started = perf_counter()
        depths = self._depths(tree)
        logits = _wide(self.forward(tree.tokens, depths, self._ancestor_mask(tree), rows=len(tree)))
        choices = pick(logits, self._draw_positions(depths), self.sampling).tolist()
        topk = _topk(logits, NODE_RANKS)
        # The next draft starts from the row where acceptance will end: that one is worth more ranks.
        end = accept(tree, choices)[-1]
        topk[end] = _topk(logits[end : end + 1], LAST_RANKS)[0]
        return ForwardResult(choices, topk, perf_counter() - started)

    @torch.inference_mode()
    def commit(self, path: Sequence[int]) -> None:
        """Keep the cache rows of `path` (nodes of the last tree, root first), drop the others."""
        self._gather(path)
        self._cache.length += len(path)

    @torch.inference_mode()
    def deviation(self) -> float:
        """How far logits of a small tree lie from those of plain, uncached forwards over its paths.

        In standard deviations of the plain logits: rounding for a model that can be a target, a lot
        for one that takes no positions or reads its mask in another way. Forgets the sequence.
        """
        prefix = [3 * place % self._vocabulary for place in range(8)]
        tree = DraftTree(prefix[1])
        guess = Provenance(Origin.LOGIT)
        tree.add(tree.add(0, prefix[2], guess), prefix[3], guess)
        tree.add(tree.add(0, prefix[5], guess), prefix[6], guess)
        self.prefill(prefix)
        depths = self._depths(tree)
        found = self.forward(tree.tokens, depths, self._ancestor_mask(tree), rows=len(tree))
        self._cache.length = 0
        worst = 0.0
        for node, row in enumerate(found):
            path = [tree.tokens[each] for each in tree.path_to(node)]
            ids = torch.tensor([prefix + path], device=self._device)
            plain = self.model(input_ids=ids, use_cache=False).logits[0, -1].double()
            worst = max(worst, ((row.double() - plain).abs().max() / plain.std()).item())
        return worst

    def measure(self) -> ForwardCosts:
        """Time its forward over 1 to 128 rows behind a short text: a fraction of a second for a small
        model. Forgets the sequence."""
        sizes = [size for size in SIZES if self._cost_text() + size <= self.limit]
        self._costs = ForwardCosts(sizes, self.seconds(sizes))
        return self._costs

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


def _wide(logits: torch.Tensor) -> torch.Tensor:
    """`logits` in float32 at least: exact, and on a CPU an argmax in half precision is slow."""
    return logits if logits.dtype == torch.float64 else logits.float()


def _topk(logits: torch.Tensor, k: int) -> list[TopK]:
    """The best `k` of each row of wide `logits` [rows, vocabulary], with probabilities at temperature 1."""
    ids = logits.topk(min(k, logits.shape[-1]), dim=-1).indices
    probs = logits.softmax(-1).gather(-1, ids)
    rounded = _rounded(probs.cpu().numpy().astype(np.float64)).tolist()
    return [TopK(row, prob) for row, prob in zip(ids.tolist(), rounded, strict=True)]


def _rounded(probs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`probs` to a few significant digits, which is what a trace has use for."""
    if not np.isfinite(probs).all():
        raise LogitSpecError(
            "The model's logits are not finite; choose dtype float32 or bfloat16, or other weights."
        )
    least = np.maximum(probs, 1e-18)
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(least)))
    digits: npt.NDArray[Any] = np.round(probs * scale) / scale
    return digits
