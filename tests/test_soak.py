"""The soak in miniature: a few visitors of each kind for seconds, on the app that the tests share."""

from __future__ import annotations

import soak
from support.awaited import awaited


def test_a_few_of_each_kind_get_what_is_theirs(url: str) -> None:
    figures = awaited(soak.Soak(url.rstrip("/"), 4).play(8))
    assert figures.broken(soak.alone()) == []
    assert len(figures.ran) >= 4
    assert set(figures.refused) <= {400, 403, 404, 413, 421}
    assert sum(figures.left.values()) >= 3


def test_halls_sit_through_and_everybody_is_served(url: str) -> None:
    lecture = soak.Soak(url.rstrip("/"), 0)
    figures = awaited(lecture.halls(pages=8, presses=3, seconds=0.3))
    assert figures.broken(soak.alone()) == []
    assert len(figures.ran) == 3
