"""SAM-Decoding's dynamic part: when it copies, from where, and what it does otherwise."""

from __future__ import annotations

import random
from typing import Any

import pytest
from support.fakes import ScriptedTarget, finished

from logitspec import DraftTree, ForwardResult, Origin, TopK, decode
from logitspec.drafters import make

NOTHING = TopK([], [])


def ranking(*ids: int) -> TopK:
    return TopK(list(ids), [0.5 / (rank + 1) for rank in range(len(ids))])


def drafter(prompt: list[int], **options: Any) -> Any:
    made = make("suffix_automaton", options)
    made.reset(prompt)
    return made


def sources(tree: DraftTree) -> list[int | None]:
    return [born.copied_from for born in tree.provenance[1:]]


def test_a_copy_needs_a_match_of_the_threshold() -> None:
    # 1 2 3 4 5 occurred before; with the root 5 it is a match of five tokens.
    prompt = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]
    options = {"num_pred_tokens": 3}
    tree = drafter(prompt, threshold=5, **options).draft(5, NOTHING)
    assert tree.tokens == [5, 6, 7, 8]
    assert tree.parents == [-1, 0, 1, 2]
    assert sources(tree) == [5, 6, 7]
    assert {born.match_length for born in tree.provenance[1:]} == {5}
    assert drafter(prompt, threshold=6, **options).draft(5, NOTHING).tokens == [5]


def test_without_a_match_the_tree_is_that_of_token_recycling() -> None:
    rng = random.Random(7)
    text = [rng.randrange(9) for _ in range(60)]
    topk = [ranking(*rng.sample(range(9), 8)) for _ in text]
    both = [make("token_recycling", {}), make("suffix_automaton", {"threshold": 128})]
    trees = []
    for each in both:
        each.reset(text)
        each.learn(text, topk)
        # And what a step showed, rejected nodes included, goes to the table as well.
        step = DraftTree(3)
        step.add(0, 4, step.provenance[0])
        each.observe(step, [0], ForwardResult([0, 0], [ranking(5, 6), ranking(7, 3)], 0.0))
        trees.append(each.draft(4, NOTHING))
    assert trees[0] == trees[1]
    assert trees[1].tokens[:3] == [4, 7, 3]
    assert len(trees[1]) > 20


def test_options_reach_the_table() -> None:
    assert not drafter([1], seed_from_prompt=False).reads_prompt
    table = drafter([1])
    table.learn([1], [ranking(2)])
    assert table.draft(1, NOTHING).tokens == [1, 2]
    table.reset([9])
    assert table.draft(1, NOTHING).tokens == [1]


def test_the_text_of_the_last_request_is_forgotten() -> None:
    method = drafter([1, 2, 3, 4, 5, 6, 7, 8], threshold=1)
    assert method.draft(5, NOTHING).tokens == [5, 6, 7, 8]
    method.reset([9, 8])
    assert method.draft(5, NOTHING).tokens == [5]


def test_a_copy_is_of_the_first_occurrence() -> None:
    prompt = [1, 2, 10, 11, 1, 2, 20, 21, 1]
    tree = drafter(prompt, threshold=2, num_pred_tokens=2).draft(2, NOTHING)
    assert tree.tokens == [2, 10, 11]


def test_a_shorter_match_is_taken_when_more_follows_it() -> None:
    # 7 8 9 occurs just before the end, 8 9 also at the start.
    prompt = [8, 9, 1, 2, 3, 4, 5, 7, 8, 9, 6, 7, 8]
    for expected, copied, length in (
        (1, [6], 3),
        (3, [6, 7, 8], 3),
        (4, [1, 2, 3, 4], 2),
        (20, [1, 2, 3, 4, 5, 7, 8, 9, 6, 7, 8], 2),
    ):
        tree = drafter(prompt, threshold=3, num_pred_tokens=expected).draft(9, NOTHING)
        assert tree.tokens == [9, *copied]
        assert {born.match_length for born in tree.provenance[1:]} == {length}
    # The threshold is for the longest match, whichever one the copy follows.
    assert len(drafter(prompt, threshold=4, num_pred_tokens=4).draft(9, NOTHING)) == 1


def test_a_repeated_token_copies_itself_and_no_padding() -> None:
    tree = drafter([4] * 10, threshold=5, num_pred_tokens=40).draft(4, NOTHING)
    assert tree.tokens == [4] * 10  # after one token nine follow
    assert sources(tree) == list(range(1, 10))


def test_a_match_that_nothing_follows_falls_back() -> None:
    method = drafter([3, 5], threshold=1)
    method.learn([3, 5], [ranking(5), ranking(6)])
    tree = method.draft(5, NOTHING)
    assert tree.tokens == [5, 6]
    assert tree.provenance[1].origin is Origin.RECYCLED


@pytest.mark.parametrize("symbols", [2, 3, 5])
@pytest.mark.parametrize("threshold", [1, 3, 5])
def test_every_copy_says_truly_where_it_is_from(symbols: int, threshold: int) -> None:
    rng = random.Random(symbols)
    text = [rng.randrange(symbols) for _ in range(60)]
    while len(text) < 500:  # long repeats, cut at random places
        start = rng.randrange(len(text))
        text += [*text[start : start + rng.randrange(30)], rng.randrange(symbols)]
    options = {"threshold": threshold, "num_pred_tokens": 12}
    trace = finished(decode(ScriptedTarget(text), text[:100], "suffix_automaton", 350, **options))
    assert trace.output_ids == text[100:450]
    copies = 0
    for step in trace.steps:
        before, tree = text[: step.position], step.tree
        if len(tree) == 1 or tree.provenance[1].origin is Origin.RECYCLED:
            assert {born.origin for born in tree.provenance[1:]} <= {Origin.RECYCLED}
            continue
        copies += 1
        assert tree.parents == list(range(-1, len(tree) - 1))
        first = tree.provenance[1]
        assert first.match_length is not None
        assert first.copied_from is not None
        key = [*before, tree.tokens[0]][-first.match_length :]
        # After the first occurrence of the match, and verified tokens only.
        ends = range(len(key), len(before) + 1)
        assert first.copied_from == next(e for e in ends if before[e - len(key) : e] == key)
        for place, node in enumerate(range(1, len(tree))):
            source = first.copied_from + place
            assert tree.provenance[node] == (Origin.SUFFIX, None, None, len(key), source, None)
            assert before[source] == tree.tokens[node]
        assert len(tree) - 1 == min(12, len(before) - first.copied_from)
    assert copies > 20
