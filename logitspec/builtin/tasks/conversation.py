"""Talk over several turns: explanations, letters, plans, lists, and facts to remember."""

from __future__ import annotations

from collections.abc import Callable

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.explanations import FOLLOW_UPS, QUESTIONS, SUBJECTS, Subject
from logitspec.builtin.tasks.letters import letter, plan
from logitspec.builtin.tasks.remembering import memory, shopping
from logitspec.builtin.words import COLOURS, Words

Turns = list[tuple[str, str]]

_BY_TITLE = {subject.title: subject for subject in SUBJECTS}
# {0} is a name, {1} a town or another name; a question follows the greeting.
_GREETINGS = {
    "Hello! My name is {0} and I come from {1}.": "Hello, {0} from {1}!",
    "Hi, I am {0} from {1}.": "Hello, {0} from {1}!",
    "Good morning! {0} and {1} have a question.": "Good morning, {0} and {1}!",
    "I am {0}, a friend of {1}.": "Nice to meet you, {0}!",
    "Please help {0} and {1} with this question.": "Of course. This is for {0} and {1}.",
    "{0} wants to explain this to {1}.": "{0} can tell {1} this.",
}


def _explain(w: Words, style: str) -> tuple[Subject, str]:
    """A subject with one of its questions, in a combination with `style` of this split."""
    title, wording, _ = w.combination(list(_BY_TITLE), list(range(QUESTIONS)), [style])
    subject = _BY_TITLE[title]
    return subject, subject.questions[wording]


def _follow_up(w: Words, subject: Subject) -> tuple[str, str]:
    kind = w.pick(list(FOLLOW_UPS))
    return w.pick(FOLLOW_UPS[kind]), subject.reply(kind)


def _greet(w: Words) -> Turns:
    """A greeting with a question, sometimes with a follow-up or a request for the name."""
    first, second = w.people(2)
    greeting = w.pick(list(_GREETINGS))
    subject, question = _explain(w, greeting)
    fields = first.name, w.town() if "from" in greeting else second.name
    hello = _GREETINGS[greeting].format(*fields)
    turns = [(f"{greeting.format(*fields)} {question}", f"{hello} {subject.reply('answer')}")]
    if w.chance(0.25):
        turns.append(_follow_up(w, subject))
    if w.chance(0.15) and " I am " in f" {greeting}":
        turns.append(("What is my name?", f"Your name is {first.name}."))
    return turns


def _lesson(w: Words) -> Turns:
    """Questions about four or five subjects, with follow-ups in between."""
    turns: Turns = []
    titles: set[str] = set()
    count = w.pick([4, 4, 5])
    while len(titles) < count:
        subject, question = _explain(w, "plain")
        if subject.title in titles:
            continue
        titles.add(subject.title)
        turns.append((question, subject.reply("answer")))
        if w.chance(0.15):
            turns.append(_follow_up(w, subject))
    return turns


def _explanations(w: Words) -> Turns:
    return w.pick([_greet, _lesson])(w)


def _words(w: Words) -> list[str]:
    draws: list[Callable[[], str]] = [
        w.coin_word,
        w.coin_word,
        lambda: w.coin_word().capitalize(),
        w.thing,
        w.plural,
        w.town,
        lambda: w.person().name,
        lambda: w.pick(COLOURS),
        lambda: str(w.number(2, 99)),
    ]
    kinds = w.rng.sample(draws, w.number(1, 3))
    # Some kinds have few words, so the list may be shorter than the count.
    return list({w.pick(kinds)(): None for _ in range(w.number(14, 36))})


def _repeat(w: Words) -> Turns:
    """Words to repeat: pure copying, which a small model learns late from other tasks."""
    words = _words(w)
    while len(words) < 10:
        words = _words(w)
    text = w.pick([", ", " ", "\n", "\n"]).join(words)
    ask = w.pick(["Repeat this: ", "Say these words again: ", "Copy this list.\n",
                  "Write this once more:\n"])  # fmt: skip
    turns = [(ask + text, text)]
    if w.chance(0.2):
        place = w.number(0, len(words) - 2)
        turns.append((f"What comes after {words[place]}?",
                      f"After {words[place]} comes {words[place + 1]}."))  # fmt: skip
    return turns


_KINDS: dict[Callable[[Words], Turns], float] = {
    _explanations: 36, memory: 13, letter: 13, plan: 11, shopping: 14, _repeat: 13,
}  # fmt: skip


def sample(w: Words) -> Sample:
    """A conversation of one to eight turns."""
    (kind,) = w.rng.choices(list(_KINDS), list(_KINDS.values()))
    return Sample("conversation", tuple(kind(w)))
