"""Stories: whole, consistent with their request, and new in evaluation."""

from __future__ import annotations

import functools
import random
import re

import pytest

from logitspec.builtin.tasks import Sample, story
from logitspec.builtin.tasks.plots import PLOTS
from logitspec.builtin.words import PLACES, Split, Words


@functools.cache
def take(count: int, split: Split = "train") -> list[Sample]:
    words = Words(random.Random(f"{split}-7"), split)
    return [story.sample(words) for _ in range(count)]


def test_prompts_do_not_repeat() -> None:
    assert len({sample.prompt for sample in take(20000)}) == 20000


def test_plots_have_eight_sentences_and_more() -> None:
    assert len(PLOTS) >= 8
    assert all(len(plot.strip().splitlines()) >= 8 for plot in PLOTS.values())


@pytest.mark.parametrize("split", ["train", "eval"])
def test_a_story_names_only_people_things_and_places_of_its_request(split: Split) -> None:
    for sample in take(2000, split):
        prompt, answer = sample.turns[0]
        assert not re.search(r"[{}|]", prompt + answer)
        inside = re.findall(r"(?<=[a-z,] )[A-Z]\w+", answer)
        assert {*inside} - {"I", "Sunday", "Saturday"} <= set(re.findall(r"\w+", prompt)), answer
        (place,) = {place for place in PLACES if place in prompt}
        assert not any(other in answer for other in PLACES if other != place)


def test_a_request_says_whether_the_hero_is_a_woman_or_a_man() -> None:
    forms = {"woman": {"she", "her", "herself"}, "man": {"he", "him", "his", "himself"}}
    for sample in take(2000):
        prompt, answer = (set(re.findall(r"\w+", text.lower())) for text in sample.turns[0])
        if "story" not in prompt or {"continue", "finish", "go"} & prompt:
            continue  # a beginning to be continued may leave it open
        (asked,) = [kind for kind, words in forms.items() if words & prompt]
        assert all(kind == asked for kind, words in forms.items() if words & answer)


def test_evaluation_combines_plots_and_requests_anew() -> None:
    def templates(split: Split) -> set[tuple[str, ...]]:
        result: set[tuple[str, ...]] = set()
        for sample in take(20000 if split == "train" else 1500, split):
            prompt = sample.turns[0][0]
            title = re.match(r"(Tell me|Write|Please write|I would|May I).*about (a storm|a party|"
                             r"the secret|a race|a long way|a present)", prompt)  # fmt: skip
            heroes = re.search(r"(should help|Please let|has a friend|friend is)", prompt)
            things = re.search(r"(There should be|It happens|Put in)", prompt)
            if title and heroes and things:
                result.add((title[1], title[2], heroes[1], things[1]))
        return result

    assert len(templates("train")) > 200
    assert templates("eval")
    assert not templates("train") & templates("eval")
