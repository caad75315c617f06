"""What a GPU should reach, mostly as ratios of two figures of one run, next to what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from logitspec.measure.benchmark.runs import OURS, REFERENCE
from logitspec.prompts import OVERALL

AT_BEST = f"{REFERENCE} at its best shape"

Findings = dict[str, Any]


class Bar(NamedTuple):
    """One figure that a GPU should reach.

    measure: computes it from the findings of the parts; raises LookupError, TypeError or ZeroDivisionError if
    a finding is missing. at_most: whether `limit` is an upper bound, not a lower one.
    """

    name: str
    before: float | None
    limit: float
    at_most: bool
    measure: Callable[[Findings], float]


def bars(parts: Findings) -> list[dict[str, Any]]:
    """All bars as JSON values; measured and reached are None where a figure is missing."""
    return [_judge(bar, parts) for bar in BARS]


def _judge(bar: Bar, parts: Findings) -> dict[str, Any]:
    try:
        measured: float | None = bar.measure(parts)
    except (LookupError, TypeError, ZeroDivisionError):
        measured = None
    reached = None
    if measured is not None:
        reached = measured <= bar.limit if bar.at_most else measured >= bar.limit
    return {
        "bar": bar.name,
        "before": bar.before,
        "wanted": f"{'at most' if bar.at_most else 'at least'} {bar.limit:g}",
        "measured": None if measured is None else round(measured, 3),
        "reached": reached,
    }


def _row(parts: Findings, shape: str, rows: int, context: int, mode: str = "kernels") -> Findings:
    """The figures of a tree of `rows` rows after a text of `context` tokens."""
    key = {"mode": mode, "rows": rows, "context": context}
    fitting = [each for each in parts[shape]["rows"] if key.items() <= each.items()]
    return fitting[0]  # type: ignore[no-any-return]


def _milliseconds(
    parts: Findings, shape: str, rows: int, context: int, mode: str = "kernels"
) -> float:
    return float(_row(parts, shape, rows, context, mode)["forward_ms"])


def _memory(parts: Findings) -> float:
    read = _row(parts, "llama-7b", 1, 256)["read_gb_per_second"]
    return float(read / parts["copy"]["gb_per_second"])


def _tree(shape: str) -> Callable[[Findings], float]:
    """The time of 64 rows after a long text, as a multiple of one row after a short one."""
    return lambda parts: _milliseconds(parts, shape, 64, 2048) / _milliseconds(parts, shape, 1, 256)


def _fused(parts: Findings) -> float:
    shape = "smollm2-135m"
    return _milliseconds(parts, shape, 1, 256) / _milliseconds(parts, shape, 1, 256, "graphs")


def _families(parts: Findings) -> float:
    return _milliseconds(parts, "qwen2-0.5b", 1, 256) / _milliseconds(parts, "llama-0.5b", 1, 256)


def _scores(parts: Findings) -> dict[str, Findings]:
    methods = parts["smollm2 bfloat16"]["methods"]
    return {each["title"]: each["scores"][OVERALL] for each in methods}


def _rate(score: Findings) -> float:
    return float(score["tokens_per_second"]["median"])


def _speed_up(parts: Findings) -> float:
    scores = _scores(parts)
    return _rate(scores[OURS]) / _rate(scores[AT_BEST])


def _lead(parts: Findings) -> float:
    scores = _scores(parts)
    others = [
        _rate(score) for title, score in scores.items() if title not in (OURS, REFERENCE, AT_BEST)
    ]
    return _rate(scores[OURS]) / max(others, default=0.0)


def _differing(parts: Findings) -> float:
    """The number of outputs that differ from plain decoding's at the same shape, over all methods."""
    scores = _scores(parts)
    return float(sum(score["differing"] for title, score in scores.items() if title != AT_BEST))


def _first_step(parts: Findings) -> float:
    return float(parts["smollm2 bfloat16"]["first_step_seconds"])


BARS = (
    Bar("7B: bytes read a second over one row / a copy's", 0.66, 0.83, False, _memory),
    Bar("7B: 64 rows after 2,048 tokens / one row after 256", 1.45, 1.2, True, _tree("llama-7b")),
    Bar("0.5B, grouped heads: the same", 2.0, 1.3, True, _tree("llama-0.5b")),
    Bar("135M: one row with kernels / by plain operations", 1.0, 0.65, True, _fused),
    Bar("0.5B: one row, Qwen2 / Llama", 1.75, 1.1, True, _families),
    Bar("SmolLM2: logitspec / plain decoding at its best shape", 1.88, 2.3, False, _speed_up),
    Bar("SmolLM2: logitspec / the fastest other method", 0.99, 1.15, False, _lead),
    Bar(
        "SmolLM2: outputs of all methods that differ from plain decoding's",
        None,
        0,
        True,
        _differing,
    ),
    Bar("SmolLM2: seconds to the first step after loading", None, 1.0, True, _first_step),
)
