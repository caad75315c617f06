"""The checks that every method must pass on every model, and faults that they must find.

The text must be that of decoding without a cache, a draft or any code of ours; and what a step's record
says of its tree must be what the target verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch

from logitspec import METHODS, Trace, decode
from logitspec.drafters import Drafter
from logitspec.drafters.logitspec_paper import LogitSpecPaper
from logitspec.runtime.runner import Runner
from logitspec.trace.costs import UNKNOWN_COSTS, StepCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance
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
def plain(
    net: Any, prompt: list[int], tokens: int, temperature: float
) -> tuple[list[int], list[npt.NDArray[Any]]]:
    """Decoding without a cache, a draft or any code of ours: the whole text again for each token.

    The tokens, and the probabilities [vocabulary] that the model gave at each of their places.
    """
    ids, probabilities = list(prompt), []
    for _ in range(tokens):
        logits = net(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        ids.append(draw(logits.numpy(), temperature, SEED, len(ids)))
        probabilities.append(logits.double().softmax(-1).numpy())
    return ids[len(prompt) :], probabilities


@cache
def decoded(family: str, temperature: float) -> tuple[list[int], list[npt.NDArray[Any]]]:
    return plain(model(family), PROMPT, TOKENS, temperature)


def expected(family: str, temperature: float) -> list[int]:
    return decoded(family, temperature)[0]


def conform(
    target: Runner,
    family: str,
    method: str | type[Drafter],
    temperature: float,
    tokens: int = TOKENS,
) -> Trace:
    """Decode after PROMPT with `method` and compare the result with plain decoding of `family`."""
    name, drafter = (method, METHODS[method]) if isinstance(method, str) else (method.name, method)
    with patch.dict(METHODS, {name: drafter}), verified_by(target) as verified:
        trace: Trace = finished(decode(target, PROMPT, name, tokens, temperature, SEED))
    assert trace.output_ids == expected(family, temperature)[:tokens], "not plain decoding's text"
    assert trace.finish == "length"
    probabilities = decoded(family, temperature)[1]
    for step in trace.steps:
        reference = probabilities[step.position - len(PROMPT)][step.last.ids]
        near = np.allclose(step.last.probs, reference, rtol=2e-3, atol=1e-12)
        assert near, "not plain decoding's probabilities"
    # Measuring the costs of forwards may have verified other trees first.
    records = zip(trace.steps, verified[-len(trace.steps) :], strict=True)
    matches = [(step.tree, step.choices) == verification for step, verification in records]
    assert all(matches), f"step {matches.index(False)} records another tree than was verified"
    return trace


@contextmanager
def verified_by(target: Runner) -> Iterator[list[tuple[DraftTree, list[int]]]]:
    """Copies of the trees that `target` verifies, and its choices after their nodes."""
    verified: list[tuple[DraftTree, list[int]]] = []
    verify = target.verify

    def watched(tree: DraftTree) -> ForwardResult:
        copied = deepcopy(tree)
        result = verify(tree)
        verified.append((copied, list(result.choices)))
        return result

    with patch.object(target, "verify", watched):
        yield verified


@cache
def random_trees(family: str, temperature: float) -> type[Drafter]:
    """A method that knows the text and hides it in trees of random shape: on every family, paths of
    all lengths through any node are accepted, and duplicates of their nodes are not."""
    reference = expected(family, temperature)

    class RandomTrees(Drafter):
        name = "random_trees"

        def reset(self, prompt_ids: Sequence[int]) -> None:
            self.done = 0
            self.random = np.random.default_rng(3)

        def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
            tree = DraftTree(root)
            depths = [0]
            for _ in range(int(self.random.integers(30))):
                parent = int(self.random.integers(len(tree)))
                depths.append(depths[parent] + 1)
                place = self.done + depths[-1]
                correct = place < len(reference) and self.random.random() < 0.6
                token = reference[place] if correct else int(self.random.integers(VOCABULARY))
                tree.add(parent, token, Provenance(Origin.LOGIT), merge=False)
            return tree

        def observe(self, tree: DraftTree, path: Sequence[int], result: Any) -> None:
            self.done += len(path)

    return RandomTrees


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


FAULTS = [NoGather, FlatPositions, FullMask, ShiftedDraw, NoRollback]


class ChangesWhatWasVerified(LogitSpecPaper):
    """Adds to its tree when it observes the result."""

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        super().observe(tree, path, result)
        tree.add(0, 0, Provenance(Origin.LOGIT), merge=False)


class ChangesTheTreeBefore(LogitSpecPaper):
    """Changes a node's origin in its last tree when it drafts the next one."""

    def draft(self, root: int, last: TopK, costs: StepCosts = UNKNOWN_COSTS) -> DraftTree:
        if before := getattr(self, "before", None):
            before.provenance[-1] = Provenance(Origin.SUFFIX)
        self.before = super().draft(root, last, costs)
        return self.before


FAULTY_DRAFTERS = [ChangesWhatWasVerified, ChangesTheTreeBefore]
