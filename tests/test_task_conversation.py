"""Conversations: each answer is worked out again from what the user said."""

from __future__ import annotations

import collections
import functools
import random
import re

import pytest

from logitspec.builtin.tasks import Sample, conversation
from logitspec.builtin.tasks.explanations import FOLLOW_UPS, QUESTIONS, SUBJECTS
from logitspec.builtin.tasks.letters import letter, plan
from logitspec.builtin.tasks.remembering import memory, shopping
from logitspec.builtin.words import DAYS, Split, Words


@functools.cache
def take(count: int, split: Split = "train") -> list[Sample]:
    words = Words(random.Random(f"{split}-7"), split)
    return [conversation.sample(words) for _ in range(count)]


def test_prompts_do_not_repeat() -> None:
    assert len({sample.prompt for sample in take(20000)}) == 20000


def test_explanations_are_complete_and_short_enough_for_a_screen() -> None:
    questions = [question for subject in SUBJECTS for question in subject.questions]
    assert len(set(questions)) == len(SUBJECTS) * QUESTIONS
    for subject in SUBJECTS:
        assert 40 <= len(subject.reply("answer").split()) <= 80, subject.title
        for kind in FOLLOW_UPS:
            assert 5 <= len(subject.reply(kind).split()) <= 40, (subject.title, kind)
            assert "  " not in subject.reply(kind)


def explained(sample: Sample) -> list[str]:
    """The questions for an explanation, without the greeting before them."""
    topics = [question for subject in SUBJECTS for question in subject.questions]
    return [q for user, _ in sample.turns for q in topics if user.endswith(q)]


def test_a_third_of_the_samples_explains() -> None:
    assert 0.3 < sum(1 for sample in take(4000) if explained(sample)) / 4000 < 0.42


def test_a_question_and_its_follow_up_have_one_answer() -> None:
    kinds = {ask: kind for kind, asks in FOLLOW_UPS.items() for ask in asks}
    for sample in take(4000):
        subject = None
        for user, answer in sample.turns:
            if user in kinds:
                assert subject
                assert answer == subject.reply(kinds[user])
            for other in SUBJECTS:
                if user.endswith(other.questions) and other.reply("answer") in answer:
                    subject = other
                    assert answer.endswith(subject.reply("answer"))


def test_evaluation_asks_in_combinations_that_training_lacks() -> None:
    def plain(split: Split) -> set[str]:
        return {
            user
            for sample in take(4000 if split == "train" else 1000, split)
            if sample.turns[0][0] in explained(sample)
            for user in explained(sample)
        }

    assert plain("train")
    assert plain("eval")
    assert not plain("train") & plain("eval")


@pytest.mark.parametrize("split", ["train", "eval"])
def test_lists_are_kept_right(split: Split) -> None:
    words = Words(random.Random(1), split)
    for _ in range(500):
        items: dict[str, int] = {}
        for turn, (user, answer) in enumerate(shopping(words)):
            amounts = [(name, int(count)) for count, name in re.findall(r"(\d+) (\w+)", user)]
            swapped = [
                (name, int(count)) for name, count in re.findall(r"the (\w+) to (\d+)", user)
            ]
            if user.startswith("How many"):
                name = user.split()[2]
                assert answer == f"There are {items[name]} {name} on the list."
                continue
            if turn == 0 or amounts or swapped:
                items.update(swapped or amounts)
            else:
                (removed,) = set(re.findall(r"\w+", user)) & set(items)
                del items[removed]
            assert answer.splitlines()[1:] == [f"- {n} {name}" for name, n in items.items()]


def test_facts_are_remembered() -> None:
    words = Words(random.Random(2))
    for _ in range(500):
        (hello, welcome), *questions = memory(words)
        for _, answer in questions:
            for fact in re.findall(r"[^.]+\.", answer):
                name = fact.strip().removeprefix("Your name is")
                assert name.split()[-1] in hello
                assert name.strip() in welcome or name.strip(" .") in welcome


def test_a_changed_letter_differs_in_the_change_alone() -> None:
    words = Words(random.Random(3))
    for _ in range(500):
        (ask, first), *changes = letter(words)
        for name in re.findall(r"[A-Z]\w+day", first):
            assert name in DAYS
            assert name in ask
        for change, second in changes:
            pairs = zip(first.split(), second.split(), strict=True)
            new = {after.strip(",.?") for before, after in pairs if before != after}
            assert len(new) == 1
            assert new.pop() in change


def test_plans_hold_what_was_asked_for() -> None:
    words = Words(random.Random(4))
    for _ in range(300):
        (ask, first), *_ = plan(words)
        (hour,) = re.findall(r"(\d+) o'clock", ask)
        assert f"Start at {hour} o'clock" in first
        like, thing = re.findall(r"likes (\w+) and needs (an? \w+)", ask)[0]
        assert f"a place for {like}." in first
        assert f"buy {thing} for" in first


def test_words_are_copied() -> None:
    shares = collections.Counter(
        user.endswith(answer) for sample in take(4000) for user, answer in sample.turns[:1]
    )
    assert 0.1 < shares[True] / 4000 < 0.16
