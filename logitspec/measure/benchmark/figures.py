"""Figures of runs: rates, ratios and means, by method and category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, TypeVar

from logitspec.measure.benchmark.runs import (
    BASELINE,
    OURS,
    REFERENCE,
    Contender,
    Divergence,
    Measurement,
    Part,
)
from logitspec.prompts import OVERALL
from logitspec.trace.metrics import ratio

R = TypeVar("R", Measurement, Divergence)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles over the repeats."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None without values; quartiles by linear interpolation, as in numpy."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0]) if values else None
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)


def rates(runs: Sequence[Measurement]) -> dict[int, float]:
    """Decoded tokens a second by repeat: all tokens / all seconds; none for a repeat with no time left."""
    by_repeat = {}
    for repeat in sorted({each.repeat for each in runs}):
        of_it = [each for each in runs if each.repeat == repeat]
        tokens = sum(each.timed_tokens for each in of_it)
        seconds = sum(each.decode_seconds for each in of_it)
        if tokens > 0 and seconds > 0:
            by_repeat[repeat] = tokens / seconds
    return by_repeat


def speed_up(runs: Sequence[Measurement], baseline: Sequence[Measurement]) -> Spread | None:
    """Tokens a second as a multiple of those of `baseline`, within the same repeat."""
    own, other = rates(runs), rates(baseline)
    return Spread.of([own[repeat] / other[repeat] for repeat in own if repeat in other])


def score(
    runs: Sequence[Measurement], plain: Sequence[Measurement], stock: Sequence[Measurement]
) -> dict[str, Any]:
    """The figures of one contender, as JSON values, compared with the runs of plain decoding (ours) and
    of transformers' greedy `generate` on the same prompts.

    prompts: turns, live and replayed ones. tokens: of the first repeat. Means are over all repeats. If
    any run was not timed there are no times: those of the others would be of other prompts.
    """
    first = [each for each in runs if each.repeat == 0]
    replayed = sum(each.replayed for each in first)
    forwards = sum(each.forwards for each in runs)
    drafted, accepted = (_total(runs, name) for name in ("drafted", "accepted"))
    decoding = sum(each.decode_seconds for each in runs)
    within = _total(runs, "forward_seconds")
    timed = runs if all(each.timed for each in runs) else []
    spreads = {
        "tokens_per_second": Spread.of(list(rates(timed).values())),
        f"speed_up_over_{BASELINE}": speed_up(timed, stock),
        f"speed_up_over_{REFERENCE}": speed_up(timed, plain),
    }
    return {
        "prompts": len(first),
        "live": len(first) - replayed,
        "replayed": replayed,
        "tokens": sum(each.tokens for each in first),
        **{name: spread and asdict(spread) for name, spread in spreads.items()},
        "mean_accepted_tokens": ratio(sum(each.tokens for each in runs), forwards),
        "mean_drafted": None if drafted is None else ratio(drafted, forwards),
        "acceptance_rate": None if accepted is None else ratio(accepted, drafted or 0),
        "outside_forward": None if within is None or decoding <= 0 else 1 - within / decoding,
        "prefill_ms": 1000 * median(each.prefill_seconds for each in timed) if timed else None,
    }


def _total(runs: Sequence[Measurement], name: str) -> float | None:
    """The sum over all runs of a figure that only our own methods have; None for others."""
    values = [getattr(each, name) for each in runs]
    return None if None in values else sum(values)


def scores(part: Part) -> dict[str, dict[str, Any]]:
    """By title, then by category and overall: the figures, the number of prompts whose output differs, and
    the mean accepted tokens of our method (its first variant) as a multiple of the title's own."""
    titles = dict.fromkeys(each.method for each in part.measurements)
    ours = next((title for title in titles if title.split()[0] == OURS), None)
    categories = [*sorted({each.category for each in part.measurements}), OVERALL]
    figures: dict[str, dict[str, Any]] = {title: {} for title in titles}
    for category in categories:
        plain, stock = (_of(part.measurements, name, category) for name in (REFERENCE, BASELINE))
        for title in titles:
            differing = _of(part.divergences, title, category)
            figures[title][category] = {
                **score(_of(part.measurements, title, category), plain, stock),
                "differing": len(differing),
                "faults": sum(each.fault for each in differing),
            }
        for title in titles:
            own = figures[title][category]
            most = figures[ours][category]["mean_accepted_tokens"] if ours else None
            own["logitspec_accepts"] = most and ratio(most, own["mean_accepted_tokens"])
    return figures


def _of(items: Sequence[R], title: str, category: str) -> list[R]:
    """The items of one contender, in one category or in all."""
    return [each for each in items if each.method == title and category in (each.category, OVERALL)]


def document(
    part: Part, contenders: Sequence[Contender], about: dict[str, Any], whole: bool = False
) -> dict[str, Any]:
    """Figures, divergences and what was measured, as JSON values; with `whole`, every run as well."""
    figures = scores(part)
    methods = [
        {
            "title": each.title,
            "method": each.method,
            "options": each.options,
            "scores": figures.get(each.title, {}),
        }
        for each in contenders
    ]
    runs = {"measurements": [asdict(each) for each in part.measurements]} if whole else {}
    return {
        **about,
        "methods": methods,
        "divergences": [each.to_json() for each in part.divergences],
        "left_out": part.left_out,
        **runs,
    }
