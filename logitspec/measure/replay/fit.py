"""The weights that our method begins a text with, fitted to what models wrote.

    transcripts of models -> live runs, or replays -> evidence before every verified token -> weights

The weights are those of the multinomial logit in `drafters/sources/odds.py` under which the verified tokens are
most probable, held towards zero by RIDGE, so that a class that hardly occurred says little. Every model counts
equally. Which contexts occur depends on the trees and so on the weights: a few rounds settle that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.drafters.logitspec import LogitSpec
from logitspec.drafters.sources import evidence
from logitspec.drafters.sources.evidence import KINDS, CopyClass
from logitspec.drafters.sources.offers import (
    MAX_RUNNERS_UP,
    MAX_SHORTER,
    MAX_SUCCESSORS,
    runners_up,
)
from logitspec.measure.replay.live import model_of
from logitspec.measure.replay.target import TranscriptTarget
from logitspec.measure.replay.transcript import Transcript
from logitspec.trace.results import ForwardResult
from logitspec.trace.tree import DraftTree

ROUNDS = 2
RIDGE = 0.5  # of the square of each weight, beside the negative log-likelihood of all tokens
MAX_ITERATIONS = 150


class Context(NamedTuple):
    """What sources said before a verified token.

    events: for each event, the numbers of its classes of evidence; first "none of them", then each of the
    tokens that were offered. right: the event that came.
    """

    events: list[list[int]]
    right: int


class Observer(LogitSpec):
    """Our method with full trees, which writes down the evidence for what the target wrote."""

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__(tree_size="capacity")
        self.weights = weights
        self.contexts: list[Context] = []

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            for node in path:
                if node in self._contexts:
                    offered, none = self._evidence(node)
                    tokens = list(offered)
                    right = result.choices[node]
                    place = tokens.index(right) + 1 if right in offered else 0
                    self.contexts.append(Context([none, *offered.values()], place))
        super().observe(tree, path, result)

    def _evidence(self, node: int) -> tuple[dict[int, list[int]], list[int]]:
        """The classes of evidence after a node: of each offered token, and of none of them."""
        context = self._contexts[node]
        found: dict[int, list[int]] = {}
        copied: dict[int, CopyClass] = {}
        best_copy = None
        for best_kind, copies in self._copies.offers(context):
            later = best_copy is not None
            best_copy = best_copy or best_kind
            for copy in copies:
                copied.setdefault(copy.token, copy.kind)
                found.setdefault(copy.token, [evidence.COPY[copy.kind][later]])
        rankings = self._successors.known(context)
        best = rankings[0][0] if rankings else 0
        groups = rankings[0][1].groups if rankings else {}
        no_copy, no_successor = evidence.NO_COPY[best_copy], evidence.NO_SUCCESSOR[best]
        first = next(iter(groups.values()), 0)
        for token, kinds in found.items():
            length, _, share = copied[token]
            joint = (
                evidence.BOTH[length, share == 2][groups[token]]
                if token in groups
                else evidence.AGAINST[length][first]
            )
            kinds += [joint] if joint is not None else []
        for order, ranking in rankings:
            first = order == best
            kinds = evidence.SUCCESSOR[best] if first else evidence.SHORTER[order, best]
            most = MAX_SUCCESSORS if first else MAX_SHORTER
            for token, bucket in zip(ranking.topk.ids[:most], ranking.buckets, strict=False):
                found.setdefault(token, [no_copy]).append(kinds[bucket])
        if node == 0:
            for token in found.keys() - set(self._last.ids[:MAX_RUNNERS_UP]):
                found[token].append(evidence.NO_LOGIT)
            for offer in runners_up(self._last, context[-1]):
                assert offer.rank is not None
                kind = evidence.LOGIT[offer.rank][self._copies.occurred(offer.token)]
                kinds = found.setdefault(offer.token, [no_copy])
                kinds.append(kind)
                if offer.token in copied or offer.token in groups:
                    kinds.append(evidence.RANKED[offer.rank][offer.token in copied])
        for token in found.keys() - groups.keys():
            found[token].append(no_successor)
        return found, [evidence.NONE_KNOWN[best][node == 0], evidence.NONE_COPY[best_copy]]


def observe(
    transcripts: Iterable[Transcript], weights: Sequence[float], model: str | None = None
) -> list[Context]:
    """The contexts of texts that are drafted with `weights`: replayed, or written once more by `model`,
    where logits of rejected nodes are offered, too."""
    contexts = []
    for transcript in transcripts:
        target: Target = (
            TranscriptTarget(transcript) if model is None else model_of(transcript, model)
        )
        observer = Observer(weights)
        trace = begin(
            target,
            transcript.prompt_ids,
            observer.name,
            transcript.max_new_tokens,
            options=observer.options(),
        )
        complete(target, trace, observer)
        contexts += observer.contexts
    return contexts


def maximize_likelihood(models: Sequence[Sequence[Context]], ridge: float = RIDGE) -> list[float]:
    """The weights [classes] under which what came is most probable; models count equally, whatever the
    number of their contexts."""
    import torch

    contexts = [context for model in models for context in model]
    if not contexts:
        return [0.0] * len(KINDS)
    shares = [
        len(contexts) / (len(models) * len(model)) for model in models if model for _ in model
    ]
    events, owners, came = _tensors(contexts)
    count = len(contexts)
    weights = torch.zeros(len(KINDS) + 1, requires_grad=True)  # the last one fills up rows

    def loss() -> Any:
        optimizer.zero_grad()
        scores = (weights * filling)[events].sum(1)
        top = torch.full((count,), -torch.inf).scatter_reduce(0, owners, scores.detach(), "amax")
        total = torch.zeros(count).index_add(0, owners, (scores - top[owners]).exp()).log() + top
        surprise = (torch.tensor(shares) * (total - scores[came])).sum()
        result = surprise + ridge * (weights**2).sum()
        result.backward()  # type: ignore[no-untyped-call]
        return result

    filling = torch.ones(len(KINDS) + 1)
    filling[-1] = 0
    optimizer = torch.optim.LBFGS([weights], max_iter=MAX_ITERATIONS, line_search_fn="strong_wolfe")
    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return [float(weight) for weight in weights.detach()[:-1]]


def _tensors(contexts: Sequence[Context]) -> tuple[Any, Any, Any]:
    """Classes of each event [events, most of one], the context of each event, and the event that came
    in each context."""
    import torch

    most = max(len(kinds) for context in contexts for kinds in context.events)
    rows: list[list[int]] = []
    owners, came = [], []
    for place, context in enumerate(contexts):
        came.append(len(rows) + context.right)
        for kinds in context.events:
            rows.append(kinds + [len(KINDS)] * (most - len(kinds)))
            owners.append(place)
    return torch.tensor(rows), torch.tensor(owners), torch.tensor(came)


def fit(
    readers: Sequence[Callable[[], Iterable[Transcript]]],
    start: Sequence[float],
    models: Sequence[str | None] = (),
    rounds: int = ROUNDS,
) -> list[float]:
    """Weights of all classes. readers: what reads the transcripts of each model, once a round. start: the
    weights of the first round. models: they themselves, in the same order, for live runs; none for
    replays."""
    weights = list(start)
    pairs = list(zip(readers, models or [None] * len(readers), strict=True))
    for _ in range(rounds):
        weights = maximize_likelihood([observe(read(), weights, model) for read, model in pairs])
    return weights


def source(weights: Sequence[float]) -> str:
    """`weights` as the table in logitspec/drafters/sources/weights.py."""
    lines = []
    for key, group in groupby(zip(KINDS, weights, strict=True), lambda pair: pair[0][:-1]):
        values = [f"{weight:.2f}" for _, weight in group]
        lines.append(f"    {key!r}: ({', '.join(values)}{',' if len(values) == 1 else ''}),")
    return "\n".join(["_TABLE: dict[Kind, tuple[float, ...]] = {", *lines, "}"])
