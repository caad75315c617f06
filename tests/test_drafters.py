"""What each method drafts, and that it tells the truth about where every node came from."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fakes import ScriptedTarget, finished

from logitspec import METHODS, DraftTree, LogitSpecError, Origin, TopK, accept, decode
from logitspec.drafters import make, option_fields
from logitspec.measure.variants import parse_variant

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def ranking(*ids: int) -> TopK:
    return TopK(list(ids), [0.5 / (rank + 1) for rank in range(len(ids))])


@pytest.mark.parametrize("file", GOLDEN, ids=lambda path: path.stem)
def test_paper_mode_drafts_and_accepts_what_the_official_code_did(file: Path) -> None:
    run = json.loads(file.read_text())
    names = ("max_ngram_size", "num_pred_tokens", "draft_tree_capacity")
    drafter = METHODS["logitspec_paper"](**{name: run[name] for name in names})
    drafter.reset(run["prompt_ids"])
    for step in run["steps"]:
        length = step["context_len"]
        tree = drafter.draft(step["root"], ranking(*step["ranking"]))
        assert tree.tokens == step["draft_ids"]
        assert [length + depth for depth in tree.depths()] == step["position_ids"]
        path = accept(tree, target_choices(tree, run["output_ids"][length:]))
        assert len(path) == step["accepted"]
        drafter.observe(tree, path, None)
    assert len(run["steps"]) > 10


def target_choices(tree: DraftTree, text: list[int]) -> list[int]:
    """The target's choice after each node whose path is the start of `text`; -1 elsewhere."""
    choices = []
    for node in range(len(tree)):
        path = [tree.tokens[each] for each in tree.path_to(node)]
        known = path == text[: len(path)] and len(path) < len(text)
        choices.append(text[len(path)] if known else -1)
    return choices


def drafted(
    prompt: list[int], later: list[list[int]], root: int, last: TopK, **options: int
) -> Any:
    drafter = METHODS["logitspec_paper"](**options)
    drafter.reset(prompt)
    for tokens in later:
        tree = DraftTree(tokens[0])
        for parent, token in enumerate(tokens[1:]):
            tree.add(parent, token, tree.provenance[0])
        drafter.observe(tree, range(len(tokens)), None)
    return drafter.draft(root, last)


def test_paper_mode_hand_made_step_without_merging() -> None:
    last = ranking(3, 4, 5, 2, 1, 6, 7)
    tree = drafted(
        [1, 2, 3, 4, 1, 2, 3, 5, 1, 2], [], 3, last,
        max_ngram_size=3, num_pred_tokens=4, draft_tree_capacity=12,
    )  # fmt: skip
    assert tree.tokens == [3, 4, 1, 2, 3, 4, 1, 2, 3, 5, 1, 2]
    assert tree.depths() == [0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3]


def test_paper_mode_hand_made_step_after_updates() -> None:
    last = ranking(8, 9, 6, 7, 5, 1, 2, 3, 4, 0, 10, 11)
    tree = drafted(
        [7, 8, 9, 7, 8], [[9], [7, 8, 6], [7]], 8, last,
        max_ngram_size=3, num_pred_tokens=4, draft_tree_capacity=12,
    )  # fmt: skip
    assert tree.tokens == [8, 9, 7, 8, 6, 9, 7, 8, 6, 6, 7, 7]


class OfficialPool:
    """The n-gram memory by its published rule: one stored continuation per n-gram, rescanned."""

    def __init__(self, orders: int, length: int, prompt: list[int]) -> None:
        self.orders, self.length, self.ids = orders, length, list(prompt)
        self.stored: dict[tuple[int, ...], list[int]] = {}
        self.scan(0)

    def scan(self, start: int) -> None:
        for first in range(start, len(self.ids)):
            for order in range(1, self.orders + 1):
                end = first + order
                if end < len(self.ids):
                    key, value = tuple(self.ids[first:end]), self.ids[end : end + self.length]
                    if len(value) >= len(self.stored.get(key, [])):
                        self.stored[key] = value

    def extend(self, tokens: list[int]) -> None:
        self.ids += tokens
        self.scan(max(0, len(self.ids) - 2 * self.length))

    def lookup(self, *unverified: int) -> list[int]:
        text = [*self.ids, *unverified]
        for order in range(self.orders, 0, -1):
            if result := self.stored.get(tuple(text[-order:])):
                return result
        return []

    def draft(self, root: int, ids: list[int], capacity: int) -> list[int]:
        flat = self.lookup(root)
        for rank, token in enumerate(ids):
            if token != root:
                cut = 4 if rank <= 8 else 3 if rank <= 32 else 1
                flat = flat + [token, *self.lookup(root, token)][:cut]
        return [root, *flat][:capacity]


@pytest.mark.parametrize("seed", range(40))
def test_paper_mode_equals_the_published_rule_on_random_texts(seed: int) -> None:
    """Long copies included, after which the official memory is known to go stale."""
    rng = random.Random(seed)
    orders, length = rng.choice([(2, 4), (3, 4), (3, 20), (4, 16), (3, 6), (5, 9)])
    capacity = length + 3 + rng.randrange(40)
    symbols = rng.choice([2, 4, 12])
    text = [rng.randrange(symbols) for _ in range(rng.randrange(2, 60))]
    pool = OfficialPool(orders, length, text)
    drafter = make(
        "logitspec_paper",
        {
            "max_ngram_size": orders,
            "num_pred_tokens": length,
            "draft_tree_capacity": capacity,
        },
    )
    drafter.reset(text)
    for _ in range(30):
        root = rng.randrange(symbols)
        ids = rng.sample(range(symbols + 60), min(64, capacity))
        tree = drafter.draft(root, ranking(*ids))
        assert tree.tokens == pool.draft(root, ids, capacity)
        path = tree.path_to(rng.randrange(len(tree)))
        drafter.observe(tree, path, None)
        pool.extend([tree.tokens[node] for node in path])


@pytest.mark.parametrize("pred", [1, 2, 3, 29, 30, 64, 128])
@pytest.mark.parametrize("capacity", [2, 3, 5, 20, 21, 64, 128])
def test_paper_mode_runs_where_the_official_code_crashes(pred: int, capacity: int) -> None:
    text = [1, 2, 3, 4, 5, 6] * 60
    target = ScriptedTarget(text)
    options = {"num_pred_tokens": pred, "draft_tree_capacity": capacity}
    trace = finished(decode(target, text[:60], "logitspec_paper", 100, **options))
    assert trace.output_ids == text[60:160]
    assert max(target.verified) <= capacity
    assert len(trace.steps) < 100


def test_paper_mode_fills_the_tree_from_the_last_logits_alone() -> None:
    tree = drafted([1, 2], [], 3, ranking(*range(3, 67)))
    assert len(tree) == 64
    assert {origin.origin for origin in tree.provenance[1:]} == {Origin.LOGIT}
    assert [p.rank for p in tree.provenance[1:]] == list(range(1, 64))


def test_prompt_lookup_copies_after_the_first_complete_match_of_the_longest_ngram() -> None:
    drafter = make("prompt_lookup", {"num_pred_tokens": 3})
    drafter.reset([1, 2, 9, 9, 9, 1, 2, 8, 8, 8, 1])
    assert drafter.draft(2, ranking(2)).tokens == [2, 9, 9, 9]
    assert drafter.draft(8, ranking(8)).tokens == [8, 8, 8, 1]
    assert drafter.draft(7, ranking(7)).tokens == [7]
    # After (9, 1) only three tokens follow in [.., 9, 1, 5, 6] + root, the root among them.
    drafter.reset([9, 1, 5, 9])
    assert drafter.draft(1, ranking(1)).tokens == [1, 5, 9, 1]
    drafter.reset([9, 1, 9])
    assert drafter.draft(1, ranking(1)).tokens == [1]


def occurrences_before(ids: list[int], ngram: list[int]) -> list[int]:
    size = len(ngram)
    return [end for end in range(size, len(ids)) if ids[end - size : end] == ngram]


def check_provenance(step: Any, text: list[int]) -> int:
    """Check every claim of every node of a step against the text before it; return how many were copies."""
    tree, copies = step.tree, 0
    for node in range(1, len(tree)):
        born, parent = tree.provenance[node], tree.parents[node]
        if born.origin is Origin.LOGIT:
            assert parent == 0
            assert tree.tokens[node] == step.last.ids[born.rank]
            assert born.probability == step.last.probs[born.rank]
            assert born.copied_from is born.match_length is born.key is None
            continue
        copies += 1
        whole = [*text, tree.tokens[0]]
        assert whole[born.copied_from] == tree.tokens[node]
        assert born.rank is born.probability is None
        above = tree.provenance[parent]
        if above.origin is Origin.RETRIEVED:
            assert born == above._replace(copied_from=above.copied_from + 1)
            continue
        below_root = born.key == "root"
        assert (parent == 0) == below_root
        key = [*text, *(tree.tokens[each] for each in tree.path_to(parent))]
        size = born.match_length
        assert born.copied_from in occurrences_before(whole, key[-size:])
        assert whole[born.copied_from - size : born.copied_from] == key[-size:]
    return copies


@pytest.mark.parametrize("method", ["prompt_lookup", "logitspec_paper"])
def test_every_claim_about_the_source_of_a_node_is_true(method: str) -> None:
    rng = random.Random(3)
    text = [rng.randrange(6) for _ in range(400)]
    trace = finished(decode(ScriptedTarget(text), text[:100], method, 200))
    copies = sum(check_provenance(step, text[: step.position]) for step in trace.steps)
    assert copies > 100


@pytest.mark.parametrize("method", METHODS)
def test_options_describe_themselves_and_refuse_what_lies_outside(method: str) -> None:
    for each in option_fields(METHODS[method]):
        assert each.metadata["help"]
        switch = isinstance(each.default, bool)
        about = each.metadata
        if about["choices"]:
            outside: tuple[Any, ...] = ("", "other", -1, True)
        else:
            outside = (0, 1) if switch else (about["low"] - 1, about["high"] + 1, True)
        for wrong in (*outside, "3", 1.5, None):
            with pytest.raises(LogitSpecError, match=each.name):
                make(method, {each.name: wrong})
    with pytest.raises(LogitSpecError, match="no option 'nonsense'"):
        make(method, {"nonsense": 1})


def test_an_option_with_several_values_takes_a_list_of_its_choices() -> None:
    for lengths in ([4, 2], (2,)):
        assert make("goose", {"ngram_lengths": lengths}).options()["ngram_lengths"] == [*lengths]
    for wrong in ([], [0], [9], [4, "2"], [True], [3.0, 4.0], 4, {4: 2}):
        with pytest.raises(LogitSpecError, match="ngram_lengths must be a list of some of 1, 2"):
            make("goose", {"ngram_lengths": wrong})
    assert parse_variant("goose", ["ngram_lengths=4+2"]).options == {"ngram_lengths": [4, 2]}


def test_an_unknown_method_is_named_with_those_that_exist() -> None:
    with pytest.raises(LogitSpecError, match=r"no method 'magic'.*logitspec_paper"):
        make("magic", {})


def test_drafting_time_does_not_grow_with_the_text() -> None:
    """Counted, not timed: dictionary look-ups of a draft in a short and in a long text."""

    def lookups(length: int) -> int:
        drafter: Any = make("logitspec_paper", {})
        drafter.reset(list(range(length)))
        count = 0
        occurrences: Callable[[Any], Any] = drafter._index.occurrences

        class Counted(type(drafter._index)):  # type: ignore[misc]
            __slots__ = ()

            def occurrences(self, ngram: Any) -> Any:
                nonlocal count
                count += 1
                return occurrences(ngram)

        drafter._index.__class__ = Counted
        drafter.draft(5, ranking(*range(5, 69)))
        return count

    assert lookups(30_000) == lookups(100) > 0
