"""Rules that choose which of many recordings is shown: the typical one, not the best."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from statistics import median, median_low

from logitspec.decoding.race import Race
from logitspec.trace.metrics import Counts
from logitspec.trace.records import StepRecord, Trace
from logitspec.trace.tree import Origin

FIRST_STEPS = 4  # of a run, in which there is little text to draft from


def most_typical_run(traces: Sequence[Trace]) -> Trace:
    """The run whose mean accepted tokens are nearest to the median of all."""
    means = [trace.counts().mean_accepted_tokens for trace in traces]
    middle = median(means)
    return min(zip(traces, means, strict=True), key=lambda each: abs(each[1] - middle))[0]


def typical_step(trace: Trace) -> int:
    """The number, from 1 on, of the first step after FIRST_STEPS that emits as many tokens as the median step of
    `trace`, and accepts a runner-up or a copy; 1 where there is none.

    Where the median step accepts no draft, a step with one accepted draft counts as typical.
    """
    length = max(2, median_low([len(step.path) for step in trace.steps]))
    later = list(enumerate(trace.steps, 1))[FIRST_STEPS:]
    return next(
        (number for number, step in later if len(step.path) == length and _accepts_draft(step)), 1
    )


def clearest_step(trace: Trace) -> tuple[tuple[int, int], int] | None:
    """The step of `trace` that shows the whole method in the fewest tokens, as ((tokens, rank), number from 1
    on): its accepted path is the root, a runner-up, then two or more tokens copied from the prompt.
    Of several, the one whose runner-up was the likeliest; None where there is none.
    """
    clear_steps = [
        ((len(step.path), step.provenance[1].rank or 0), number)
        for number, step in enumerate(trace.steps, 1)
        if _shows_whole_method(step, len(trace.prompt_ids))
    ]
    return min(clear_steps, default=None)


def _shows_whole_method(step: StepRecord, prompt_length: int) -> bool:
    _, *drafts = step.provenance
    copies = [each.copied_from for each in drafts[1:]]
    return (
        len(copies) >= 2
        and drafts[0].origin is Origin.LOGIT
        and all(place is not None and place < prompt_length for place in copies)
    )


def _accepts_draft(step: StepRecord) -> bool:
    """Whether the step accepts a draft of one of the method's two origins."""
    return any(each.origin in (Origin.LOGIT, Origin.RETRIEVED) for each in step.provenance[1:])


def most_typical_race(races: Sequence[Race]) -> Race:
    """The race nearest to the sum of all: of those in which the lanes finish in the same order as in the sum, the one
    whose ratios between the lanes' tokens a second differ least from those of the sum."""
    whole = _rates([[race.traces[lane].counts() for race in races] for lane in _lanes(races[0])])
    own = [_rates([[trace.counts()] for trace in race.traces]) for race in races]
    alike = [each for each in own if _order(each) == _order(whole)] or own
    return races[own.index(min(alike, key=lambda rates: _distance(rates, whole)))]


def _lanes(race: Race) -> range:
    return range(len(race.traces))


def _rates(lanes: Sequence[Sequence[Counts]]) -> list[float]:
    """Tokens a second of every lane."""
    return [sum(counts, Counts()).tokens_per_second for counts in lanes]


def _order(rates: Sequence[float]) -> list[int]:
    return sorted(range(len(rates)), key=lambda lane: -rates[lane])


def _distance(rates: Sequence[float], whole: Sequence[float]) -> float:
    """How far the first lane's ratios to the others are from those of the whole, as factors."""
    ratios = zip(rates[1:], whole[1:], strict=True)
    return sum(abs(log(rates[0] / own) - log(whole[0] / other)) for own, other in ratios)
