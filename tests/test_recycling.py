"""Token recycling: the shape of the tree, and what the table knows when."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

from support.fakes import ScriptedTarget, finished

from logitspec import DraftTree, ForwardResult, Origin, TopK, decode
from logitspec.drafters import make
from logitspec.drafters.token_recycling import SHAPE

NOTHING = TopK([], [])


def ranking(*ids: int) -> TopK:
    return TopK(list(ids), [0.5 / (rank + 1) for rank in range(len(ids))])


def recycling(prompt: list[int] | None = None, **options: Any) -> Any:
    drafter = make("token_recycling", options)
    drafter.reset(prompt or [])
    return drafter


def saw(drafter: Any, *rows: tuple[int, int, TopK]) -> None:
    """A step over a tree of (token, parent, what the target put after it); only the root is accepted."""
    tree = DraftTree(rows[0][0])
    for token, parent, _ in rows[1:]:
        tree.add(parent, token, tree.provenance[0])
    drafter.observe(tree, [0], ForwardResult([-1] * len(rows), [best for _, _, best in rows], 0.0))


def children(tree: DraftTree, node: int) -> list[int]:
    return [
        token for token, parent in zip(tree.tokens, tree.parents, strict=True) if parent == node
    ]


def rank_path(node: int) -> list[int]:
    """The ranks from below the root down to a node of the shape."""
    ranks: list[int] = []
    while node:
        node, rank = SHAPE[node - 1]
        ranks.insert(0, rank)
    return ranks


def full_tree() -> DraftTree:
    """Every token has eight successors that no other token has: t is followed by 8t + 1 to 8t + 8."""
    drafter = recycling()
    for token in range(sum(8**depth for depth in range(6))):
        saw(drafter, (token, -1, ranking(*range(8 * token + 1, 8 * token + 9))))
    tree: DraftTree = drafter.draft(0, NOTHING)
    return tree


def test_the_levels_of_a_full_tree() -> None:
    depths = Counter(full_tree().depths())
    assert [depths[depth] for depth in range(7)] == [1, 8, 21, 25, 15, 8, 3]


def test_every_node_of_a_full_tree_is_the_successor_that_it_says() -> None:
    tree = full_tree()
    for node in range(1, len(tree)):
        born = tree.provenance[node]
        assert born.rank is not None
        assert tree.tokens[node] == 8 * tree.tokens[tree.parents[node]] + 1 + born.rank
        assert born == (Origin.RECYCLED, born.rank, 0.5 / (born.rank + 1), None, None, None)


def test_the_shape_takes_the_cheapest_paths_of_each_level() -> None:
    """No path left out is cheaper than one of the same level, if its parent is in the shape."""
    paths = [tuple(rank_path(node)) for node in range(1, len(SHAPE) + 1)]
    assert len(set(paths)) == 80
    known = {(), *paths}
    for depth in range(1, 7):
        costs = [prod(rank + 1 for rank in path) for path in paths if len(path) == depth]
        left_out = [
            prod(rank + 1 for rank in (*above, last))
            for above in known
            for last in range(8)
            if len(above) == depth - 1 and (*above, last) not in known
        ]
        assert max(costs) <= min(left_out, default=9)


def test_lower_ranks_get_more_children() -> None:
    counts = Counter(parent for parent, _ in SHAPE)
    first_level = [counts[node] for node in range(1, 9)]
    assert first_level == sorted(first_level, reverse=True)
    assert first_level[0] == 8 > first_level[-1]


def test_a_token_never_read_has_nothing_below_it() -> None:
    drafter = recycling()
    assert drafter.draft(1, NOTHING).tokens == [1]
    saw(drafter, (1, -1, ranking(2, 3)))
    assert drafter.draft(1, NOTHING).tokens == [1, 2, 3]
    assert drafter.draft(2, NOTHING).tokens == [2]


def test_rejected_nodes_teach_as_well_as_accepted_ones() -> None:
    drafter = recycling()
    saw(drafter, (1, -1, ranking(2)), (5, 0, ranking(6)), (6, 1, ranking(7)))
    tree = drafter.draft(5, NOTHING)
    assert tree.tokens == [5, 6, 7]
    assert tree.parents == [-1, 0, 1]


def test_the_latest_reading_of_a_token_counts() -> None:
    drafter = recycling()
    saw(drafter, (1, -1, ranking(2)), (1, 0, ranking(3)), (1, 1, ranking(4)))
    assert children(drafter.draft(1, NOTHING), 0) == [4]
    saw(drafter, (1, -1, ranking(5)))
    assert children(drafter.draft(1, NOTHING), 0) == [5]


def test_eight_successors_are_kept_of_many() -> None:
    drafter = recycling()
    saw(drafter, (1, -1, ranking(*range(100, 228))))
    assert drafter.draft(1, NOTHING).tokens == [1, *range(100, 108)]


def test_the_table_is_forgotten_with_the_text() -> None:
    drafter = recycling()
    saw(drafter, (1, -1, ranking(2)))
    drafter.reset([7, 8])
    assert drafter.draft(1, NOTHING).tokens == [1]


def test_two_drafters_share_nothing() -> None:
    saw(recycling(), (1, -1, ranking(2)))
    assert recycling().draft(1, NOTHING).tokens == [1]


def test_the_prompt_seeds_the_table_when_asked_to() -> None:
    for seed, tokens in ((True, [1, 4, 9]), (False, [1])):
        drafter = recycling([1, 2, 1], seed_from_prompt=seed)
        assert drafter.reads_prompt == seed
        drafter.learn([1, 2, 1], [ranking(2), ranking(1), ranking(4, 9)])
        assert drafter.draft(1, NOTHING).tokens == tokens


class Rounds(ScriptedTarget):
    """Goes round from 1 to 7, whatever came before the token that it reads."""

    def verify(self, tree: DraftTree) -> ForwardResult:
        best = [ranking(token % 7 + 1, 99) for token in tree.tokens]
        return ForwardResult([top.ids[0] for top in best], best, 0.001)


def test_what_a_round_of_the_text_showed_is_drafted_in_the_next() -> None:
    text = [1, 2, 3, 4, 5, 6, 7] * 40
    trace = finished(decode(Rounds(text), text[:7], "token_recycling", 140))
    assert trace.output_ids == text[7:147]
    # This target says nothing about its prompt, so the first round is plain; then whole paths are
    # accepted, the root and six below it, and 140 = 7 + 19 * 7.
    assert [len(step.path) for step in trace.steps] == [1] * 7 + [7] * 19
