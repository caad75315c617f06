"""Facts to remember over several turns: about the user, and shopping lists."""

from __future__ import annotations

from logitspec.builtin.words import ANIMALS, COLOURS, JOBS, Words, a

LIKES = ["reading", "cooking", "swimming", "painting", "singing", "chess", "music", "football",
         "gardening", "dancing", "hiking", "drawing"]  # fmt: skip
_HELLO = ["Hello! My name is {0}.", "Hi, I am {0}.", "Good morning! I am called {0}.",
          "Let me tell you about myself. My name is {0}.", "Remember this: My name is {0}."]  # fmt: skip
_ASK = ["{0}", "Do you remember? {0}", "One more question. {0}", "Tell me: {0}",
        "And now: {0}"]  # fmt: skip
_ALL = ["What do you know about me?", "Tell me all that you know about me.",
        "What did I tell you?", "Can you sum up what I told you?"]  # fmt: skip


def _facts(w: Words) -> dict[str, tuple[str, str, str]]:
    """For each subject the statement, the question about it, and the answer."""
    friend, neighbour, pet = (person.name for person in w.people(3))
    town, job, like, thing = w.town(), w.pick(JOBS), w.pick(LIKES), w.thing()
    animal, colour, room = w.pick(ANIMALS), w.pick(COLOURS), w.number(2, 99)
    return {
        "town": (f"I live in {town}.", "Where do I live?", f"You live in {town}."),
        "job": (f"I work as {a(job)}.", "What is my job?", f"You work as {a(job)}."),
        "like": (f"I like {like}.", "What do I like?", f"You like {like}."),
        "friend": (f"My best friend is called {friend}.", "What is my best friend called?",
                   f"Your best friend is called {friend}."),
        "neighbour": (f"My neighbour is called {neighbour}.", "What is my neighbour called?",
                   f"Your neighbour is called {neighbour}."),
        "pet": (f"I have {a(colour)} {animal} called {pet}.", "What is my pet called?",
                f"Your {colour} {animal} is called {pet}."),
        "thing": (f"I am looking for my {thing}.", "What am I looking for?",
                  f"You are looking for your {thing}."),
        "room": (f"I stay in room {room}.", "In which room do I stay?",
                 f"You stay in room {room}."),
    }  # fmt: skip


def memory(w: Words) -> list[tuple[str, str]]:
    """A user states some facts and asks for them later."""
    person = w.person()
    facts = _facts(w)
    hello, first, second = w.combination(_HELLO, list(facts), list(facts))
    subjects = list(dict.fromkeys([first, second, *w.shuffled(list(facts))]))[: w.number(5, 8)]
    statements = " ".join(facts[subject][0] for subject in subjects)
    answers = " ".join(facts[subject][2] for subject in subjects)
    greeting = f"Nice to meet you, {person.name}!"
    turns = [
        (f"{hello.format(person.name)} {statements}", f"{greeting} {answers} How can I help you?")
    ]
    questions = [("What is my name?", f"Your name is {person.name}.")]
    questions += [facts[subject][1:] for subject in subjects]
    for question, answer in w.shuffled(questions)[: w.pick([0, 0, 1])]:
        turns.append((w.pick(_ASK).format(question), answer))
    if len(turns) == 1 or w.chance(0.8):
        turns.append((w.pick(_ALL), f"Your name is {person.name}. {answers}"))
    return turns


_LIST = ["Make a list of these things: {0}.", "I need to buy the following: {0}.",
         "Please write a shopping list with {0}.", "We need {0}. Make a list, please.",
         "Put this on my list: {0}."]  # fmt: skip
_ADD = ["Please add {0}.", "Add {0} to the list.", "I also need {0}.", "Put {0} on the list too."]
_REMOVE = ["Please remove the {0}.", "I do not need the {0}.", "Take the {0} off the list.",
           "Delete the {0}, please."]  # fmt: skip
_CHANGE = ["Change the {0} to {1}.", "I need {1} {0} now.", "Make it {1} {0}.",
           "There should be {1} {0} on the list."]  # fmt: skip
_COUNT = ["How many {0} are on the list?", "How many {0} do I need?", "How many {0} are there?"]
_HEADS = {"add": "Here is the new list:", "remove": "Here is the shorter list:",
          "change": "Here is the changed list:"}  # fmt: skip


def _join_goods(goods: dict[str, int]) -> str:
    entries = [f"{count} {name}" for name, count in goods.items()]
    return ", ".join(entries[:-1]) + f" and {entries[-1]}"


def _write_list(head: str, goods: dict[str, int]) -> str:
    return "\n".join([head, *(f"- {count} {name}" for name, count in goods.items())])


def _request_change(w: Words, kind: str, goods: dict[str, int]) -> str:
    """Draws a request of this kind and applies it to `goods`."""
    wording = w.pick({"add": _ADD, "remove": _REMOVE, "change": _CHANGE}[kind])
    if kind == "add":
        name = next(n for n in iter(w.plural, "") if n not in goods)
        goods[name] = w.number(2, 30)
        return wording.format(f"{goods[name]} {name}")
    name = w.pick(list(goods))
    if kind == "remove":
        del goods[name]
        return wording.format(name)
    goods[name] = next(n for n in iter(lambda: w.number(2, 30), 0) if n != goods[name])
    return wording.format(name, goods[name])


def shopping(w: Words) -> list[tuple[str, str]]:
    """A shopping list that is changed and asked about."""
    goods: dict[str, int] = {}
    ask, size, change = w.combination(_LIST, [6, 7, 8, 9, 10], ["add", "remove", "change", "count"])
    while len(goods) < size:
        goods[w.plural()] = w.number(2, 30)
    turns = [(ask.format(_join_goods(goods)), _write_list("Here is your list:", goods))]
    for kind in [change, *w.shuffled(["add", "remove", "change"])][: w.number(1, 3)]:
        if kind != "count":
            request = _request_change(w, kind, goods)
            turns.append((request, _write_list(_HEADS[kind], goods)))
            continue
        name = w.pick(list(goods))
        answer = f"There are {goods[name]} {name} on the list."
        turns.append((w.pick(_COUNT).format(name), answer))
    return turns
