"""Judges whether another forward computes a model's logits, by what rounding does to that model.

    a text, plain and uncached -> the reference: in float32 where half-precision weights fit a second time
    the stock model            -> its own errors, over the text and over trees along it
    any other forward          -> its errors over the same trees, which must not be clearly larger

A text is token ids: those of real text, or ids that the model itself finds likely. On nonsense ids a
model amplifies rounding far more than on text.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from logitspec.runtime.runner import Runner
from logitspec.runtime.shapes import PIECE
from logitspec.trace.tree import DraftTree, Origin, Provenance

Errors = npt.NDArray[np.float64]
"""[rows]: distances of logits from the reference after each token, root mean squares over the vocabulary in
standard deviations of the reference. PATH rows of each tree, then those of a chain."""

PATH = 8  # tokens of the text in each tree
CHAIN = 64  # tokens in one forward without branches
QUANTILES = (0.5, 0.9)
# Between shapes, rounding moves a quantile of all rows little, and the median of a few rows more.
FACTOR, PLACE_FACTOR = 1.5, 4.0
SMALLEST = 1.5e-5  # 128 roundings in float32; a fault is a thousand times that
ROUNDS = 3  # until likely text settles


class Probe:
    """A text, a model's logits over it, and how far rounding moves them.

    text: token ids. wide: the same model in float32, where `model` is in half precision.
    """

    def __init__(self, model: Any, text: Sequence[int], wide: Any = None) -> None:
        self.text = list(text)
        self._path = min(PATH, len(text) // 2)
        last = len(text) - self._path
        # Two lie close together, so that a number frozen into a capture at one of them shows at the other.
        self.places = sorted({min(self._path, last), last // 2, max(last - 5, 0), last})
        self._chain = max(len(text) - CHAIN, 1)
        trees = [place + row for place in self.places for row in range(self._path)]
        rows = [*trees, *range(self._chain, len(text))]
        self._reference = plain_logits(model if wide is None else wide, self.text, rows)
        half = model.dtype in (torch.bfloat16, torch.float16)
        self._floor = torch.finfo(model.dtype).eps if half and wide is None else SMALLEST
        self.rounding = np.zeros(len(rows))
        if wide is not None:
            self.rounding = self._errors(plain_logits(model, self.text, rows))

    @torch.inference_mode()
    def errors(self, target: Runner) -> Errors:
        """The errors of `target`, which forgets its text."""
        target.prefill(self.text)
        target.length = self._chain
        chain = self.text[self._chain :]
        computed = [target.forward(chain, np.arange(len(chain)), None, len(chain)).clone()]
        # Backwards, as a tree overwrites the cache after its place.
        for place in reversed(self.places):
            target.length = place
            tree, path = self._tree(place)
            computed.insert(0, target.tree_logits(tree)[path])
        target.length = 0
        return self._errors(torch.cat([each.double() for each in computed]))

    @torch.inference_mode()
    def dependent_rows(self, target: Runner) -> int:
        """How many rows over trees along the text have logits that are not bit for bit the same row's alone.
        `target` forgets its text."""
        target.prefill(self.text)
        dependent = 0
        for place in reversed(self.places):
            trees = [self._tree(place), self._tree(place, PIECE + 1)]
            for tree, path in [*trees, self._random_tree(place)]:
                target.length = place
                together = target.tree_logits(tree)[path].clone()
                for node, row in zip(path, together, strict=True):
                    alone = target.tree_logits(DraftTree(tree.tokens[node]))[0]
                    dependent += not torch.equal(alone, row)
                    target.length += 1
        target.length = 0
        return dependent

    def excess(self, errors: Errors, stock: Errors | None = None) -> float:
        """By how much `errors` exceed what rounding explains, in standard deviations; 0.0 where they don't.

        stock: those of the stock forward over the same trees. Quantiles of all rows are compared, and the
        median at each place, so that a fault shows even if it affects only some places.
        """
        known = self.rounding if stock is None else np.maximum(self.rounding, stock)
        known_all, found_all = np.quantile(known, QUANTILES), np.quantile(errors, QUANTILES)
        known_places = np.maximum(self._by_place(known), known_all[0])
        limits = np.concatenate([FACTOR * known_all, PLACE_FACTOR * known_places]) + self._floor
        found = np.concatenate([found_all, self._by_place(errors)])
        # NaN is never within a limit, so it is returned as an excess.
        return 0.0 if (found <= limits).all() else float((found - limits).max())

    def _by_place(self, errors: Errors) -> Errors:
        """The median over the path of each tree, and over the chain."""
        ends = [self._path * (n + 1) for n in range(len(self.places))]
        return np.array([np.median(each) for each in np.split(errors, ends)])

    def _tree(self, place: int, size: int = 0) -> tuple[DraftTree, list[int]]:
        """The text from `place` as one path of a tree with other branches, and the nodes of the path.
        size: the least number of nodes.

        Each node of the path comes after nodes of other branches, so that a forward errs if a node
        attends to all nodes before it, or if those decide its position.
        """
        following = self.text[place : place + self._path]
        tree, path, other = DraftTree(following[0]), [0], 0
        provenance = Provenance(Origin.LOGIT)
        for depth, token in enumerate(following[1:], 1):
            wrong = self.text[(place + 7 * depth) % len(self.text)]
            parent = other if depth % 3 else path[-1]
            other = tree.add(parent, wrong, provenance, merge=False)
            path.append(tree.add(path[-1], token, provenance, merge=False))
        while len(tree) < size:
            tree.add(0, self.text[len(tree) % len(self.text)], provenance, merge=False)
        return tree, path

    def _random_tree(self, place: int) -> tuple[DraftTree, list[int]]:
        """A tree of PIECE nodes with tokens of the text, and the path to the deepest one: some 40 positions, so
        that the path ends in a different block of the kernels' sums than it begins in."""
        chance = Random(place)
        tree = DraftTree(self.text[place])
        for node in range(1, PIECE):
            parent = chance.randrange(max(0, node - 2), node)
            token = chance.choice(self.text)
            tree.add(parent, token, Provenance(Origin.LOGIT), merge=False)
        depths = tree.depths()
        return tree, tree.path_to(depths.index(max(depths)))

    def _errors(self, logits: torch.Tensor) -> Errors:
        apart = logits.to(self._reference.device) - self._reference
        return (apart.square().mean(-1).sqrt() / self._reference.std(-1)).cpu().numpy()


@torch.inference_mode()
def plain_logits(model: Any, text: Sequence[int], rows: Sequence[int]) -> torch.Tensor:
    """Logits, float64 [rows, vocabulary], after the places `rows` of `text`, by one forward without a cache."""
    device = model.get_input_embeddings().weight.device
    places = torch.tensor(rows, device=device)
    selects = "logits_to_keep" in signature(model.forward).parameters
    options = {"logits_to_keep": places} if selects else {}
    ids = torch.tensor([list(text)], device=device)
    logits = model(input_ids=ids, use_cache=False, **options).logits[0]
    chosen: torch.Tensor = logits if selects else logits[places.to(logits.device)]
    return chosen.double()


@torch.inference_mode()
def likely_text(model: Any, length: int) -> list[int]:
    """Token ids, each of which the model finds likely after those before it, for lack of real text.

    Each round draws all of them in parallel, given those of the round before, so that after a few rounds they suit
    each other.
    """
    device = model.get_input_embeddings().weight.device
    generator = torch.Generator().manual_seed(0)
    vocabulary = model.config.get_text_config().vocab_size
    ids = torch.randint(vocabulary, (length,), generator=generator)
    for _ in range(ROUNDS):
        logits = model(input_ids=ids[None].to(device), use_cache=False).logits[0, :-1]
        chances = torch.softmax(logits.float().cpu(), -1)
        if not chances.isfinite().all():
            break
        ids[1:] = torch.multinomial(chances, 1, generator=generator)[:, 0]
    return [int(token) for token in ids]
