"""What a text teaches about its copies, and what a prompt says about tokens that the target did not expect."""

from __future__ import annotations

import random
from math import exp, log
from typing import Any

import pytest
from support.recorded import SMOLLM2

from logitspec import DraftTree, Origin, Provenance, TopK
from logitspec.drafters import make
from logitspec.drafters.logitspec import LogitSpec
from logitspec.drafters.sources import offers
from logitspec.drafters.sources.evidence import LENGTHS
from logitspec.drafters.sources.offers import CAME, MAX_SUCCESSORS, Ranking, Successors
from logitspec.drafters.sources.trust import MOST, PACE, Trust
from logitspec.measure.replay.target import replay
from logitspec.measure.replay.transcript import read
from logitspec.trace.results import ForwardResult


@pytest.mark.parametrize("came", [True, False])
@pytest.mark.parametrize("odds", [0.02, 1.0, 30.0])
def test_it_follows_the_gradient_of_the_logarithmic_loss(odds: float, came: bool) -> None:
    """By finite differences, for the odds of the best copy against all others."""

    def gain(part: float) -> float:
        probability = odds * exp(part) / (1 + odds * exp(part))
        return log(probability if came else 1 - probability)

    step = 1e-5
    gradient = (gain(step) - gain(-step)) / (2 * step)
    learnt = Trust()
    learnt.learn(4, odds / (1 + odds), came)
    assert log(learnt.factors[4]) == pytest.approx(2 * PACE * gradient, rel=1e-4)
    # What is learnt for one length counts half for the others.
    assert log(learnt.factors[1]) == pytest.approx(PACE * gradient, rel=1e-4)


def test_it_ends_where_probabilities_are_right_and_within_bounds() -> None:
    rng, learnt = random.Random(2), Trust()
    for _ in range(4000):
        probability = 0.3 * learnt.factors[2] / (0.7 + 0.3 * learnt.factors[2])
        learnt.learn(2, probability, rng.random() < 0.8)
    assert 0.6 < probability < 0.95
    for _ in range(99):
        learnt.learn(8, 0.1, True)
    assert learnt.factors[8] == pytest.approx(exp(2 * MOST))
    assert all(exp(-2 * MOST) <= each <= exp(2 * MOST) for each in learnt.factors.values())
    assert set(learnt.factors) == set(LENGTHS)


def mean_accepted(**options: Any) -> float:
    """With trees of one size, over what a real model wrote for prompts as visitors type them."""
    sized = {"tree_size": "capacity", "draft_tree_capacity": 25}
    traces = [replay(each, "logitspec", **sized, **options) for each in read(SMOLLM2)]
    return sum(len(each.output_ids) for each in traces) / sum(len(each.steps) for each in traces)


def test_both_pay_on_a_real_model(monkeypatch: pytest.MonkeyPatch) -> None:
    neither, both = mean_accepted(adaptive=False), mean_accepted()
    monkeypatch.setattr(offers, "CAME", 1e-9)
    assert neither < mean_accepted() < both


def test_only_tokens_of_the_text_teach_and_each_request_begins_anew() -> None:
    drafter = make("logitspec", {"tree_size": "capacity"})
    assert isinstance(drafter, LogitSpec)
    text = [1, 2, 3, 4, 5, 6, 7, 8] * 3
    drafter.reset(text)
    tree = drafter.draft(1, TopK([1, 9], [0.9, 0.1]))
    path = [0]
    choices = [tree.tokens[1] if node == 0 else 77 for node in range(len(tree))]
    drafter.observe(tree, path, ForwardResult(choices, [TopK([], [])] * len(tree), 0.0))
    factors = drafter._trust.factors
    assert factors[8] > factors[1] > 1.0
    # After the last token of a path it is the target's own that came, or did not.
    longer = {}
    for after in (tree.tokens[2], 77):
        drafter.reset(text)
        drafter.draft(1, TopK([1, 9], [0.9, 0.1]))
        rows = ForwardResult([2, after, *choices[2:]], [TopK([], [])] * len(tree), 0.0)
        drafter.observe(tree, [0, 1], rows)
        longer[after] = drafter._trust.factors[8]
    assert longer[tree.tokens[2]] > factors[8] > longer[77]
    drafter.reset(text)
    assert set(drafter._trust.factors.values()) == {1.0}


# Rankings of a prompt

RANKED = TopK([10, 11, 12], [0.9, 0.05, 0.01])


def test_what_came_in_a_prompt_is_mixed_with_what_was_expected() -> None:
    unexpected, expected = Ranking(RANKED, (99, 7)), Ranking(RANKED, (12, 7))
    assert list(unexpected.ids) == [10, 99, 11, 12]
    assert list(expected.ids) == [10, 12, 11]
    wide = [exp(-each) for each in range(40)]
    for came in (3, 777):
        mixture = {token: (1 - CAME) * each for token, each in enumerate(wide[:MAX_SUCCESSORS])}
        mixture[came] = mixture.get(came, 0.0) + CAME
        best = sorted(mixture, key=lambda token: -mixture[token])[:MAX_SUCCESSORS]
        mixed = Ranking(TopK(list(range(40)), wide), (came, 7))
        assert list(mixed.ids) == best
        alone = Ranking(TopK(best, [mixture[token] for token in best]))
        assert mixed.buckets == alone.buckets
        assert mixed.groups == alone.groups
        assert [mixed.group(token) for token in best] == [alone.group(token) for token in best]
    assert Ranking(RANKED).ids == RANKED.ids


def test_an_offer_says_what_the_target_ranked_or_where_the_token_stands() -> None:
    ranking = Ranking(RANKED, (99, 7))
    assert ranking.offer(12, 3)[:4] == (12, Origin.RECYCLED, 2, 0.01)
    copy = ranking.offer(99, 3)
    assert (copy.origin, copy.rank, copy.match_length, copy.copied_from) == (
        Origin.RETRIEVED, None, 3, 7,
    )  # fmt: skip


def test_later_rankings_take_the_place_of_the_prompt_s() -> None:
    successors = Successors()
    successors.observe((1, 2), RANKED, (99, 7))
    successors.observe((2,), RANKED)
    assert [99 in each.ids for _, each in successors.known((1, 2))] == [True, False]


def test_of_two_nodes_with_a_token_the_accepted_one_is_remembered() -> None:
    drafter = make("logitspec", {})
    assert isinstance(drafter, LogitSpec)
    drafter.reset([1, 2])
    tree = DraftTree(5)
    accepted = tree.add(0, 7, Provenance(Origin.LOGIT))
    tree.add(tree.add(0, 8, Provenance(Origin.LOGIT)), 7, Provenance(Origin.LOGIT))
    rows = [TopK([each], [0.9]) for each in (7, 100, 101, 102)]
    drafter.observe(tree, [0, accepted], ForwardResult([7, 100, 0, 0], rows, 0.0))
    known = drafter._successors.known((7,))
    assert [ranking.ids for _, ranking in known] == [[100]]


def drafted_after(copies: bool) -> DraftTree:
    """A draft after a prompt in which 5 came after 4, which the target did not expect."""
    drafter = make("logitspec", {"tree_size": "capacity", "copies": copies})
    prompt = [1, 4, 5, 1]
    drafter.reset(prompt)
    drafter.learn(prompt, [TopK([7, 8], [0.6, 0.3])] * 4)
    return drafter.draft(4, TopK([4, 9], [0.9, 0.1]))


def test_without_copies_nothing_is_from_the_prompt() -> None:
    """Though the target's own ranks within it are."""
    assert 5 in drafted_after(copies=True).tokens
    without = drafted_after(copies=False)
    assert 5 not in without.tokens
    assert 7 in without.tokens
    without.explain()
    assert Origin.RETRIEVED not in {each.origin for each in without.provenance}
