"""Scores of replayed variants by category, and their table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from logitspec.drafters import make
from logitspec.measure.replay.target import replay
from logitspec.measure.replay.transcript import Transcript
from logitspec.measure.variants import Variant
from logitspec.prompts import OVERALL
from logitspec.trace.metrics import Counts


@dataclass(slots=True)
class Score:
    """The counts of several runs."""

    prompts: int = 0
    counts: Counts = field(default_factory=Counts)

    def add(self, counts: Counts, prompts: int = 1) -> None:
        """Add the counts of one run, or the sum over the runs of several prompts."""
        self.prompts += prompts
        self.counts += counts

    def to_json(self) -> dict[str, Any]:
        """Counts and means. steps: forwards of the target, prefill excluded. drafted, accepted: nodes,
        roots not counted. seconds: of drafting and observing."""
        counts, seconds = self.counts, self.counts.seconds.drafter
        return {
            "prompts": self.prompts,
            "tokens": counts.tokens,
            "steps": counts.forwards,
            "drafted": counts.drafted,
            "accepted": counts.accepted,
            "seconds": round(seconds, 6),
            "mean_accepted_tokens": counts.mean_accepted_tokens,
            "mean_drafted": counts.mean_drafted,
            "acceptance_rate": counts.acceptance_rate,
            "ms_per_step": 1000 * seconds / max(1, counts.forwards),
        }


Scores = dict[str, Score]  # by category, OVERALL among them


def compare(transcripts: Iterable[Transcript], variants: Sequence[Variant]) -> list[Scores]:
    """Replay each variant on all transcripts; their scores, in the order of `variants`."""
    scores: list[Scores] = [defaultdict(Score) for _ in variants]
    for transcript in transcripts:
        for variant, own in zip(variants, scores, strict=True):
            counts = replay(transcript, variant.method, **variant.options).counts()
            for category in dict.fromkeys((transcript.category, OVERALL)):
                own[category].add(counts)
    return scores


def table(variants: Sequence[Variant], scores: Sequence[Scores]) -> str:
    """The scores side by side: per category, then overall."""
    width = max(len(variant.title) for variant in variants) + 2
    headings = ("prompts", "tokens", "steps", "MAT", "drafted", "accepted", "ms/step")
    lines = ["".join([" " * width, *(f"{heading:>9}" for heading in headings)])]
    categories = [name for name in scores[0] if name != OVERALL]
    for category in [*sorted(categories), OVERALL]:
        lines.append(category)
        lines += [
            f"  {variant.title:<{width - 2}}{_cells(own[category])}"
            for variant, own in zip(variants, scores, strict=True)
        ]
    return "\n".join(
        [
            *lines,
            "MAT: mean accepted tokens (tokens per target forward, root included, prefill excluded);"
            " drafted: nodes per step, without the root; accepted: of the drafted;"
            " ms/step: drafting and observing.",
        ]
    )


def _cells(score: Score) -> str:
    figures = score.to_json()
    return (
        f"{figures['prompts']:>9}{figures['tokens']:>9}{figures['steps']:>9}"
        f"{figures['mean_accepted_tokens']:>9.3f}{figures['mean_drafted']:>9.1f}"
        f"{figures['acceptance_rate']:>9.1%}{figures['ms_per_step']:>9.3f}"
    )


def document(variants: Sequence[Variant], scores: Sequence[Scores]) -> dict[str, Any]:
    """The scores as JSON values."""
    return {
        "methods": [
            {
                "method": variant.method,
                "options": make(variant.method, variant.options).options(),
                "scores": {name: score.to_json() for name, score in own.items()},
            }
            for variant, own in zip(variants, scores, strict=True)
        ]
    }
