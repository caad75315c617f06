"""Letters with requests to change them, and plans for a day."""

from __future__ import annotations

from logitspec.builtin.tasks.remembering import LIKES
from logitspec.builtin.words import DAYS, PLACES, Words, a

# What the writer wants, and what the letter says. All fields are in the request.
_LETTERS = [
    ("invite {reader} to a party at {place} on {day} at {hour} o'clock",
     "I am having a party at {place} on {day}, and I would love to see you there. We start at "
     "{hour} o'clock. Please bring some good music and a warm coat."),
    ("thank {reader} for the {thing} that came on {day}",
     "Thank you so much for the {thing} that came on {day}. It is beautiful, and I will use it "
     "often. When I look at the {thing}, I think of you. I hope to see you soon."),
    ("tell {reader} that I am ill and cannot come to {place} on {day}",
     "I am sorry, but I am ill and cannot come to {place} on {day}. The doctor says that I have "
     "to stay in bed. I hope that we can meet there next week."),
    ("ask {reader} to bring the {thing} to {place} on {day}",
     "Could you please bring the {thing} to {place} on {day}? I need the {thing} for my work "
     "there. I will give it back to you in the evening."),
    ("tell {reader} that I have lost the {thing} near {place} on {day}",
     "I have bad news. On {day} I lost the {thing} near {place}. I have looked for it "
     "everywhere. If you find the {thing}, please call me at once."),
    ("ask {reader} to meet me at {place} on {day} at {hour} o'clock",
     "Would you like to meet me at {place} on {day}? I will be there at {hour} o'clock. There "
     "is a lot to talk about, and I look forward to our talk."),
    ("say sorry to {reader} because I broke the {thing} on {day}",
     "I am very sorry that I broke the {thing} on {day}. It was my mistake, and I was not "
     "careful. I will pay for a new {thing}. I hope that you can forgive me."),
]  # fmt: skip
_REQUESTS = [
    "Write a short {kind} to {reader} for me. My name is {writer}.",
    "Please write {a_kind} to {reader} from {writer}.",
    "Help me write {a_kind} to {reader}. I am {writer}.",
    "I am {writer} and I need {a_kind} to {reader}.",
]
_DAY_CHANGES = ["Change the day to {0}.", "Make it {0}, please.", "It is {0} and not {1}.",
                "Please write {0} in place of {1}."]  # fmt: skip
_NAME_CHANGES = ["Sign it with {0} instead.", "Please sign it as {0}.", "It should be from {0}.",
                 "Put {0} at the end."]  # fmt: skip
_READER_CHANGES = ["Send the same to {0}.", "Write the same to {0}.", "Now write it to {0}."]


def letter(w: Words) -> list[tuple[str, str]]:
    """A letter, mostly with a change afterwards: another day, reader or writer."""
    writer, reader, other = (person.name for person in w.people(3))
    day, other_day = w.rng.sample(DAYS, 2)
    kind, request, number = w.combination(
        ["letter", "email", "message", "note"], _REQUESTS, list(range(len(_LETTERS)))
    )
    fields = {
        "reader": reader, "writer": writer, "day": day, "place": w.pick(PLACES),
        "thing": w.thing(), "hour": w.number(1, 9), "kind": kind, "a_kind": a(kind),
    }  # fmt: skip
    wish, body = (text.format(**fields) for text in _LETTERS[number])

    def compose(to: str, text: str, sender: str) -> str:
        return f"Dear {to},\n\n{text}\n\nBest wishes,\n{sender}"

    turns = [(f"{request.format(**fields)} I want to {wish}.", compose(reader, body, writer))]
    change = w.pick(["day", "day", "writer", "reader", ""])
    if change == "day":
        body = body.replace(day, other_day)
        turns.append((w.pick(_DAY_CHANGES).format(other_day, day), compose(reader, body, writer)))
    elif change == "writer":
        turns.append((w.pick(_NAME_CHANGES).format(other), compose(reader, body, other)))
    elif change == "reader":
        turns.append((w.pick(_READER_CHANGES).format(other), compose(other, body, writer)))
    return turns


_PLANS = [
    "Plan a day in {town} for me and {friend}.",
    "What can I do in {town} with {friend}?",
    "{friend} and I will be in {town} for a day. Please make a plan.",
    "Help me to plan a day in {town} with {friend}.",
]
_STARTS = ["We start at {0} o'clock.", "The day begins at {0} o'clock.",
           "We get up early and start at {0} o'clock."]  # fmt: skip
_SIGHTS = ["We want to see {0}, {1} and {2}.", "We would like to visit {0}, {1} and {2}.",
           "Please put in {0}, then {1} and then {2}."]  # fmt: skip
_LATER = ["We get up late. Please start at {0} o'clock.", "Start at {0} o'clock instead.",
          "Can we begin at {0} o'clock?"]  # fmt: skip


def plan(w: Words) -> list[tuple[str, str]]:
    """A plan for a day in town, sometimes with a change or a question afterwards."""
    town, friend, thing, like = w.town(), w.person().name, w.thing(), w.pick(LIKES)
    first, second, third = w.rng.sample(PLACES, 3)
    hour = w.number(7, 10)
    ask, start, sights = w.combination(_PLANS, _STARTS, _SIGHTS)
    request = (
        f"{ask.format(town=town, friend=friend)} {start.format(hour)} "
        f"{sights.format(first, second, third)} {friend} likes {like} and needs {a(thing)}."
    )
    head = f"Here is a plan for your day in {town}:"

    def compose(begin: int, one: str, two: str) -> str:
        return "\n".join([
            head,
            f"1. Start at {begin} o'clock with a walk to {one}.",
            f"2. Have lunch with {friend} near {two}.",
            f"3. In the afternoon, visit {third} and look for a place for {like}.",
            f"4. In the evening, buy {a(thing)} for {friend} and take the train home.",
        ])  # fmt: skip

    turns = [(request, compose(hour, first, second))]
    change = w.pick(["later", "later", "swap", "swap", "ask", ""])
    if change == "later":
        later = hour + w.number(1, 2)
        turns.append((w.pick(_LATER).format(later), compose(later, first, second)))
    elif change == "swap":
        turns.append((f"Let us go to {second} first and to {first} later.",
                      compose(hour, second, first)))  # fmt: skip
    elif change == "ask":
        turns.append(("What do we do in the afternoon?",
                      f"In the afternoon, you visit {third} and look for a place for {like}."))  # fmt: skip
    return turns
