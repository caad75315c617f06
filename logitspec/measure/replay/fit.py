"""The rates that our method begins a text with, fitted to transcripts.

    transcripts of several models -> replays, or live runs -> how often each class was right -> its rate

Every model counts equally up to ENOUGH observations of a class, so that the rates fit no single one. A
class with few observations gets a low rate, for a text soon brings its own. Which contexts occur depends
on the trees and so on the rates: a few rounds settle that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.drafters.logitspec import LogitSpec
from logitspec.drafters.sources.rates import Kind
from logitspec.measure.replay.live import model_of
from logitspec.measure.replay.target import TranscriptTarget
from logitspec.measure.replay.transcript import Transcript

ROUNDS = 3
ENOUGH = 300.0
# A text soon shows whether copies are right; most continuations of other sources are wrong.
WRONG_BEFORE = {"copy": 0.3, "successor": 10.3, "logit": 10.3}
RIGHT_BEFORE = 0.3
MIN_RATE, MAX_RATE = 0.0008, 0.99

Hits = dict[Kind, tuple[float, float]]


def observe(
    transcripts: Iterable[Transcript], priors: Mapping[Kind, float], model: str | None = None
) -> Hits:
    """By class how many continuations were right, and of how many, in texts begun with `priors`:
    replayed, or written once more by `model`, where logits of rejected nodes are offered, too."""
    counts: Hits = {}
    for transcript in transcripts:
        for kind, (right, tries) in _observe_one(transcript, priors, model).items():
            before = counts.get(kind, (0.0, 0.0))
            counts[kind] = (before[0] + right, before[1] + tries)
    return counts


def _observe_one(transcript: Transcript, priors: Mapping[Kind, float], model: str | None) -> Hits:
    target: Target = TranscriptTarget(transcript) if model is None else model_of(transcript, model)
    drafter = LogitSpec(tree_size="capacity")
    trace = begin(
        target,
        transcript.prompt_ids,
        drafter.name,
        transcript.max_new_tokens,
        options=drafter.options(),
    )
    drafter.priors = priors
    complete(target, trace, drafter)
    return drafter.observed()


def pool_rates(models: Sequence[Hits]) -> dict[Kind, float]:
    """One rate for each class that was met: the mean over the models, weighted by what each has seen
    of it up to `ENOUGH`."""
    rates = {}
    for kind in dict.fromkeys(kind for counts in models for kind in counts):
        counts_by_model = [
            counts[kind] for counts in models if kind in counts and counts[kind][1] >= 1
        ]
        weights = [min(tries, ENOUGH) for _, tries in counts_by_model]
        if counts_by_model:
            pairs = zip(weights, counts_by_model, strict=True)
            mean = sum(weight * _rate(kind, *counts) for weight, counts in pairs) / sum(weights)
            rates[kind] = min(MAX_RATE, max(MIN_RATE, mean))
    return rates


def _rate(kind: Kind, right: float, tries: float) -> float:
    return (right + RIGHT_BEFORE) / (tries + RIGHT_BEFORE + WRONG_BEFORE[str(kind[0])])


def fit(
    readers: Sequence[Callable[[], Iterable[Transcript]]],
    start: Mapping[Kind, float],
    models: Sequence[str | None] = (),
    rounds: int = ROUNDS,
) -> dict[Kind, float]:
    """Rates of all classes of `start`: fitted where the transcripts have met the class, as in `start`
    elsewhere. recorded: what reads the transcripts of each model, once a round. models: they themselves,
    in the same order, for live runs; none for replays."""
    rates = dict(start)
    pairs = list(zip(readers, models or [None] * len(readers), strict=True))
    for _ in range(rounds):
        pool = pool_rates([observe(read(), rates, model) for read, model in pairs])
        rates = {kind: pool.get(kind, rate) for kind, rate in start.items()}
    return rates


def source(rates: Mapping[Kind, float]) -> str:
    """The tables of `rates` as logitspec/drafters/sources/priors.py has them, without its comments."""
    groups: dict[str, dict[tuple[object, ...], list[float]]] = {}
    for (source, *group, _), rate in rates.items():
        groups.setdefault(str(source), {}).setdefault(tuple(group), []).append(rate)
    return "\n".join(
        [
            _table("_COPY", {f"{key}": row for key, row in groups["copy"].items()}, 3),
            _table("_SUCCESSOR", {f"{key[0]}": row for key, row in groups["successor"].items()}, 3),
            "_LOGIT = (",
            *(f"    {_tuple(row, 4)}," for row in groups["logit"].values()),
            ")",
        ]
    )


def _table(name: str, rows: Mapping[str, Sequence[float]], digits: int) -> str:
    lines = [f"    {key}: {_tuple(row, digits)}," for key, row in rows.items()]
    return "\n".join([f"{name} = {{", *lines, "}"])


def _tuple(row: Sequence[float], digits: int) -> str:
    return f"({', '.join(f'{rate:.{digits}f}' for rate in row)})"
