"""RACER: the recorded steps of the authors' code, and what its nodes say about themselves."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from support.fakes import ScriptedTarget, finished
from support.recorded import recorded_path, recorded_tree, recording, recordings

from logitspec import DraftTree, ForwardResult, Origin, TopK, decode
from logitspec.drafters import make

NOTHING = TopK([], [])
NAMES = {
    "ngram": "ngram",
    "max_nodes": "max_nodes",
    "max_breadth": "max_breadth",
    "draft_tree_capacity": "max_num_draft",
}


def ranking(*ids: int) -> TopK:
    return TopK(list(ids), [0.5 / (rank + 1) for rank in range(len(ids))])


def rankings(rows: list[list[int]]) -> list[TopK]:
    return [ranking(*row) for row in rows]


def racer(prompt: list[int], **options: Any) -> Any:
    drafter = make("racer", options)
    drafter.reset(prompt)
    return drafter


def paths(tree: DraftTree) -> set[tuple[int, ...]]:
    """The paths, as a set: in the authors' code, the order of siblings is that of a hash map."""
    result = {tuple(tree.tokens[each] for each in path) for path in tree.ancestors()}
    assert len(result) == len(tree)
    return result


@pytest.mark.parametrize("file", recordings("racer"), ids=lambda path: path.name.split(".")[0])
def test_it_drafts_what_the_official_code_did(file: Path) -> None:
    recorded = recording(file)
    compared = 0
    for case in recorded.get("cases", [recorded]):
        drafter = make("racer", {ours: case["options"][theirs] for ours, theirs in NAMES.items()})
        for run in case.get("runs", [case]):  # of one automaton, which keeps what it knows
            drafter.reset(run["prompt_ids"])
            drafter.learn(run["prompt_ids"], rankings(run["prompt_top"]))
            for step in run["steps"]:
                drafted, tree = drafter.draft(step["root"], NOTHING), recorded_tree(step)
                if step.get("tie_free", True):
                    assert paths(drafted) == paths(tree)
                    assert drafted.depths() == sorted(drafted.depths())
                    compared += 1
                result = ForwardResult([-1] * len(tree), rankings(step["top"]), 0.0)
                drafter.observe(tree, recorded_path(step, tree), result)
    assert compared >= 40


def test_tokens_never_read_are_followed_by_token_0_as_by_all_their_successors() -> None:
    assert racer([7, 8]).draft(7, NOTHING).tokens == [7, 0, 0, 0, 0, 0]
    drafter = racer([7, 8], max_breadth=2, draft_tree_capacity=8)
    drafter.learn([7, 8], [ranking(8, 9), ranking(7, 5)])
    tree = drafter.draft(7, NOTHING)
    # Below the root a breadth of 2 is halved: each node has one child.
    assert tree.tokens == [7, 8, 9, 7, 0, 8, 0, 7]
    assert tree.parents == [-1, 0, 0, 1, 2, 3, 4, 5]


def test_each_half_can_be_switched_off() -> None:
    prompt = [1, 2, 3, 4, 5, 1, 2, 3, 4, 6]
    copying = racer(prompt, ngram=3, max_breadth=0)
    assert not copying.reads_prompt
    assert copying.draft(1, NOTHING).tokens == [
        1
    ]  # the state is the trie's root: a match of one token
    assert copying.draft(2, NOTHING).tokens == [2, 3]
    recycling = racer(prompt, ngram=0, max_breadth=2, draft_tree_capacity=4)
    recycling.learn(prompt, [ranking(token + 1, token + 2) for token in prompt])
    assert recycling.draft(1, NOTHING).tokens == [1, 2, 3, 3]


def test_a_drafter_goes_on_with_what_it_knows_and_a_new_one_knows_nothing() -> None:
    drafter = racer([1, 2, 3, 4], ngram=3, max_breadth=1)
    drafter.learn([1, 2, 3, 4], [ranking(2), ranking(3), ranking(4), ranking(5)])
    drafter.reset([9, 9])
    drafter.draft(1, NOTHING)
    tree = drafter.draft(2, NOTHING)
    assert tree.tokens[:4] == [2, 3, 4, 5]
    copied = tree.provenance[1]
    assert (copied.origin, copied.copied_from) == (Origin.RETRIEVED, None)  # of another text
    assert racer([9, 9], max_breadth=1).draft(2, NOTHING).tokens[1:] == [0] * 63


def test_nothing_is_copied_before_the_text_is_as_long_as_the_longest_ngram() -> None:
    drafter, drafted = racer([1, 2], ngram=6, max_breadth=0), []
    for token in [1, 2] * 4:
        tree = drafter.draft(token, NOTHING)
        drafted.append(tree.tokens[1:])
        drafter.observe(tree, [0], None)
    assert drafted[:5] == [[]] * 5
    assert drafted[5][:2] == [1, 2]


@pytest.mark.parametrize("max_nodes", [10_000, 60])
@pytest.mark.parametrize("symbols", [3, 6])
def test_every_node_says_truly_where_it_is_from(symbols: int, max_nodes: int) -> None:
    rng = random.Random(symbols)
    text = [rng.randrange(symbols) for _ in range(600)]
    options = {"max_nodes": max_nodes, "ngram": 6}
    trace = finished(decode(ScriptedTarget(text), text[:200], "racer", 350, **options))
    assert trace.output_ids == text[200:550]
    copies = 0
    for step in trace.steps:
        before, tree = text[: step.position], step.tree
        known = [*before, tree.tokens[0]]
        assert len(tree) <= 64
        for node in range(1, len(tree)):
            born = tree.provenance[node]
            if born.origin is Origin.RECYCLED:
                seen = {0: 0.6, 1: 0.3, 2: 0.1}  # by the scripted target
                assert born.probability in (seen[born.rank or 0], None) or tree.tokens[node] == 0
                continue
            copies += 1
            depth = len(tree.path_to(node)) - 1
            place, length = born.copied_from, born.match_length
            assert place is not None
            assert length is not None
            path = [tree.tokens[each] for each in tree.path_to(node)]
            assert before[place - depth : place + 1] == path
            end = place - depth + 1
            assert before[end - length : end] == known[-length:]
    assert copies > 150
