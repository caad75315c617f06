"""GOOSE: the recorded steps of the authors' code, the size of its trees, and what their nodes say."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fakes import ScriptedTarget, finished
from support.recorded import recorded_path, recorded_tree, recording, recordings

from logitspec import METHODS, ForwardResult, Origin, Target, TopK, decode, load
from logitspec.drafters import make, option_fields

NOTHING = TopK([], [])
MODELS = Path(os.environ.get("LOGITSPEC_MODELS", Path(__file__).parents[2] / "shared" / "models"))
RECORDED_ON = MODELS / "TinyStories-656K"
WITH_LOGITS = [file for file in recordings("goose") if "prompt_top" in recording(file)]


def ranking(*ids: int) -> TopK:
    return TopK(list(ids), [0.5 / (rank + 1) for rank in range(len(ids))])


def name(path: Path) -> str:
    return path.name.split(".")[0]


def rows(ids: list[list[int]], scores: list[list[int]]) -> list[TopK]:
    return [
        TopK(best, [score / 1e5 for score in row]) for best, row in zip(ids, scores, strict=True)
    ]


def compare(run: dict[str, Any], prompt: list[TopK], ranks: Iterator[list[TopK]]) -> None:
    """Compare each step, given the recorded ones before it. ranks: the target's after the nodes of each tree."""
    own = [each.name for each in option_fields(METHODS["goose"])]
    drafter = make("goose", {key: value for key, value in run["options"].items() if key in own})
    drafter.reset(run["prompt_ids"])
    drafter.learn(run["prompt_ids"], prompt)
    for step, best in zip(run["steps"], ranks, strict=True):
        drafted, tree = drafter.draft(step["root"], NOTHING), recorded_tree(step)
        assert drafted.tokens == tree.tokens
        assert drafted.parents == tree.parents
        origins = [born.origin for born in drafted.provenance]
        copied = step["spine"] if step["kind"] == "tree" else len(tree) - 1
        assert origins[1 : copied + 1] == [Origin.RETRIEVED] * copied
        assert set(origins[copied + 1 :]) <= {Origin.RECYCLED}
        result = ForwardResult([-1] * len(tree), best, 0.0)
        drafter.observe(tree, recorded_path(step, tree), result)


@pytest.mark.parametrize("file", WITH_LOGITS, ids=name)
def test_it_drafts_what_the_official_code_did(file: Path) -> None:
    run = recording(file)
    prompt = rows(run["prompt_top"], run["prompt_scores"])
    compare(run, prompt, (rows(step["top"], step["scores"]) for step in run["steps"]))
    assert len(run["steps"]) > 20


@pytest.fixture(scope="module")
def tiny_stories() -> Target:
    if not RECORDED_ON.exists():
        pytest.skip("the model of the recordings is not here; LOGITSPEC_MODELS names its parent")
    target: Target = load(RECORDED_ON, device="cpu", dtype="float32")[0]
    return target


@pytest.mark.parametrize("file", recordings("goose"), ids=name)
def test_it_drafts_what_the_official_code_did_on_the_model(
    file: Path, tiny_stories: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recording(file)
    monkeypatch.setattr("logitspec.runtime.runner.NODE_RANKS", run["options"]["adjacency_top_k"])
    prompt = tiny_stories.prefill(run["prompt_ids"], everywhere=True).topk
    compare(run, prompt, verified(run, tiny_stories))


def verified(run: dict[str, Any], target: Target) -> Iterator[list[TopK]]:
    for step in run["steps"]:
        tree = recorded_tree(step)
        yield target.verify(tree).topk
        target.commit(recorded_path(step, tree))


def test_a_copy_that_was_right_each_time_becomes_a_tree_of_101_nodes() -> None:
    text = list(range(1, 60)) * 7
    trace = finished(decode(ScriptedTarget(text), text[:130], "goose", 100))
    assert trace.output_ids == text[130:230]
    # This target says nothing about its prompt, so the first step is a copy without branches.
    sizes = [len(step.tree) for step in trace.steps]
    assert sizes[0] == 21
    assert max(sizes) == 101
    assert all(born.origin is Origin.RETRIEVED for born in trace.steps[1].tree.provenance[1:])


@pytest.mark.parametrize("seed", range(8))
def test_no_options_make_a_tree_that_targets_can_not_run(seed: int) -> None:
    rng = random.Random(seed)
    text = [rng.randrange(4) for _ in range(60)]
    text = (text + text[:20]) * 6
    options: dict[str, Any] = {
        "node_budget": rng.choice([2, 60, 127]),
        "max_chain": rng.choice([1, 20, 127]),
        "max_extended_chain": rng.choice([1, 100, 127]),
        "max_branch_depth": rng.choice([1, 6, 64]),
        "min_score": rng.choice([0.0, 0.01, 1.0]),
        "spine_branch_ratio": rng.choice([0.0, 0.5, 1.0]),
        "ngram_lengths": rng.choice([[1], [2, 8], [3, 4, 5]]),
        "use_bigram": rng.random() < 0.5,
    }
    trace = finished(decode(ScriptedTarget(text), text[:90], "goose", 250, **options))
    assert trace.output_ids == text[90:340]
    assert trace.options == {**make("goose", {}).options(), **options}
    for step in trace.steps:
        assert len(step.tree) <= 128
        siblings = list(zip(step.tree.parents, step.tree.tokens, strict=True))
        assert len(set(siblings)) == len(siblings)


@pytest.mark.parametrize("symbols", [3, 6])
def test_every_node_says_truly_where_it_is_from(symbols: int) -> None:
    rng = random.Random(symbols)
    text = [rng.randrange(symbols) for _ in range(60)]
    while len(text) < 700:  # long repeats, cut at random places
        start = rng.randrange(len(text))
        text += [*text[start : start + rng.randrange(40)], rng.randrange(symbols)]
    trace = finished(decode(ScriptedTarget(text), text[:150], "goose", 400))
    assert trace.output_ids == text[150:550]
    copies = 0
    for step in trace.steps:
        tree = step.tree
        known = [*text[: step.position], tree.tokens[0]]
        for node in range(1, len(tree)):
            born = tree.provenance[node]
            if born.origin is Origin.RECYCLED:
                assert born.probability == [0.6, 0.3, 0.1][born.rank or 0]
                continue
            copies += 1
            place, length = born.copied_from, born.match_length
            assert place is not None
            assert length in (3, 4, 5)
            assert known[place] == tree.tokens[node]
            above = tree.provenance[node - 1]
            if above.copied_from != place - 1 or above.match_length != length:
                # A copy starts where the longest known suffix first occurred.
                path = [*known, *(tree.tokens[each] for each in tree.path_to(node - 1)[1:])]
                ends = [
                    end
                    for end in range(length, len(known))
                    if known[end - length : end] == path[-length:]
                ]
                assert place == ends[0]
    assert copies > 300


def test_the_text_of_the_last_request_is_forgotten() -> None:
    drafter = make("goose", {})
    drafter.reset([1, 2, 3, 4, 5])
    drafter.learn([1, 2, 3, 4, 5], [ranking(token + 1) for token in (1, 2, 3, 4, 5)])
    drafter.reset([1, 2])
    assert drafter.draft(3, NOTHING).tokens == [3]


def test_without_the_prompt_s_logits_the_first_step_copies_alone() -> None:
    prompt = [1, 2, 3, 9, 1, 2]
    for harvest, tokens in ((True, [3, 9, 1, 2, 3, 7, 8]), (False, [3, 9, 1, 2, 3])):
        drafter = make("goose", {"use_prefill_harvest": harvest})
        assert drafter.reads_prompt is harvest
        drafter.reset(prompt)
        drafter.learn(prompt, [ranking(7) if token == 3 else ranking(8) for token in prompt])
        drafted = drafter.draft(3, NOTHING)
        assert drafted.tokens[: len(tokens)] == tokens
        assert (len(drafted) > 5) is harvest
