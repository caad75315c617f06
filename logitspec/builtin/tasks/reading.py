"""Passages about made-up events: summaries that copy the key sentences, questions with answers."""

from __future__ import annotations

from logitspec.builtin.tasks import Sample
from logitspec.builtin.words import COLOURS, DAYS, JOBS, MONTHS, Words, a, listed

_FILLERS = [
    "The weather was mild and dry.",
    "Many people came to watch.",
    "Children played on the grass.",
    "A small band played some music.",
    "There was coffee and cake for everyone.",
    "Some visitors took photographs.",
    "The evening ended quietly.",
    "It rained for a short time in the afternoon.",
    "The local newspaper wrote about it.",
    "Nobody was in a hurry.",
    "A few dogs barked in the street.",
    "The streets were full that morning.",
]
_EVENTS = [
    ("opened", "opening"),
    ("repaired", "repair"),
    ("sold", "sale"),
    ("painted", "painting"),
    ("built", "building"),
    ("found", "finding"),
    ("designed", "design"),
    ("visited", "visit"),
]
_OBJECTS = listed("""
bridge museum library school harbour tower market theatre garden station hospital
mill lighthouse castle fountain bakery""")


class _Event:
    """The facts of one passage and a sentence, a question and an answer for each of them."""

    def __init__(self, w: Words) -> None:
        self.hero, self.other = w.people(2)
        self.town = w.town()
        verb, noun = w.pick(_EVENTS)
        thing = w.pick(_OBJECTS)
        name = w.coined().capitalize() if w.chance(w.invented) else self.town
        self.object = f"the {name} {thing}"
        job = w.pick(JOBS)
        year = w.number(1850, 2024)
        month, day = w.pick(MONTHS), w.pick(DAYS)
        cost, length = w.number(2, 90), w.number(2, 40)
        colour, gift = w.pick(COLOURS), w.thing()
        hero, other = self.hero, self.other
        goal = w.town()
        self.headline = (
            f"{hero.name}, {a(job)} from {self.town}, {verb} {self.object} in {month} {year}."
        )
        self.facts = {
            "cost": f"The {noun} cost {cost} thousand dollars.",
            "time": f"The work took {length} weeks and ended on a {day}.",
            "friend": f"{other.name} helped {hero.name} from the first day.",
            "gift": f"The mayor gave {hero.name} a {colour} {gift} as a present.",
            "plan": f"Next year, {hero.name} wants to move to {goal} and rest.",
        }
        self.questions = [
            (f"Who {verb} {self.object}?", f"{hero.name} {verb} {self.object}.", self.headline),
            (f"What did {hero.name} do in {year}?", f"{hero.name} {verb} {self.object}.",
             self.headline),
            (f"When was {self.object} {verb}?", f"It was {verb} in {month} {year}.", self.headline),
            (f"Where is {hero.name} from?", f"{hero.name} is from {self.town}.", self.headline),
            (f"What is {hero.name}'s job?", f"{hero.name} is {a(job)}.", self.headline),
            (f"How much did the {noun} cost?", f"It cost {cost} thousand dollars.",
             self.facts["cost"]),
            ("How long did the work take?", f"It took {length} weeks.", self.facts["time"]),
            ("On which day did the work end?", f"It ended on a {day}.", self.facts["time"]),
            (f"Who helped {hero.name}?", f"{other.name} helped {hero.name}.",
             self.facts["friend"]),
            (f"What did the mayor give {hero.name}?",
             f"The mayor gave {hero.name} a {colour} {gift}.", self.facts["gift"]),
            (f"Where does {hero.name} want to move?", f"{hero.name} wants to move to {goal}.",
             self.facts["plan"]),
        ]  # fmt: skip


def _passage(w: Words, event: _Event, fillers: int) -> tuple[str, list[str]]:
    """The passage and its key sentences in the order in which they stand there."""
    facts = w.shuffled(list(event.facts.values()))[: w.number(3, 5)]
    body = w.shuffled(facts + w.shuffled(_FILLERS)[:fillers])
    if w.chance(0.3):
        body.insert(0, w.pick(_FILLERS[6:]))
        sentences = [body[0], event.headline, *body[1:]]
    else:
        sentences = [event.headline, *body]
    kept = [s for s in sentences if s == event.headline or s in facts]
    return " ".join(sentences), kept


def summary(w: Words) -> Sample:
    """A passage with asides, and a summary that keeps the key sentences; at times a headline."""
    event = _Event(w)
    text, kept = _passage(w, event, w.number(2, 4))
    ask = w.pick(
        [
            "Summarize this text:\n",
            "Summarize: ",
            "Please give a short summary of the following article.\n",
            "What are the main points of this text?\n",
        ]
    )
    answer = w.pick(["", "", "In short: "]) + " ".join(kept)
    turns = [(ask + text, answer)]
    if w.chance(0.3):
        question, reply, source = w.pick([q for q in event.questions if q[2] in kept])
        turns.append((question, f'{reply} The text says: "{source}"'))
    elif w.chance(0.2):
        turns.append(("Say it in one sentence.", kept[0]))
    return Sample("summarization", tuple(turns))


def question(w: Words) -> Sample:
    """A passage and one to three questions; some ask for what the passage doesn't say."""
    event = _Event(w)
    text, kept = _passage(w, event, w.number(0, 3))
    questions = event.questions
    if w.chance(0.4):
        second = _Event(w)
        more, also = _passage(w, second, 1)
        text, kept = (
            f"{text}\n\n{more}" if w.chance(0.5) else f"{more}\n\n{text}",
            kept + [s for s in also if s == second.headline],
        )
        # With two events in the passage a question has to say which one it means.
        named = (event.hero.name, event.object)
        questions = [q for q in questions if any(name in q[0] for name in named)]
    turns = []
    for index, (ask, reply, source) in enumerate(w.shuffled(questions)[: w.number(1, 3)]):
        if source in kept:
            answer = f'{reply} The passage says: "{source}"'
        else:
            answer = f'The passage does not say. It only says this: "{event.headline}"'
        lead = w.pick(
            ["Read the passage and answer the question.\n", "Passage: ", "Use this text: "]
        )
        joint = w.pick(["\nQuestion: ", "\n\n", "\n"])
        turns.append((f"{lead}{text}{joint}{ask}" if index == 0 else ask, answer))
    return Sample("qa", tuple(turns))
