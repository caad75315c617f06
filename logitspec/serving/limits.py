"""A visitor's limits on this machine, and how a visitor is identified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MAX_WAITING = 128  # queued runs of all visitors together


class Visitor(NamedTuple):
    """The owner of a run. session: of a page or of a script. address: of their machine; many people may share
    one. Both are empty for a caller in this process."""

    session: str = ""
    address: str = ""


NOBODY_ELSE = Visitor()


@dataclass(frozen=True, slots=True)
class Limits:
    """A visitor's share.

    run_seconds: model time of each run. work_seconds: the same for evidence, which gives way to others.
    way_seconds: length of its turn before it does so. load_seconds: for loading a model, its download included.
    waiting: queued runs of a visitor at the same time. unheard_seconds: for which a run keeps the models
    while nobody listens. held_seconds: for which a page's run is kept after that, in case the page returns.
    """

    run_seconds: float = 3600.0
    work_seconds: float = 3600.0
    way_seconds: float = 2.0
    load_seconds: float = 3600.0
    waiting: int = 8
    unheard_seconds: float = 10.0
    held_seconds: float = 60.0


PRIVATE = Limits()
"""The limits where only people at this machine reach the page."""

SHARED = Limits(run_seconds=120.0, work_seconds=600.0, load_seconds=600.0)
"""The limits where others reach it."""
