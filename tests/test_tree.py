"""The draft tree and the only acceptance rule."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logitspec import DraftTree, LogitSpecError, Origin, Provenance, accept

GUESS = Provenance(Origin.LOGIT, rank=3, probability=0.25)
COPY = Provenance(Origin.RETRIEVED, match_length=2, copied_from=7, key="next_next")


@st.composite
def trees(draw: st.DrawFn) -> DraftTree:
    tree = DraftTree(draw(st.integers(0, 3)))
    for _ in range(draw(st.integers(0, 12))):
        parent = draw(st.integers(0, len(tree) - 1))
        tree.add(parent, draw(st.integers(0, 3)), draw(st.sampled_from([GUESS, COPY])), False)
    return tree


def test_provenance_may_come_later_and_once() -> None:
    told: list[int] = []

    def explain() -> list[Provenance]:
        told.append(1)
        return [Provenance(Origin.ROOT), Provenance(Origin.LOGIT, 1)]

    late = DraftTree.to_explain([7, 8], [-1, 0], explain)
    assert (late.tokens, late.parents, late.depths(), told) == ([7, 8], [-1, 0], [0, 1], [])
    late.explain()
    assert late.provenance[1].rank == 1
    assert told == [1]
    assert late == DraftTree.from_json(late.to_json())


def test_merging_returns_the_node_that_carries_the_token() -> None:
    tree = DraftTree(5)
    first = tree.add(0, 7, GUESS)
    assert tree.add(0, 7, COPY) == first
    assert tree.provenance[first] == GUESS
    assert tree.add(0, 7, COPY, merge=False) != first
    assert tree.add(first, 7, COPY) not in (0, first)
    whole = DraftTree.to_explain([5, 7, 7], [-1, 0, 0], lambda: [GUESS] * 3)
    assert (whole.add(0, 7, COPY), whole.add(1, 7, COPY), len(whole)) == (1, 3, 4)
    assert whole.provenance[3] == COPY


def test_a_node_needs_a_parent_that_exists() -> None:
    with pytest.raises(LogitSpecError, match="Node 4"):
        DraftTree(5).add(4, 1, GUESS)


def test_depths_paths_and_ancestors() -> None:
    tree = DraftTree(9)
    a = tree.add(0, 1, GUESS)
    b = tree.add(a, 2, COPY)
    c = tree.add(0, 3, GUESS)
    assert tree.parents == [-1, 0, 1, 0]
    assert tree.depths() == [0, 1, 2, 1]
    assert tree.path_to(b) == [0, a, b]
    assert tree.ancestors() == [[0], [0, a], [0, a, b], [0, c]]


@given(trees())
def test_json_round_trip(tree: DraftTree) -> None:
    assert DraftTree.from_json(json.loads(json.dumps(tree.to_json()))) == tree


@given(trees(), st.integers(0, 4))
def test_cutting_keeps_exactly_the_paths_that_are_short_enough(tree: DraftTree, depth: int) -> None:
    def texts(of: DraftTree) -> list[list[int]]:
        return [[of.tokens[n] for n in of.path_to(node)] for node in range(len(of))]

    assert texts(tree.cut(depth)) == [text for text in texts(tree) if len(text) <= depth + 1]


def agreed(tree: DraftTree, choices: list[int], node: int) -> bool:
    """By the definition: every node of the path equals the choice after the node before it."""
    path = tree.path_to(node)
    return all(tree.tokens[b] == choices[a] for a, b in itertools.pairwise(path))


@given(trees(), st.data())
def test_accept_takes_the_deepest_agreed_path_and_the_first_of_equals(
    tree: DraftTree, data: st.DataObject
) -> None:
    size = len(tree)
    choices = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    candidates = [tree.path_to(node) for node in range(size) if agreed(tree, choices, node)]
    longest = max(map(len, candidates))
    assert accept(tree, choices) == next(path for path in candidates if len(path) == longest)
