"""The three reasons for the speed, each with one picture and one number, all of them from evidence."""

from __future__ import annotations

from collections import Counter
from html import escape

from logitspec.measure.evidence import BEYOND, Evidence, total
from logitspec.measure.evidence.gather import PAPER
from logitspec.publish.catalogue import say
from logitspec.trace.metrics import ratio
from logitspec.trace.tree import Origin

Bars = list[tuple[str, float, bool]]
"""Name, length from 0 to 1, and whether the bar is what the claim is about."""


def claims(evidence: Evidence) -> str:
    """The claims as HTML."""
    return (
        f'<p>{escape(say("why.claims-of", model=evidence.model))}</p><div class="why-claims">'
        + "".join((_ranks(evidence), _copies(evidence), _costs(evidence)))
        + "</div>"
    )


def _ranks(evidence: Evidence) -> str:
    ranks: Counter[int] = sum(evidence.ranks.values(), start=Counter())
    whole = ranks.total()
    parts: Bars = [
        (say(f"why.claim-ranks-{name}"), ratio(sum(ranks[rank] for rank in among), whole), ours)
        for name, among, ours in (
            ("top", range(1, 9), True),
            ("listed", range(9, BEYOND), True),
            ("beyond", (0, BEYOND), False),
        )
    ]
    return _claim("ranks", f"{sum(length for _, length, ours in parts if ours):.0%}", parts)


def _copies(evidence: Evidence) -> str:
    counts = total(evidence.runs[PAPER])
    accepted = {
        origin: counts.accepted_at(origin.value).total()
        for origin in (Origin.RETRIEVED, Origin.LOGIT)
    }
    whole = sum(accepted.values())
    parts: Bars = [
        (say(f"why.claim-copies-{origin.value}"), ratio(count, whole), origin is Origin.RETRIEVED)
        for origin, count in accepted.items()
    ]
    return _claim("copies", f"{parts[0][1]:.0%}", parts)


def _costs(evidence: Evidence) -> str:
    one, many = evidence.seconds[0], evidence.seconds[-1]
    parts: Bars = [
        (
            say("why.claim-costs-bar", n=rows, time=f"{1000 * seconds:.1f} ms"),
            seconds / many,
            big,
        )
        for rows, seconds, big in (
            (evidence.rows[0], one, False),
            (evidence.rows[-1], many, True),
        )
    ]
    rows, device = evidence.rows[-1], evidence.about["model"].get("device")
    times = say("why.claim-costs-times", n=many / one)
    return _claim("costs", times, parts, rows=rows, device=device, fold=f"{rows * one / many:.0f}")


def _claim(name: str, number: str, bars: Bars, **values: object) -> str:
    drawn = "".join(
        f'<li><span class="why-bar{" why-bar-ours" if ours else ""}" style="width: {length:.1%}"></span>'
        f"<span>{escape(title)}</span></li>"
        for title, length, ours in bars
    )
    return (
        f'<section class="why-claim"><h2>{escape(say(f"why.claim-{name}"))}</h2>'
        f'<p class="why-number">{escape(number)}</p>'
        f"<p>{escape(say(f'why.claim-{name}-text', **values))}</p><ul>{drawn}</ul></section>"
    )
