"""The models that the page offers."""

from __future__ import annotations

import re

from logitspec.models.catalogue import CATALOGUE


def test_small_to_large_and_those_without_permission_first() -> None:
    order = [(each.gated, each.millions) for each in CATALOGUE]
    assert order == sorted(order)


def test_entries_are_hub_ids_once_with_size_licence_and_memory() -> None:
    names = [each.name for each in CATALOGUE]
    assert len(names) == len(set(names))
    for each in CATALOGUE:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", each.name)
        assert each.gigabytes > 2 * each.millions / 1000  # the weights alone
        assert each.licence in each.line
        assert each.line.endswith("gated)") == each.gated
        # A size in the name is roughly the size: makers round it, and count embeddings or not.
        if match := re.search(r"(\d+(?:\.\d+)?)([BM])\b", each.name, re.IGNORECASE):
            size = float(match[1]) * (1000 if match[2] in "Bb" else 1)
            assert 0.8 < each.millions / size < 1.35, each.name
