"""What a method must write, by decoding without a cache or a draft, and runners with a fault."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec import decode
from logitspec.runtime.runner import Runner
from logitspec.trace.tree import DraftTree
from support.fakes import finished
from support.families import CONFIGS, FAST, VOCABULARY, model

TOKENS = 48
SEED = 11
PROMPT = [int(token) for token in np.random.default_rng(5).integers(0, VOCABULARY, 30)]
FAMILIES = [*CONFIGS, *FAST]


def draw(logits: npt.NDArray[Any], temperature: float, seed: int, position: int) -> int:
    """The token that plain sampling draws at `position`: the Gumbel-max trick, written once more."""
    if temperature == 0:
        return int(logits.argmax())
    key = np.array([seed, position], dtype=np.uint64)
    level = np.random.Generator(np.random.Philox(key=key)).random(len(logits))
    return int(np.argmax(logits.astype(np.float64) / temperature - np.log(-np.log(level))))


@torch.inference_mode()
def plain(net: Any, prompt: list[int], tokens: int, temperature: float) -> list[int]:
    """Decoding without a cache, a draft or any code of ours: the whole text again for each token."""
    ids = list(prompt)
    for _ in range(tokens):
        logits = net(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        ids.append(draw(logits.numpy(), temperature, SEED, len(ids)))
    return ids[len(prompt) :]


@cache
def expected(family: str, temperature: float) -> list[int]:
    return plain(model(family), PROMPT, TOKENS, temperature)


def written(target: Runner, method: str, temperature: float) -> Any:
    return finished(decode(target, PROMPT, method, TOKENS, temperature, SEED))


class NoGather(Runner):
    def _gather(self, path: Any) -> None:
        pass


class FlatPositions(Runner):
    def _depths(self, tree: DraftTree) -> npt.NDArray[Any]:
        return np.arange(len(tree))


class FullMask(Runner):
    def _ancestor_mask(self, tree: DraftTree) -> npt.NDArray[Any]:
        return np.tri(len(tree), dtype=bool)


class ShiftedDraw(Runner):
    def _draw_positions(self, depths: npt.NDArray[Any]) -> list[int]:
        return [position + 1 for position in super()._draw_positions(depths)]


class NoRollback(Runner):
    def verify(self, tree: DraftTree) -> Any:
        self.nodes = len(tree)
        return super().verify(tree)

    def commit(self, path: Any) -> None:
        super().commit(path)
        self._cache.length += self.nodes - len(path)
