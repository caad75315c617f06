"""What is shown of many recordings: the typical one and not the best, by rules."""

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
    """The one whose mean accepted tokens are nearest to the median of all."""
    means = [trace.counts().mean_accepted_tokens for trace in traces]
    middle = median(means)
    return min(zip(traces, means, strict=True), key=lambda each: abs(each[1] - middle))[0]


def typical_step(trace: Trace) -> int:
    """The number of a step, from 1 on, that emits as many tokens as the median step of `trace` does, and
    accepts a runner-up or a copy: the first such step behind FIRST_STEPS.

    Where the median step accepts no draft, one that accepts a single draft is the next to it.
    """
    wanted = max(2, median_low([len(step.path) for step in trace.steps]))
    later = list(enumerate(trace.steps, 1))[FIRST_STEPS:]
    fitting = [number for number, step in later if len(step.path) == wanted and _tells(step)]
    return next(iter(fitting), 1)


def clearest_step(trace: Trace) -> tuple[tuple[int, int], int] | None:
    """The step of `trace` that shows the whole method in the fewest tokens, as ((tokens, rank), number from 1
    on): its accepted path is the root, a runner-up and two or more tokens copied from the prompt after that.
    Of several, the one whose runner-up was the likeliest; None where there is none.
    """
    found = [
        ((len(step.path), step.provenance[1].rank or 0), number)
        for number, step in enumerate(trace.steps, 1)
        if _shows_all(step, len(trace.prompt_ids))
    ]
    return min(found, default=None)


def _shows_all(step: StepRecord, prompt_length: int) -> bool:
    _, *drafts = step.provenance
    copies = [each.copied_from for each in drafts[1:]]
    return (
        len(copies) >= 2
        and drafts[0].origin is Origin.LOGIT
        and all(place is not None and place < prompt_length for place in copies)
    )


def _tells(step: StepRecord) -> bool:
    """Whether an accepted draft has one of the method's two origins."""
    return any(each.origin in (Origin.LOGIT, Origin.RETRIEVED) for each in step.provenance[1:])


def most_typical_race(races: Sequence[Race]) -> Race:
    """The race that is nearest to all of them together: of those whose lanes come in as in the sum of all
    races, the one whose ratios between the lanes' tokens a second differ least from those of the sum."""
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
