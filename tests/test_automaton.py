"""The suffix automaton against a scan of the whole text."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from logitspec.drafters.sources.automaton import OnlineAutomaton

TEXTS = st.lists(st.integers(0, 2), max_size=40)


def scan(ids: list[int], token: int) -> list[tuple[int, int]]:
    """(length, position after its first occurrence in `ids`) of the suffixes of `ids` + `token` that occur
    in `ids`, longest first; of those with the same first occurrence, only the longest."""
    whole = [*ids, token]
    result: list[tuple[int, int]] = []
    for length in range(len(ids), 0, -1):
        end = whole[len(whole) - length :]
        firsts = (at for at in range(length, len(ids) + 1) if ids[at - length : at] == end)
        first = next(firsts, None)
        if first is not None and first not in [start for _, start in result]:
            result.append((length, first))
    return result


@given(TEXTS, st.integers(0, 3))
def test_matches_are_those_of_a_scan(ids: list[int], token: int) -> None:
    matches = [tuple(match) for match in OnlineAutomaton(ids).matches(token)]
    expected = scan(ids, token)
    assert matches[:1] == expected[:1]
    # Suffixes that always occurred together are one state. Suffixes that diverged later may share their
    # first occurrence: a scan by first occurrence sees one of them.
    longest: dict[int, int] = {}
    for length, start in matches:
        longest.setdefault(start, length)
    assert [(length, start) for start, length in longest.items()] == expected


@given(TEXTS)
def test_every_match_is_a_first_occurrence(ids: list[int]) -> None:
    for token in range(3):
        lengths = []
        for length, start in OnlineAutomaton(ids).matches(token):
            end = [*ids, token][len(ids) + 1 - length :]
            ends = [at for at in range(length, len(ids) + 1) if ids[at - length : at] == end]
            assert start == ends[0]
            lengths.append(length)
        assert lengths == sorted(set(lengths), reverse=True)


def test_it_is_right_at_every_moment_of_a_text_that_grows() -> None:
    """Over two, three and twenty symbols; the next token is asked about before it is added."""
    rng = random.Random(1)
    for symbols in (2, 3, 20):
        automaton = OnlineAutomaton()
        ids: list[int] = []
        for _ in range(150):
            token = rng.randrange(symbols)
            match = next(automaton.matches(token), None)
            assert (match and tuple(match)) == next(iter(scan(ids, token)), None)
            automaton.extend([token])
            ids.append(token)
        assert automaton.ids == ids


@given(st.lists(st.integers(0, 3), max_size=200))
def test_at_most_two_states_a_token(ids: list[int]) -> None:
    assert len(OnlineAutomaton(ids)) <= max(2, 2 * len(ids))


def test_an_empty_text_matches_nothing() -> None:
    assert list(OnlineAutomaton().matches(3)) == []


class CountedDict(dict[int, int]):
    """Transitions that count their look-ups."""

    asked = 0

    def get(self, *key):  # type: ignore[no-untyped-def]
        CountedDict.asked += 1
        return super().get(*key)

    def __contains__(self, key: object) -> bool:
        CountedDict.asked += 1
        return super().__contains__(key)

    def copy(self) -> CountedDict:
        return CountedDict(self)


class Counted(OnlineAutomaton):
    __slots__ = ()

    def _new(self, following: dict[int, int], *rest: int) -> int:
        return super()._new(CountedDict(following), *rest)


def test_a_text_of_32768_tokens_asks_for_a_few_transitions_a_token() -> None:
    """Counted, not timed. Few symbols and long repeats, where suffix links are longest."""
    rng = random.Random(4)
    phrase = [rng.randrange(2) for _ in range(3000)]
    hard = [0] * 8192
    while len(hard) < 32_768:
        start = rng.randrange(2900)
        hard += [*phrase[start : start + rng.randrange(100)], rng.randrange(2)]
    automaton = Counted()
    CountedDict.asked = 0
    for token in hard[:32_768]:
        next(automaton.matches(token), None)
        automaton.extend([token])
    assert len(automaton) <= 2 * 32_768
    assert 32_768 < CountedDict.asked < 10 * 32_768
