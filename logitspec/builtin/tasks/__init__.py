"""The tasks; `corpus.TASKS` names the function `(words) -> Sample` of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One conversation: its category and the turns as (user message, answer) pairs."""

    category: str
    turns: tuple[tuple[str, str], ...]

    @property
    def prompt(self) -> str:
        """All user messages, one per line."""
        return "\n".join(user for user, _ in self.turns)
