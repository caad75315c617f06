"""The weights that our method begins a text with, fitted to the outputs of models.

    transcripts of models -> live runs, or replays -> evidence before every verified token -> weights

The weights are those of the multinomial logit in `drafters/sources/odds.py` under which the verified tokens are
most probable, pulled towards zero by RIDGE, so that a class that hardly occurred says little. Every model counts
equally. The observations depend on the trees and so on the weights: a few rounds settle that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.drafters.logitspec import LogitSpec
from logitspec.drafters.sources import evidence
from logitspec.drafters.sources.evidence import KINDS, MAX_RUNNERS_UP, CopyClass
from logitspec.drafters.sources.offers import MAX_SHORTER, MAX_SUCCESSORS
from logitspec.measure.replay.live import load_model_of
from logitspec.measure.replay.target import TranscriptTarget
from logitspec.measure.replay.transcript import Transcript
from logitspec.trace.results import ForwardResult
from logitspec.trace.tree import DraftTree

ROUNDS = 2
RIDGE = 0.5  # times the square of each weight, added to the negative log-likelihood of all tokens
MAX_ITERATIONS = 150


class Observation(NamedTuple):
    """What the sources offered before a verified token, and which of these tokens the target wrote.

    alternatives: the classes of evidence of each, as numbers in KINDS; first the alternative that none of the
    offered tokens comes, then one for each of them. outcome: the index of the alternative that came.
    """

    alternatives: list[list[int]]
    outcome: int


class EvidenceRecorder(LogitSpec):
    """Our method with full trees; it records an observation for every verified token.

    weights: used for drafting, one for each of KINDS.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__(tree_size="capacity")
        self.weights = weights
        self.observations: list[Observation] = []

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        if result is not None:
            for node in path:
                if node in self._contexts:
                    offered, none = self._evidence(node)
                    choice = result.choices[node]
                    outcome = list(offered).index(choice) + 1 if choice in offered else 0
                    self.observations.append(Observation([none, *offered.values()], outcome))
        super().observe(tree, path, result)

    def _evidence(self, node: int) -> tuple[dict[int, list[int]], list[int]]:
        """The classes of evidence after a node: by offered token, and of the alternative that none of them comes."""
        context = self._contexts[node]
        classes: dict[int, list[int]] = {}
        copy_classes: dict[int, CopyClass] = {}
        best_copy = None
        for best_of_ngram, copies in self._copies.offers(context):
            later = best_copy is not None
            best_copy = best_copy or best_of_ngram
            for copy in copies:
                copy_classes.setdefault(copy.token, copy.kind)
                classes.setdefault(copy.token, [evidence.COPY[copy.kind][later]])
        rankings = self._successors.known(context)
        longest = rankings[0][0] if rankings else 0
        groups = rankings[0][1].groups if rankings else {}
        no_copy, no_successor = evidence.NO_COPY[best_copy], evidence.NO_SUCCESSOR[longest]
        first_group = next(iter(groups.values()), 0)
        for token, own in classes.items():
            length, _, share = copy_classes[token]
            joint = (
                evidence.BOTH[length, share == 2][groups[token]]
                if token in groups
                else evidence.AGAINST[length][first_group]
            )
            own += [joint] if joint is not None else []
        for order, ranking in rankings:
            is_longest = order == longest
            by_bucket = (
                evidence.SUCCESSOR[longest] if is_longest else evidence.SHORTER[order, longest]
            )
            limit = MAX_SUCCESSORS if is_longest else MAX_SHORTER
            for token, bucket in zip(ranking.ids[:limit], ranking.buckets, strict=False):
                classes.setdefault(token, [no_copy]).append(by_bucket[bucket])
        if node == 0:
            ranked = self._last.ids[:MAX_RUNNERS_UP]
            for token in classes.keys() - set(ranked):
                classes[token].append(evidence.NO_LOGIT)
            for rank, token in enumerate(ranked):
                if token == context[-1]:
                    continue
                own = classes.setdefault(token, [no_copy])
                own.append(evidence.LOGIT[rank][self._copies.occurred(token)])
                if token in copy_classes or token in groups:
                    own.append(evidence.RANKED[rank][token in copy_classes])
        for token in classes.keys() - groups.keys():
            classes[token].append(no_successor)
        return classes, [evidence.NONE_KNOWN[longest][node == 0], evidence.NONE_COPY[best_copy]]


def collect_observations(
    transcripts: Iterable[Transcript], weights: Sequence[float], model: str | None = None
) -> list[Observation]:
    """The observations along `transcripts`, drafted with `weights`, text after text.

    model: as for `load`, to decode the prompts live, where the logits of rejected nodes are also offered; None
    for replays. Raises LogitSpecError when a transcript is of another model.
    """
    observations = []
    for transcript in transcripts:
        target: Target = (
            TranscriptTarget(transcript) if model is None else load_model_of(transcript, model)
        )
        recorder = EvidenceRecorder(weights)
        trace = begin(
            target,
            transcript.prompt_ids,
            recorder.name,
            transcript.max_new_tokens,
            options=recorder.options(),
        )
        complete(target, trace, recorder)
        observations += recorder.observations
    return observations


def maximize_likelihood(
    models: Sequence[Sequence[Observation]], ridge: float = RIDGE
) -> list[float]:
    """The weights [len(KINDS)] under which the outcomes are most probable, with a penalty of `ridge` times the square
    of each weight.

    models: the observations of each; models count equally, whatever the number of their observations.
    """
    import torch

    observations = [each for model in models for each in model]
    if not observations:
        return [0.0] * len(KINDS)
    count = len(observations)
    sample_weights = torch.tensor(
        [count / (len(models) * len(model)) for model in models for _ in model]
    )
    classes, owners, outcomes = _to_tensors(observations)
    weights = torch.zeros(len(KINDS) + 1, requires_grad=True)
    is_class = torch.ones(len(KINDS) + 1)
    is_class[-1] = 0  # the last "class" only pads rows

    def loss() -> Any:
        optimizer.zero_grad()
        scores = (weights * is_class)[classes].sum(1)
        # log-sum-exp over the alternatives of each observation
        largest = torch.full((count,), -torch.inf).scatter_reduce(
            0, owners, scores.detach(), "amax"
        )
        sums = torch.zeros(count).index_add(0, owners, (scores - largest[owners]).exp())
        negative_log_likelihood = sums.log() + largest - scores[outcomes]
        result = (sample_weights * negative_log_likelihood).sum() + ridge * (weights**2).sum()
        result.backward()  # type: ignore[no-untyped-call]
        return result

    optimizer = torch.optim.LBFGS([weights], max_iter=MAX_ITERATIONS, line_search_fn="strong_wolfe")
    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return [float(weight) for weight in weights.detach()[:-1]]


def _to_tensors(observations: Sequence[Observation]) -> tuple[Any, Any, Any]:
    """Rows of alternatives, one observation after the other.

    Returns the classes of each row, padded with len(KINDS) [rows, most classes of a row]; the observation of each row
    [rows]; and the row of each observation's outcome [observations].
    """
    import torch

    width = max(len(row) for each in observations for row in each.alternatives)
    rows: list[list[int]] = []
    owners, outcomes = [], []
    for number, observation in enumerate(observations):
        outcomes.append(len(rows) + observation.outcome)
        for classes in observation.alternatives:
            rows.append(classes + [len(KINDS)] * (width - len(classes)))
            owners.append(number)
    return torch.tensor(rows), torch.tensor(owners), torch.tensor(outcomes)


def fit(
    readers: Sequence[Callable[[], Iterable[Transcript]]],
    start: Sequence[float],
    models: Sequence[str | None] = (),
    rounds: int = ROUNDS,
) -> list[float]:
    """The fitted weights [len(KINDS)].

    readers: for each model a function that reads its transcripts, called once a round. start: the weights
    [len(KINDS)] that the first round drafts with. models: as for `load`, one for each reader, for live runs; empty
    for replays.
    """
    weights = list(start)
    pairs = list(zip(readers, models or [None] * len(readers), strict=True))
    for _ in range(rounds):
        weights = maximize_likelihood(
            [collect_observations(read(), weights, model) for read, model in pairs]
        )
    return weights


def format_table(weights: Sequence[float]) -> str:
    """`weights` [len(KINDS)] as the source code of the table in logitspec/drafters/sources/weights.py."""
    lines = []
    for key, group in groupby(zip(KINDS, weights, strict=True), lambda pair: pair[0][:-1]):
        values = [f"{weight:.2f}" for _, weight in group]
        lines.append(f"    {key!r}: ({', '.join(values)}{',' if len(values) == 1 else ''}),")
    return "\n".join(["_TABLE: dict[Kind, tuple[float, ...]] = {", *lines, "}"])
