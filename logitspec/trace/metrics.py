"""What steps amount to: counts that can be added, and the means that follow from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

D = TypeVar("D", "StepSeconds", "Counts")


@dataclass(slots=True)
class StepSeconds:
    """Seconds of one step or of several, to the microsecond: wall time of the four parts, and the
    device time within `verify`."""

    draft: float = 0.0
    verify: float = 0.0
    accept: float = 0.0
    commit: float = 0.0
    device: float = 0.0

    def __add__(self, other: StepSeconds) -> StepSeconds:
        return _sum(self, other)

    @property
    def wall(self) -> float:
        return self.draft + self.verify + self.accept + self.commit

    @property
    def loop(self) -> float:
        """The engine's own time, without the forward and the draft."""
        return self.wall - self.draft - self.device

    @property
    def drafter(self) -> float:
        """Drafting, and observing what became of the drafts, which is part of the commit."""
        return self.draft + self.commit


@dataclass(slots=True)
class Counts:
    """What was counted over steps, of one run or of many: counts are added with `+`.

    lengths: steps by tokens emitted, root included. sizes: steps by nodes of the tree, root included.
    drafted_by: drafts by origin. accepted_by: accepted drafts by origin and depth, 1 right below the
    root. uncompared: drafts below a rejection, or after the end of the text.
    """

    lengths: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    drafted_by: Counter[str] = field(default_factory=Counter)
    accepted_by: Counter[tuple[str, int]] = field(default_factory=Counter)
    uncompared: int = 0
    seconds: StepSeconds = field(default_factory=StepSeconds)

    def __add__(self, other: Counts) -> Counts:
        return _sum(self, other)

    @property
    def forwards(self) -> int:
        """Forwards of the target, one per step, prefill not counted."""
        return self.lengths.total()

    @property
    def tokens(self) -> int:
        """Tokens emitted."""
        return sum(length * steps for length, steps in self.lengths.items())

    @property
    def drafted(self) -> int:
        """Nodes other than roots: accepted + rejected + uncompared."""
        return self.drafted_by.total()

    @property
    def accepted(self) -> int:
        return self.accepted_by.total()

    @property
    def rejected(self) -> int:
        """Drafts whose parent was accepted and where the target chose another token."""
        return self.drafted - self.accepted - self.uncompared

    @property
    def mean_accepted_tokens(self) -> float:
        """Tokens emitted per target forward, root included, prefill excluded (Spec-Bench's
        definition)."""
        return ratio(self.tokens, self.forwards)

    @property
    def mean_drafted(self) -> float:
        """Drafts per step, roots not counted."""
        return ratio(self.drafted, self.forwards)

    @property
    def acceptance_rate(self) -> float:
        """Accepted drafts / drafted tokens."""
        return ratio(self.accepted, self.drafted)

    @property
    def tokens_per_second(self) -> float:
        """Of decoding, prefill excluded."""
        return ratio(self.tokens, self.seconds.wall)

    @property
    def origins(self) -> list[str]:
        """The origins of accepted drafts."""
        return sorted({origin for origin, _ in self.accepted_by})

    def accepted_at(self, origin: str) -> Counter[int]:
        """Accepted drafts of one origin by depth."""
        return Counter(
            {depth: count for (name, depth), count in self.accepted_by.items() if name == origin}
        )

    def shares(self) -> dict[str, float]:
        """Each origin's share of the emitted tokens."""
        emitted = Counter({"root": self.forwards})
        for (origin, _), count in self.accepted_by.items():
            emitted[origin] += count
        return {origin: count / self.tokens for origin, count in emitted.items() if count}

    def summary(self) -> dict[str, Any]:
        """The numbers of a run as JSON values."""
        return {
            "tokens": self.tokens,
            "forwards": self.forwards,
            "mean_accepted_tokens": self.mean_accepted_tokens,
            "drafted": self.drafted,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "uncompared": self.uncompared,
            "acceptance_rate": self.acceptance_rate,
            "seconds": self.seconds.wall,
            "device_seconds": self.seconds.device,
            "tokens_per_second": self.tokens_per_second,
            "share": self.shares(),
        }


def ratio(part: float, whole: float) -> float:
    """`part` / `whole`; 0 if `whole` is 0."""
    return part / whole if whole else 0.0


def _sum(left: D, right: D) -> D:
    """Both, added field by field."""
    names = [each.name for each in fields(left)]
    return type(left)(*(getattr(left, name) + getattr(right, name) for name in names))
