"""The n-gram index against a scan of the whole text."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from logitspec.drafters.sources.ngram import NgramIndex

TEXTS = st.lists(st.integers(0, 3), max_size=40)


def scan(ids: list[int], ngram: tuple[int, ...]) -> list[int]:
    size = len(ngram)
    return [end for end in range(size, len(ids)) if tuple(ids[end - size : end]) == ngram]


@given(TEXTS, st.integers(1, 5), st.lists(st.integers(0, 40), max_size=4))
def test_occurrences_are_those_of_a_scan(ids: list[int], order: int, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]
    index = NgramIndex(order)
    for start, end in itertools.pairwise(bounds):
        index.extend(ids[start:end])
    assert index.ids == ids
    grams = {tuple(ids[i : i + n]) for n in range(1, order + 1) for i in range(len(ids) - n + 1)}
    for gram in grams:
        assert list(index.occurrences(gram)) == scan(ids, gram)
    assert not index.occurrences((7,))


@given(TEXTS, st.integers(1, 5), st.lists(st.integers(0, 3), min_size=1, max_size=2))
def test_suffixes_are_the_ends_of_the_text_longest_first(
    ids: list[int], order: int, unverified: list[int]
) -> None:
    text = [*ids, *unverified]
    expected = [tuple(text[-n:]) for n in range(min(order, len(text)), 0, -1)]
    assert list(NgramIndex(order, ids).suffixes(*unverified)) == expected


class CountedTokens(list[int]):
    """A text that counts how many of its tokens are read."""

    reads = 0

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        result = super().__getitem__(place)
        CountedTokens.reads += len(result) if isinstance(place, slice) else 1
        return result


def test_extending_reads_no_more_of_a_long_text_than_of_a_short_one() -> None:
    def reads(length: int) -> int:
        index = NgramIndex(3, range(length))
        index.ids = CountedTokens(index.ids)
        CountedTokens.reads = 0
        index.extend([1, 2, 3, 4, 5])
        list(index.suffixes(1, 2))
        return CountedTokens.reads

    assert reads(30_000) == reads(30) > 0
