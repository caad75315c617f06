"""Numbers in words, rounded as browsers round them: halves up, going by the decimal digits that a number shows. So
terminal, tools and page say the same of a run."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def decimal(value: float, digits: int) -> str:
    """With so many decimals, and commas between thousands."""
    return f"{_rounded(Decimal(repr(float(value))), digits):,}"


def percentage(share: float, digits: int) -> str:
    """A share as a percentage with so many decimals."""
    return f"{_rounded(100 * Decimal(repr(float(share))), digits):,}%"


def percent(share: float) -> str:
    """A share as a percentage, with more decimals where it is small, as in `assets/player/words.js`."""
    if share >= 0.01 or share == 0:
        return percentage(share, 1)
    return percentage(share, 2) if share >= 0.0001 else "< 0.01%"


def rate(value: float) -> str:
    """One decimal below 100, none from 100 on."""
    return decimal(value, 1 if value < 100 else 0)


def several(count: int, thing: str, ending: str = "s") -> str:
    """A number of things, in the singular for one."""
    return f"{count} {thing}{'' if count == 1 else ending}"


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
