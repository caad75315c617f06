"""Texts about made-up events: summaries that copy key sentences, and questions with answers."""

from __future__ import annotations

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.passages import (
    DOMAIN_NAMES,
    HEADLINES,
    Event,
    draw_asides,
    draw_events,
)
from logitspec.builtin.words import Words

# An article is summarized by the first sentence of each paragraph, a report by its facts.
_ARTICLE_ASKS = [
    "Summarize this article, one key sentence per paragraph.\n\n{text}",
    "List the key sentence of each paragraph.\n\n{text}",
    "Read this article and note the first sentence of every paragraph.\n\n{text}",
    "{text}\n\nPlease summarize the article above with one sentence per paragraph.",
    "{text}\n\nWhat are the main points? Give one bullet per paragraph.",
    "Please give me the main point of each paragraph as a list:\n\n{text}",
]
_REPORT_ASKS = [
    "Keep only the facts of this report.\n\n{text}",
    "Shorten this report to its facts.\n\n{text}",
    "Leave out everything in this report that is not a fact:\n\n{text}",
    "{text}\n\nPlease repeat only the facts of this report.",
    "{text}\n\nSummarize the report: keep the facts and drop the rest.",
    "Summarize this report. I only need the facts.\n\n{text}",
]
_SHORTER = [
    "Say it in one sentence.",
    "Now use only one sentence.",
    "Can you say it in a single sentence?",
    "What is the most important sentence?",
]
_QUESTION_ASKS = [
    "Read the {what} and answer the question{s}.\n\n{text}\n\n{question}",
    "Use the {what} below to answer: {question}\n\n{text}",
    "{text}\n\nAnswer with the help of the {what}: {question}",
    "Here is what I found in the {what}:\n\n{text}\n\nQuestion{s}: {question}",
    "{question} Look for the answer{s} in the {what}.\n\n{text}",
    "{text}\n\n{question} Please quote the {what}.",
]
# How a turn puts its questions: half of the turns ask a single one.
_FORMS = ["one", "one", "and", "lines"]


def _interleave(w: Words, sentences: list[str], others: list[str]) -> list[str]:
    """Merges both lists at random; each keeps its order."""
    marks = w.shuffled([True] * len(sentences) + [False] * len(others))
    first, second = iter(sentences), iter(others)
    return [next(first) if mark else next(second) for mark in marks]


def _title(event: Event) -> str:
    return f"{event.person} and {event.thing}"


def _opening(event: Event, about: str, sources: bool) -> str:
    """The first words of an answer: its subject and its source.

    Among sources it is the title of one, from the name in the question on. The same words come
    before the sentence to quote and lead the model there.
    """
    if not sources:
        return f"About {about}, the text says:"
    title = _title(event)
    return f"About {title[title.index(about) :] if about in title else about}:"


def _quote_answer(opening: str, sentence: str, conclusion: str) -> str:
    end = conclusion.replace("The ", "the ", 1) if conclusion.startswith("The ") else conclusion
    return f'{opening} "{sentence}" So {end}'


def _draw_questions(
    w: Words, events: list[Event], sources: bool, count: int
) -> list[tuple[str, str]]:
    """Up to `count` questions about these events, each with a different answer."""
    pairs: dict[str, tuple[str, str]] = {}
    for event in events:
        for fact in event.facts:
            for about, ask, conclusion in w.shuffled(fact.asks):
                answer = _quote_answer(_opening(event, about, sources), fact.sentence, conclusion)
                pairs.setdefault(conclusion, (ask, answer))
    questions = w.shuffled(list(pairs.values()))[:count]
    open_questions = [pair for event in events for pair in event.open_questions]
    # Twice as often in training as in evaluation, since it is learnt late.
    if open_questions and w.chance(0.12 if w.split == "train" else 0.06):
        about, ask, missing = w.pick(open_questions)
        source = "the sources do" if sources else "the text does"
        questions[w.number(0, len(questions) - 1)] = (
            ask,
            f"About {about}, {source} not say {missing}.",
        )
    return questions


def _join_questions(form: str, asks: list[str]) -> str:
    """Joins questions in one line, or puts each on its own, by `form`."""
    if form == "lines" or len(asks) == 1:
        return "\n".join(asks)
    *others, last = asks
    return " ".join([*others, "And " + last[0].lower() + last[1:]])


def _deal(
    pairs: list[tuple[str, str]], forms: list[str], counts: list[int]
) -> list[tuple[str, str]]:
    """Deals the questions out to turns; each answer has a line of its own.

    A text that answers too few questions has fewer turns, or a shorter last one.
    """
    turns = []
    for form, count in zip(forms, counts, strict=True):
        asks, answers = [ask for ask, _ in pairs[:count]], [answer for _, answer in pairs[:count]]
        pairs = pairs[count:]
        if asks:
            turns.append((_join_questions(form, asks), "\n".join(answers)))
    return turns


def _article(w: Words, domain: str, headline: str, size: int) -> tuple[str, list[str], list[Event]]:
    """An article, the first sentences of its paragraphs and its events."""
    count = min(w.number(2, 3) + size, 5)
    details = [w.number(1, 1 + min(size, 1)) for _ in range(count)]
    if w.chance(0.5):
        # One event; its other facts go into the details.
        spare = w.number(0, 2)
        events = draw_events(w, [count + spare], domain, headline)
        sentences = [fact.sentence for fact in events[0].facts]
        keys, extra = sentences[:count], sentences[count:]
        rest = w.shuffled(extra + draw_asides(w, max(0, sum(details) - len(extra))))
    else:
        # One event per paragraph.
        events = draw_events(w, [1] * count, domain, headline)
        keys = [event.facts[0].sentence for event in events]
        rest = draw_asides(w, sum(details))
    paragraphs = []
    for key, more in zip(keys, details, strict=True):
        paragraphs.append(" ".join([key, *rest[:more]]))
        rest = rest[more:]
    return "\n\n".join(paragraphs), keys, events


def _report(w: Words, domain: str, headline: str, size: int) -> tuple[str, list[str], list[Event]]:
    """A report of one paragraph, its facts and its event."""
    events = draw_events(w, [w.number(2, 3) + 2 * size], domain, headline)
    facts = [fact.sentence for fact in events[0].facts]
    sentences = _interleave(w, facts, draw_asides(w, w.number(1, 2) + size))
    return " ".join(sentences), facts, events


def summary(w: Words) -> Sample:
    """An article or a report with its summary; sometimes a shorter one or a question follows."""
    domain, headline, ask = w.combination(DOMAIN_NAMES, HEADLINES, _ARTICLE_ASKS + _REPORT_ASKS)
    article = ask in _ARTICLE_ASKS
    size = w.pick([0, 0, 1, 1, 2, 3])
    text, key_sentences, events = (_article if article else _report)(w, domain, headline, size)
    answer = (
        "\n".join(f"- {sentence}" for sentence in key_sentences)
        if article
        else " ".join(key_sentences)
    )
    turns = [(ask.format(text=text), answer)]
    if w.chance(0.15):
        turns.append((w.pick(_SHORTER), key_sentences[0]))
    elif w.chance(0.18):
        turns += _draw_questions(w, events, sources=False, count=1)
    return Sample("summarization", tuple(turns))


def _report_on(w: Words, events: list[Event], size: int) -> str:
    """A text about one event; up to `size` + 1 sentences in it name nothing."""
    facts = [fact.sentence for event in events for fact in event.facts]
    return " ".join(_interleave(w, facts, draw_asides(w, w.number(0, 1 + size))))


def _sources(w: Words, events: list[Event], _: int) -> str:
    """Numbered quotations with titles, one per event; each begins with the main fact."""
    lines = []
    for index, event in enumerate(events, 1):
        first, *others = [fact.sentence for fact in event.facts]
        quotation = " ".join([first, *_interleave(w, others, draw_asides(w, w.number(0, 1)))])
        lines.append(f'[{index}] {_title(event)}: "{quotation}"')
    return "\n".join(lines)


def question(w: Words) -> Sample:
    """A text or numbered sources with one to three turns of questions, all answered with quotes.

    A few questions have no answer in the text.
    """
    domain, headline, ask, what, form = w.combination(
        DOMAIN_NAMES, HEADLINES, _QUESTION_ASKS, ["text", "sources"], _FORMS
    )
    sources = what == "sources"
    size = w.pick([0, 0, 1, 1, 2, 3])
    if sources:
        counts = [w.number(1, 1 + size) for _ in range(min(2 + size, 4))]
    else:
        counts = [w.number(2, 3) + 2 * size]
    events = draw_events(w, counts, domain, headline)
    # The first event has the headline that was drawn above; it may be anywhere.
    events = w.shuffled(events)
    text = (_sources if sources else _report_on)(w, events, size)
    more = w.pick([0, 0, 1] if size == 0 else [0, 1, 1, 2])
    forms = [form, *(w.pick(_FORMS) for _ in range(more))]
    counts = [1 if each == "one" else w.pick([2, 2, 2, 2, 3]) for each in forms]
    turns = _deal(_draw_questions(w, events, sources, sum(counts)), forms, counts)
    first, answer = turns[0]
    plural = "s" if first.count("?") > 1 else ""
    turns[0] = (ask.format(what=what, text=text, question=first, s=plural), answer)
    return Sample("qa", tuple(turns))
