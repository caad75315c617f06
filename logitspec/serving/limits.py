"""What one visitor may take of this machine, and who a visitor is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MAX_WAITING = 128  # runs of all visitors together


class Visitor(NamedTuple):
    """Whose a run is. session: of a page or of a script. address: of their machine; many people may share
    one. Both are empty for who calls from this process."""

    session: str = ""
    address: str = ""


NOBODY_ELSE = Visitor()


@dataclass(frozen=True, slots=True)
class Limits:
    """The share of a visitor.

    run_seconds: of the models, for each run. work_seconds: the same for evidence, which gives way to others
    on its way. way_seconds: after them it does so. load_seconds: that a model may take to be loaded, its download
    included. waiting: runs of a visitor that wait at the same time.
    unheard_seconds: that a run keeps the models while nobody listens. held_seconds: that a page's run is
    kept after that, for a page that comes back.
    """

    run_seconds: float = 3600.0
    work_seconds: float = 3600.0
    way_seconds: float = 2.0
    load_seconds: float = 3600.0
    waiting: int = 8
    unheard_seconds: float = 10.0
    held_seconds: float = 60.0


PRIVATE = Limits()
"""Where only people at this machine reach the page."""

SHARED = Limits(run_seconds=120.0, work_seconds=600.0, load_seconds=600.0)
"""Where others reach it."""
