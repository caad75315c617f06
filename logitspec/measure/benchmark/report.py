"""The table of the figures, and what its reader must know."""

from __future__ import annotations

from typing import Any

from logitspec.measure.benchmark.figures import scores
from logitspec.measure.benchmark.runs import BASELINE, OURS, REFERENCE, Part
from logitspec.trace.rounding import several

COLUMNS = {
    "live": 7, "replayed": 10, "tokens": 9, "tokens/s": 25, f"x {BASELINE}": 20,
    f"x {REFERENCE}": 20, "MAT": 7, f"{OURS}'s": 13, "drafted": 9, "accepted": 10, "outside": 9, "prefill ms": 12, "differ": 8, "faults": 8,
}  # fmt: skip

LEGEND = f"""\
live, replayed: prompts, counting each turn as one. tokens/s: decoding only, median and quartiles over the repeats. x: times the tokens/s of {BASELINE}' greedy
generate and of our plain decoding ({REFERENCE}), within the same repeat. MAT: mean accepted tokens (tokens
per target forward, root included, prefill excluded; for {BASELINE} including the prefill, which gives its
first token). {OURS}'s: the MAT of {OURS} as a multiple of this one. drafted: nodes per step, without the root; accepted: of the drafted. outside: share of decoding outside
the forward. prefill: median; for {BASELINE} the time of one new token, which is subtracted from its decoding.
differ: prompts whose output differs from that of {REFERENCE}; faults: those where no two tokens were nearly tied."""


def table(part: Part) -> str:
    """The figures side by side: per category, then overall."""
    figures = scores(part)
    width = max(map(len, figures)) + 2
    lines = ["".join([" " * width, *(f"{head:>{size}}" for head, size in COLUMNS.items())])]
    for category in next(iter(figures.values())):
        lines.append(category)
        lines += [
            f"  {title:<{width - 2}}{_cells(by_category[category])}"
            for title, by_category in figures.items()
        ]
    return "\n".join([*lines, LEGEND])


def _cells(figures: dict[str, Any]) -> str:
    cells = [
        str(figures["live"]),
        str(figures["replayed"]),
        str(figures["tokens"]),
        _spread(figures["tokens_per_second"], 1),
        _spread(figures[f"speed_up_over_{BASELINE}"], 2),
        _spread(figures[f"speed_up_over_{REFERENCE}"], 2),
        _cell(figures["mean_accepted_tokens"], ".2f"),
        _cell(figures["logitspec_accepts"], ".2f"),
        _cell(figures["mean_drafted"], ".1f"),
        _cell(figures["acceptance_rate"], ".1%"),
        _cell(figures["outside_forward"], ".1%"),
        _cell(figures["prefill_ms"], ".1f"),
        str(figures["differing"]),
        str(figures["faults"]),
    ]
    return "".join(f"{cell:>{size}}" for cell, size in zip(cells, COLUMNS.values(), strict=True))


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _spread(values: dict[str, float] | None, digits: int) -> str:
    if values is None:
        return "-"
    low, middle, high = (f"{values[name]:.{digits}f}" for name in ("low", "median", "high"))
    return f"{middle} ({low}-{high})"


def notes(part: Part) -> list[str]:
    """What a reader of the table must know: differing outputs, missing prompts."""
    lines = [str(each) for each in part.divergences]
    if part.left_out:
        lines.append(
            f"Too long for the context: {several(len(part.left_out), 'prompt')}, left out."
        )
    return lines
