"""Summaries and questions, checked against the texts in the prompts by independent means."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from logitspec.builtin.tasks import Sample, passages, reading
from logitspec.builtin.words import EVAL_TOWNS, Split, Words


def drawn(kind: str, count: int, split: Split = "train", seed: int = 1) -> list[Sample]:
    make = {"summary": reading.summary, "question": reading.question}[kind]
    words = Words(random.Random(seed), split)
    return [make(words) for _ in range(count)]


def sentences(paragraph: str) -> list[str]:
    return re.findall(r"\S[^.]*\.", paragraph)


def names_something(sentence: str) -> bool:
    """Whether it holds a number, or a capital letter after its first word."""
    return bool(re.search(r"\d| [A-Z]", sentence))


def body(prompt: str) -> list[str]:
    """The text's paragraphs; the request comes before or after all of them."""
    blocks = prompt.split("\n\n")
    return (
        blocks[1:]
        if re.match(r"(Sum|List|Read|Please|Keep|Short|Leave)", blocks[0])
        else blocks[:-1]
    )


def asked_and_answered(sample: Sample) -> list[tuple[str, str]]:
    """Each question with the line that answers it; nothing but questions has a question mark."""
    pairs = []
    for prompt, answer in sample.turns:
        asks = re.findall(r"[A-Z][^.?:\n]*\?", prompt)
        pairs += list(zip(asks, answer.splitlines(), strict=True))
    return pairs


@pytest.mark.parametrize("split", ["train", "eval"])
def test_summaries_follow_the_rule_that_the_prompt_names(split: Split) -> None:
    forms = set()
    for sample in drawn("summary", 300, split):
        prompt, answer = sample.turns[0]
        result = [sentences(paragraph) for paragraph in body(prompt)]
        is_article = "paragraph" in prompt
        forms.add(is_article)
        if is_article:
            assert 2 <= len(result) <= 5
            chosen_sentences = [paragraph[0] for paragraph in result]
            assert answer == "\n".join("- " + sentence for sentence in chosen_sentences)
        else:
            (report,) = result
            chosen_sentences = [sentence for sentence in report if names_something(sentence)]
            assert len(chosen_sentences) < len(report)
            assert answer == " ".join(chosen_sentences)
        for ask, more in sample.turns[1:]:
            if "sentence" in ask:
                assert more == chosen_sentences[0]
                continue
            about, verdict = re.findall(r"^About ([^,]*), the text (says: \"|does not say)", more)[
                0
            ]
            assert about in ask
            assert verdict != 'says: "' or more.split('"')[1] in prompt
    assert forms == {True, False}


@pytest.mark.parametrize("split", ["train", "eval"])
def test_answers_quote_the_text_and_conclude_from_the_quote(split: Split) -> None:
    unsaid = total = 0
    sizes: list[int] = []
    for sample in drawn("question", 400, split):
        text = sample.turns[0][0]
        assert 1 <= len(sample.turns) <= 3
        seen: list[str] = []
        for question, answer in asked_and_answered(sample):
            total += 1
            missing = re.fullmatch(
                r"About ([^,]*), the (text does|sources do) not say [^.]*\.", answer
            )
            if missing:
                assert missing[1] in question
                unsaid += 1
                continue
            match = re.fullmatch(r'About ([^,:]*)(, the text says)?: "([^"]*\.)" So (.*\.)', answer)
            assert match, answer
            title, in_text, quote, conclusion = match.groups()
            assert title.split(" and ")[0] in question
            assert any(name.removeprefix("the ") in quote for name in title.split(" and "))
            seen.append(conclusion)
            assert text.count(quote) == 1
            assert ("\n[1] " in f"\n{text}") == (in_text is None)
            if in_text is None:
                (source,) = [line for line in text.splitlines() if quote in line]
                names = source.split(": ")[0].split("] ")[1]
                # An answer repeats the title of the source that it quotes, from a name on.
                is_title = any(f'{title}: "' in line for line in text.splitlines())
                assert names.endswith(title) if is_title else " and " not in title
            # Everything that the conclusion names is in the quote, and some of it is new.
            facts = set(re.findall(r"\b[A-Z]\w+|\d+", conclusion))
            assert facts <= set(re.findall(r"\w+", quote)), answer
            assert set(re.findall(r"\w+", conclusion)) - set(re.findall(r"\w+", question))
        assert len(set(seen)) == len(seen)
        sizes += [len(answer.splitlines()) for _, answer in sample.turns]
    assert 0.005 < unsaid / total < 0.1
    assert 0.4 < sum(size > 1 for size in sizes) / len(sizes) < 0.6
    assert max(sizes) == 3


def test_an_event_names_each_town_once() -> None:
    w = Words(random.Random(5), "eval")
    for _ in range(200):
        (event,) = passages.draw_events(w, [8], "ship", w.pick(passages.HEADLINES))
        (thing,) = set(re.findall(r"[Tt]he (\w+) (?:ferry|steamer|yacht|schooner|lifeboat)",
                                  " ".join(fact.sentence for fact in event.facts)))  # fmt: skip
        text = " ".join(fact.sentence for fact in event.facts).replace(f"he {thing} ", "")
        for town in EVAL_TOWNS:
            assert len(re.findall(rf"\b{town}\b", text)) <= (town != thing), text


def test_a_question_means_one_thing() -> None:
    words = Words(random.Random(2))
    for _ in range(150):
        result = passages.draw_events(words, [6, 4, 3], "town", passages.HEADLINES[0])
        answers: dict[str, set[str]] = {}
        for fact in [fact for event in result for fact in event.facts]:
            assert fact.asks
            assert names_something(fact.sentence), fact.sentence
            for about, ask, conclusion in fact.asks:
                assert about in ask
                answers.setdefault(ask, set()).add(conclusion)
        assert {len(each) for each in answers.values()} == {1}
        open_asks = {ask for event in result for _, ask, _ in event.open_questions}
        assert not open_asks & answers.keys()


def test_asides_name_nothing() -> None:
    words = Words(random.Random(3))
    result = passages.draw_asides(words, 2000)
    assert not [sentence for sentence in result if names_something(sentence)]


def test_a_sample_depends_on_its_words_alone() -> None:
    for kind in ("summary", "question"):
        assert drawn(kind, 40) == drawn(kind, 40)
        assert drawn(kind, 40) != drawn(kind, 40, seed=2)


@pytest.mark.parametrize("kind", ["summary", "question"])
def test_prompts_do_not_repeat(kind: str) -> None:
    result = {sample.prompt for sample in drawn(kind, 4000)}
    assert len(result) == 4000


def test_evaluation_combines_templates_in_ways_of_its_own() -> None:
    lists = (passages.DOMAIN_NAMES, passages.HEADLINES, ["text", "sources"])
    assert len(list(itertools.product(*lists))) > 60
    chosen: dict[Split, set[tuple[str, ...]]] = {}
    splits: tuple[Split, ...] = ("train", "eval")
    for split in splits:
        words = Words(random.Random(4), split)
        chosen[split] = {words.combination(*lists) for _ in range(3000)}
    assert not chosen["train"] & chosen["eval"]
    for place, options in enumerate(lists):
        assert {choice[place] for choice in chosen["train"]} == set(options)
