"""Whether trees have the size that pays: sizes by cost against fixed sizes, on transcripts and known costs.

Forwards take the time in a table of costs, drafting and committing the time they take here. So a CPU can tell which
sizes would be right on a GPU.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.target import TranscriptTarget
from logitspec.measure.replay.transcript import Transcript
from logitspec.trace.costs import ForwardCosts

METHOD = "logitspec"
FIXED = (8, 16, 24, 32, 48, 64)
MAX_LOSS = 0.02

# Milliseconds by rows after some 250 tokens, SmolLM2-135M-Instruct.
COSTS: dict[str, dict[str, Any]] = {
    # float32, two cores of an AMD EPYC with AVX-512, torch 2.13.0+cpu, as in recorded run 104
    "cpu": {
        "rows": [1, 2, 4, 8, 16, 32, 64],
        "milliseconds": [35.0, 37.5, 37.5, 43.4, 51.4, 84.4, 141.6],
    },
    # bfloat16, layers as compiled CUDA graphs, NVIDIA H100, torch 2.11.0+cu130; sizes in between are padded
    "h100": {"rows": [1, 64], "milliseconds": [1.29, 1.37]},
}


@dataclass(slots=True)
class SizeScore:
    """The sums over runs with one size of trees. rows: of all trees together, roots included."""

    tokens: int = 0
    forwards: int = 0
    rows: int = 0
    seconds: float = 0.0

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds if self.seconds else 0.0


def read_costs(name: str) -> ForwardCosts:
    """The costs of that name in COSTS, or those under `forward_costs` in the file of a trace, gzipped or not.

    Raises LogitSpecError if there is neither.
    """
    try:
        return _parse_costs(COSTS.get(name) or _costs_of_trace(name))
    except (
        OSError,
        EOFError,
        zlib.error,
        ValueError,
        AttributeError,
        TypeError,
        RecursionError,
    ) as error:
        damaged = isinstance(error, (AttributeError, TypeError, RecursionError))
        why = "it is no trace" if damaged else getattr(error, "strerror", None) or error
        raise LogitSpecError(
            f"Can't read costs from {name} ({why}); name a trace, or one of {', '.join(COSTS)}."
        ) from error


def _costs_of_trace(path: str) -> Any:
    data = Path(path).read_bytes()
    trace = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return trace.get("environment", trace).get("forward_costs", trace)


def _parse_costs(data: dict[str, Any]) -> ForwardCosts:
    """The inverse of `ForwardCosts.to_json`."""
    if not {"rows", "milliseconds"} <= data.keys():
        raise ValueError(
            "it has no forward_costs, which only methods that size their trees measure"
        )
    rows, seconds = data["rows"], [each / 1000 for each in data["milliseconds"]]
    if not rows or len(rows) != len(seconds) or rows != sorted(set(rows)) or min(seconds) <= 0:
        raise ValueError("its forward_costs make no sense")
    return ForwardCosts(rows, seconds, bool(data.get("padded")))


def compare_sizes(transcripts: Iterable[Transcript], costs: str) -> dict[str, SizeScore]:
    """The score of trees sized by `costs` ("measured"), and of each fixed size, over all transcripts."""
    variants: dict[str, dict[str, Any]] = {
        "measured": {"tree_size": "measured"},
        **{str(nodes): {"tree_size": "capacity", "draft_tree_capacity": nodes} for nodes in FIXED},
    }
    scores = {name: SizeScore() for name in variants}
    for transcript in transcripts:
        for name, options in variants.items():
            target = TranscriptTarget(transcript, read_costs(costs))
            trace = begin(
                target, transcript.prompt_ids, METHOD, transcript.max_new_tokens, options=options
            )
            score = scores[name]
            for step in complete(target, trace).steps:
                score.tokens += len(step.tokens)
                score.forwards += 1
                score.rows += len(step.tree)
                score.seconds += step.seconds.device + step.seconds.draft + step.seconds.commit
    return scores


def loss(scores: dict[str, SizeScore]) -> float:
    """By what share of the best fixed size's tokens a second "measured" falls short; negative if it is ahead."""
    best = max(score.tokens_per_second for name, score in scores.items() if name != "measured")
    return 1 - scores["measured"].tokens_per_second / best if best else 0.0


def table(scores: dict[str, SizeScore]) -> str:
    """Nodes, mean accepted tokens and tokens a second by size."""
    lines = [f"{'size':>10}{'nodes':>8}{'MAT':>8}{'tokens/s':>10}"]
    lines += [
        f"{name:>10}{score.rows / max(1, score.forwards):>8.1f}"
        f"{score.tokens / max(1, score.forwards):>8.3f}{score.tokens_per_second:>10.1f}"
        for name, score in scores.items()
    ]
    lost = loss(scores)
    place = f"stays {lost:.1%} behind" if lost > 0 else f"is {-lost:.1%} ahead of"
    lines.append(
        f"measured {place} the best fixed size (wanted: at most {MAX_LOSS:.0%} behind it)."
    )
    return "\n".join(lines)
