"""Talk over several turns: explanations, plans, letters, lists, and facts to remember."""

from __future__ import annotations

from collections.abc import Callable

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.explanations import SUBJECTS, Subject
from logitspec.builtin.words import (
    ANIMALS,
    COLOURS,
    DAYS,
    JOBS,
    PLACES,
    Person,
    Words,
    a,
    upper_first,
)

_HELLO = ["Hello", "Hi", "Good morning", "Hello there"]
_LIKES = ["reading", "cooking", "swimming", "painting", "singing", "chess", "music", "football",
          "gardening", "dancing", "hiking", "drawing"]  # fmt: skip


def _explain(w: Words, subject: Subject) -> tuple[str, str]:
    answer = " ".join(w.pick(wordings) for wordings in subject.answer)
    return w.pick(subject.questions), answer


def _explanations(w: Words) -> list[tuple[str, str]]:
    subjects = w.shuffled(SUBJECTS)[: w.pick([1, 2, 2, 3])]
    turns = [_explain(w, subject) for subject in subjects]
    ask, answer = turns[0]
    if w.chance(0.3):
        person = w.person()
        hello = f"{w.pick(_HELLO)}! My name is {person.name}. "
        turns[0] = hello + ask, f"{w.pick(['Hello', 'Hi'])}, {person.name}! {answer}"
        if w.chance(0.6):
            turns.append(("What is my name?", f"Your name is {person.name}."))
    elif w.chance(0.3):
        turns.insert(1, ("Can you say that again?", f"Of course. {answer}"))
    return turns


def _memory(w: Words) -> list[tuple[str, str]]:
    person, friend = w.people(2)
    town, job, like = w.town(), w.pick(JOBS), w.pick(_LIKES)
    animal, colour = w.pick(ANIMALS), w.pick(COLOURS)
    pet = w.person().name
    facts = [
        (f"I live in {town}.", "Where do I live?", f"You live in {town}."),
        (f"I work as {a(job)}.", "What is my job?", f"You work as {a(job)}."),
        (f"I like {like}.", "What do I like?", f"You like {like}."),
        (f"My best friend is called {friend.name}.", "What is my best friend called?",
         f"Your best friend is called {friend.name}."),
        (f"I have {a(colour)} {animal} called {pet}.", "What is my pet called?",
         f"Your {colour} {animal} is called {pet}."),
    ]  # fmt: skip
    told = w.shuffled(facts)[: w.number(2, 4)]
    name = (f"My name is {person.name}.", "What is my name?", f"Your name is {person.name}.")
    hello = f"{w.pick(_HELLO)}! {name[0]} " + " ".join(fact for fact, _, _ in told)
    turned = " ".join(answer for _, _, answer in told)
    turns = [(hello, f"Nice to meet you, {person.name}! {turned} How can I help you?")]
    turns += [(ask, answer) for _, ask, answer in w.shuffled([name, *told])[: w.number(1, 4)]]
    return turns


def _letter(w: Words) -> list[tuple[str, str]]:
    writer, reader = w.people(2)
    day, other_day = w.rng.sample(DAYS, 2)
    place, thing, hour = w.pick(PLACES), w.thing(), w.number(1, 9)
    reasons = {
        f"invite {reader.name} to a party at {place} on {day}": (
            f"I am having a party at {place} on {day} and I would love to see you there. "
            f"We start at {hour} o'clock. Please bring some good music and a warm coat."
        ),
        f"thank {reader.name} for the {thing}": (
            f"Thank you so much for the {thing}. It is beautiful, and I use the {thing} every day. "
            "When I look at it I think of you. I hope to see you soon."
        ),
        f"tell {reader.name} that I am ill and cannot come on {day}": (
            f"I am sorry, but I am ill and cannot come on {day}. The doctor says that I have to "
            "stay in bed. I hope that we can meet next week."
        ),
        f"ask {reader.name} to bring the {thing} on {day}": (
            f"Could you please bring the {thing} on {day}? I need the {thing} for my work at "
            f"{place}. I will give it back to you in the evening."
        ),
    }
    reason = w.pick(list(reasons))
    kind = w.pick(["letter", "email", "message"])
    ask = w.pick(["Write a short {0} to {1} for me. My name is {2}.",
                  "Please write {3} to {1} from {2}."])  # fmt: skip
    ask = ask.format(kind, reader.name, writer.name, a(kind)) + f" I want to {reason}."
    letter = f"Dear {reader.name},\n\n{reasons[reason]}\n\nBest wishes,\n{writer.name}"
    turns = [(ask, letter)]
    if day in reason and w.chance(0.6):
        change = f"Change the day to {other_day}."
        turns.append((change, letter.replace(day, other_day)))
    elif w.chance(0.5):
        signer: Person = w.person()
        change = f"Sign it with {signer.name} instead."
        turns.append((change, letter.removesuffix(writer.name) + signer.name))
    return turns


def _plan(w: Words) -> list[tuple[str, str]]:
    town, friend = w.town(), w.person()
    first, second, third = w.rng.sample(PLACES, 3)
    like, thing = w.pick(_LIKES), w.thing()
    hour = w.number(7, 10)
    ask = w.pick(["Plan a day in {0} for me and {1}.", "What can I do in {0} with {1}?"])
    ask = ask.format(town, friend.name)
    ask += f" We want to see {first}, {second} and {third}. {friend.name} likes {like}."
    lines = [
        f"Here is a plan for your day in {town}:",
        f"1. Start at {hour} o'clock with a walk to {first}.",
        f"2. Have lunch with {friend.name} near {second}.",
        f"3. In the afternoon, visit {third} and look for a place for {like}.",
        f"4. In the evening, buy {a(thing)} for {friend.name} and take the train home.",
    ]
    turns = [(ask, "\n".join(lines))]
    if w.chance(0.5):
        later = hour + w.number(1, 2)
        changed = [line.replace(f"{hour} o'clock", f"{later} o'clock") for line in lines]
        turns.append((f"We get up late. Please start at {later} o'clock.", "\n".join(changed)))
    return turns


def _shopping(w: Words) -> list[tuple[str, str]]:
    goods = {w.plural(): w.number(2, 30) for _ in range(w.number(3, 6))}
    more, count = next(p for p in iter(w.plural, "") if p not in goods), w.number(2, 30)
    listed = [f"{number} {name}" for name, number in goods.items()]
    ask = w.pick(["Make a list of these things: ", "I need to buy the following: "])
    ask += ", ".join(listed[:-1]) + f" and {listed[-1]}."
    lines = ["Here is your list:"] + [f"- {upper_first(entry)}" for entry in listed]
    turns = [(ask, "\n".join(lines))]
    if w.chance(0.6):
        turns.append((f"Please add {count} {more}.", "\n".join([*lines, f"- {count} {more}"])))
    name = w.pick(list(goods))
    if w.chance(0.5):
        turns.append((f"How many {name} are on the list?",
                      f"There are {goods[name]} {name} on the list."))  # fmt: skip
    return turns


def _words(w: Words) -> list[str]:
    draws: list[Callable[[], str]] = [
        w.coined,
        w.thing,
        w.plural,
        w.town,
        lambda: w.person().name,
        lambda: w.pick(COLOURS),
        lambda: str(w.number(2, 99)),
    ]
    kinds = w.rng.sample(draws, w.number(1, 3))
    return list({w.pick(kinds)(): None for _ in range(w.number(6, 16))})


def _repeat(w: Words) -> list[tuple[str, str]]:
    """Words to say again: pure copying, which a small model learns late from other tasks."""
    words = _words(w)
    joined = w.pick([", ", " ", "\n"]).join(words)
    ask = w.pick(["Repeat this: ", "Say these words again: ", "Copy this list.\n"])
    turns = [(ask + joined, joined)]
    while len(words) > 2 and len(turns) < 4 and w.chance(0.6):
        place = w.number(0, len(words) - 2)
        turns.append((f"What comes after {words[place]}?",
                      f"After {words[place]} comes {words[place + 1]}."))  # fmt: skip
    return turns


_TALK = [_explanations, _explanations, _explanations, _memory, _letter, _plan, _shopping]
_KINDS = [*_TALK, _repeat, _repeat, _repeat, _repeat]


def sample(w: Words) -> Sample:
    """A conversation of one to five turns."""
    return Sample("conversation", tuple(w.pick(_KINDS)(w)))
