"""Made-up events for texts to read: their sentences, and the questions that a sentence answers."""

from __future__ import annotations

import functools
import string
from dataclasses import dataclass
from typing import NamedTuple

from logitspec.builtin.words import (
    COLOURS,
    DAYS,
    JOBS,
    MONTHS,
    TOWNS,
    Words,
    a,
    upper_first,
    words_in,
)


@dataclass(frozen=True)
class Kind:
    """One kind of fact: ways to say it, and (question, conclusion) pairs about it."""

    sentences: tuple[str, ...]
    asks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Domain:
    """A sphere of life: what its events are about, what people do to it, and facts of its own."""

    objects: list[str]
    verbs: list[str]
    kinds: tuple[Kind, ...]


# Every sentence holds a name inside it or a number, which tells facts from asides.
HEADLINES = [
    "{p}, {a_job} from {town}, {v} {x} in {month} {year}.",
    "In {month} {year}, {x} was {v} by {p}, {a_job} from {town}.",
    "After {weeks} weeks of preparation, {p} finally {v} {x} in {month} {year}.",
    "It was {p} from {town} who {v} {x} in the {season} of {year}.",
    "On {day}, {month} {date}, {p} {v} {x} near {near}, to the joy of many friends.",
    "{x} was {v} in {year} by {p}, who works as {a_job} in {seat}.",
    "Last {day2}, people in {near} heard that {p} from {town} had {v} {x}.",
    "At the age of {age}, {p}, {a_job} from {town}, {v} {x}.",
    "Nobody had expected it, but in {year} {p} from {town} {v} {x}.",
    "The whole town of {near} was proud when {p}, {a_job}, {v} {x} in {year}.",
]
HEADLINE_ASKS = (
    ("Who {v} {x}?", "{p} {v} {x}."),
    ("What was {v} by {p}?", "{p} {v} {x}."),
    ("In which year was {x} {v}?", "{x} was {v} in {year}."),
    ("In which month was {x} {v}?", "{x} was {v} in {month}."),
    ("On which day of the week was {x} {v}?", "{x} was {v} on a {day}."),
    ("After how many weeks of preparation was {x} {v}?", "{x} was {v} after {weeks} weeks."),
    ("Which town is {p} from?", "{p} is from {town}."),
    ("What is {p}'s job?", "{p} is {a_job}."),
    ("Where does {p} work?", "{p} works in {seat}."),
    ("How old was {p}?", "{p} was {age} years old."),
)
SHARED = {
    "cost": Kind(
        ("In all, {cost} thousand dollars were spent on {x}.",
         "The people of {t1} say that {cost} thousand dollars were spent on {x}."),
        (("How much money was spent on {x}?", "{cost} thousand dollars were spent on {x}."),),
    ),
    "helper": Kind(
        ("{q}, {a_job2} from {t2}, helped {p} from the first day.",
         "From the beginning, {p} was helped by {q}, an old friend from {t2}."),
        (("Who helped {p}?", "{q} helped {p}."),),
    ),
    "gift": Kind(
        ("The mayor of {t3} gave {p} {a_colour} {thing} as a present.",
         "As a present, {p} received {a_colour} {thing} from the people of {t3}."),
        (("What present did {p} get?", "{p} got {a_colour} {thing}."),),
    ),
    "plan": Kind(
        ("Next year, {p} wants to travel to {goal} with {few} friends.",
         "{p} is already making plans to travel to {goal} in {later}."),
        (("Where does {p} want to travel?", "{p} wants to travel to {goal}."),),
    ),
    "crowd": Kind(
        ("On the first day, {crowd} people from {t4} came to see {x}.",
         "{x} was seen by {crowd} people, and some of them came from {t4}."),
        (("How many people saw {x}?", "{crowd} people saw {x}."),),
    ),
    "letter": Kind(
        ("{r} from {t5} wrote a long letter about {x}.",
         "A long letter about {x} was written by {r}, {a_job3} from {t5}."),
        (("Who wrote a letter about {x}?", "{r} wrote a letter about {x}."),),
    ),
    "prize": Kind(
        ("The town of {t6} honoured {p} with a prize of {prize} dollars.",
         "For all this, {p} was given a prize of {prize} dollars in {t6}."),
        (("How large was the prize for {p}?", "The prize for {p} was {prize} dollars."),),
    ),
}  # fmt: skip
# Conclusions for questions that a text leaves open, by kind of fact.
OPEN_CONCLUSIONS = {
    "cost": "how much money was spent on {x}",
    "helper": "who helped {p}",
    "gift": "what present {p} got",
    "plan": "where {p} wants to travel",
    "crowd": "how many people saw {x}",
    "letter": "who wrote a letter about {x}",
    "prize": "how large the prize for {p} was",
}


def _domain(objects: str, verbs: str, *rows: tuple[str, str, str, str]) -> Domain:
    """A domain; a row holds two ways to say a fact, a question and its conclusion."""
    kinds = tuple(Kind((one, two), ((ask, end),)) for one, two, ask, end in rows)
    return Domain(words_in(objects), words_in(verbs), kinds)


DOMAINS = {
    "town": _domain(
        "bridge library station tower theatre", "repaired opened painted rebuilt",
        ("{u} made the first drawing of {x} on a {day2}.", "The first drawing of {x} was made by {u} in {t7}.",
         "Who made the first drawing of {x}?", "{u} made the first drawing of {x}."),
        ("The {material} for the new roof of {x} came from {t8}.", "For the new roof of {x}, workers brought {material} from {t8}.",
         "Where did the {material} for the roof of {x} come from?", "The {material} for the roof of {x} came from {t8}."),
    ),
    "science": _domain(
        "comet fossil crystal moth mushroom", "discovered described photographed studied",
        ("{u} kept {count} notes about {x} in a blue folder.", "In a blue folder, {u} kept {count} notes about {x}.",
         "How many notes about {x} did {u} keep?", "{u} kept {count} notes about {x}."),
        ("A laboratory in {t7} will examine {x} for {few} months.", "For {few} months, {x} will be examined by a laboratory in {t7}.",
         "Where will {x} be examined?", "{x} will be examined in {t7}."),
    ),
    "sport": _domain(
        "cup race regatta tournament marathon", "won",
        ("{u} from {t7} came second in {x} and shook hands with everybody.", "Second place in {x} went to {u}, a young guest from {t7}.",
         "Who came second in {x}?", "{u} came second in {x}."),
        ("Before {x}, {p} had trained for {count} days on a quiet field.", "{p} had trained for {count} days in order to be ready for {x}.",
         "How many days had {p} trained?", "{p} had trained for {count} days."),
    ),
    "music": _domain(
        "concert festival opera choir orchestra", "conducted directed presented",
        ("{u} played the {instrument} in {x} without a single mistake.", "In {x}, the {instrument} was played by {u}, a student from {t7}.",
         "Who played the {instrument} in {x}?", "{u} played the {instrument} in {x}."),
        ("The music of {x} lasted {count} minutes and ended with a dance.", "For {count} minutes, everybody listened to the music of {x}.",
         "How many minutes did the music of {x} last?", "The music of {x} lasted {count} minutes."),
    ),
    "shop": _domain(
        "bakery bookshop market inn workshop", "opened bought renovated sold",
        ("{u} was the first customer of {x} and bought {count} {goods}.", "The first customer of {x} was {u}, who bought {count} {goods}.",
         "What did {u} buy?", "{u} bought {count} {goods}."),
        ("Every {day2}, all the {goods2} in {x} are half price.", "{x} sells its {goods2} at half price every {day2}.",
         "On which day are the {goods2} in {x} half price?", "The {goods2} in {x} are half price every {day2}."),
    ),
    "travel": _domain(
        "valley glacier island desert cave", "explored crossed mapped reached",
        ("The travellers carried {count} kilograms of food to {x}.", "On the way to {x}, the group carried {count} kilograms of food.",
         "How many kilograms of food were carried to {x}?", "{count} kilograms of food were carried to {x}."),
        ("{u} found an old {thing2} at the edge of {x}.", "At the edge of {x}, an old {thing2} was found by {u}.",
         "What did {u} find at the edge of {x}?", "{u} found an old {thing2}."),
    ),
    "school": _domain(
        "school academy kindergarten college classroom", "founded opened renovated designed",
        ("{u} teaches {subject} to {count} children at {x}.", "At {x}, {count} children learn {subject} from {u}.",
         "Who teaches {subject} at {x}?", "{u} teaches {subject} at {x}."),
        ("The lessons at {x} begin at {hour} and end before lunch.", "Every morning at {hour}, a bell rings for the first lesson at {x}.",
         "When do the lessons at {x} begin?", "The lessons at {x} begin at {hour}."),
    ),
    "farm": _domain(
        "farm orchard mill barn vineyard", "bought restored inherited expanded",
        ("{count} {animal} live at {x} and are fed twice a day.", "Twice a day, somebody feeds the {count} {animal} of {x}.",
         "How many {animal} live at {x}?", "{count} {animal} live at {x}."),
        ("{u} drives to {t7} every {day2} to sell the milk of {x}.", "The milk of {x} is sold in {t7} by {u} every {day2}.",
         "Where does {u} sell the milk of {x}?", "{u} sells the milk of {x} in {t7}."),
    ),
    "ship": _domain(
        "ferry steamer yacht schooner lifeboat", "restored launched designed rescued",
        ("Captain {u} will take {x} from {t7} to the islands.", "From {t7}, {x} will sail to the islands under Captain {u}.",
         "Who is the captain of {x}?", "{u} is the captain of {x}."),
        ("{x} is {count} metres long and has two white masts.", "With two white masts and a length of {count} metres, {x} is a fine sight.",
         "How long is {x}?", "{x} is {count} metres long."),
    ),
    "garden": _domain(
        "garden park greenhouse meadow maze", "planted designed opened enlarged",
        ("{u} planted {count} {plants} along the paths of {x}.", "Along the paths of {x}, {count} {plants} were planted by {u}.",
         "What did {u} plant in {x}?", "{u} planted {count} {plants} in {x}."),
        ("The gate of {x} is closed every {day2} in winter.", "In winter, nobody may enter {x} on a {day2}, since the gate is closed.",
         "On which day is {x} closed in winter?", "{x} is closed every {day2} in winter."),
    ),
    "invention": _domain(
        "engine robot telescope plough loom", "invented tested improved presented",
        ("{x} weighs {count} kilograms and runs on clean water.", "With a weight of {count} kilograms, {x} fits on a small wagon.",
         "How much does {x} weigh?", "{x} weighs {count} kilograms."),
        ("A company in {t7} will build {x} from the summer of {later}.", "From the summer of {later}, {x} will be built by a company in {t7}.",
         "Where will {x} be built?", "{x} will be built in {t7}."),
    ),
    "museum": _domain(
        "museum gallery castle palace observatory", "opened restored cleaned photographed",
        ("{u} lent {count} {treasures} to {x} for a whole year.", "For a whole year, {x} will show {count} {treasures} lent by {u}.",
         "What did {u} lend to {x}?", "{u} lent {count} {treasures} to {x}."),
        ("A guided tour of {x} starts at {hour} every {day2}.", "Every {day2} at {hour}, visitors can join a tour of {x}.",
         "When does the tour of {x} start?", "The tour of {x} starts at {hour}."),
    ),
}  # fmt: skip
DOMAIN_NAMES = list(DOMAINS)

_NAME_SLOTS = frozenset("pqrux")  # the slots of people and of the event's thing

_MATERIALS = words_in("copper oak slate glass pine steel clay marble")
_TREASURES = words_in("coins paintings vases maps books crowns masks swords")
_INSTRUMENTS = words_in("violin cello trumpet harp flute piano clarinet guitar")
_SUBJECTS = words_in("music geography history drawing biology astronomy chemistry cooking")
_ANIMALS = words_in("goats cows horses ducks sheep rabbits donkeys geese")
_PLANTS = words_in("roses tulips birches lilies maples oaks willows daisies")
_SEASONS = words_in("spring summer autumn winter")

_ASIDES = [
    "the air smelled of {smell}", "the sky was {sky}", "children played {where}",
    "a {look} dog slept {where}", "some {look} birds sang {where}", "nobody was in a hurry",
    "the streets were quiet and bright", "everybody was in a good mood",
    "a {look} cat walked {where}", "a soft wind blew {where}", "the leaves rustled {where}",
    "somebody sang a {mood} song", "a few people sat {where}", "two boys flew a kite {where}",
    "there was tea and cake for everyone", "an old radio played {mood} music",
    "the sun shone brightly", "a little rain fell {where}", "the windows stood wide open",
    "people talked and laughed {where}", "bees hummed {where}", "a girl drew pictures {where}",
    "the bells could be heard {where}", "long shadows lay {where}", "a cook sold hot soup {where}",
    "the clouds were {sky}", "some neighbours told {mood} jokes", "a band played {where}",
    "the grass was soft and green", "friends shared bread {where}",
]  # fmt: skip
_WHEN = [
    "in the morning", "in the afternoon", "in the evening", "at noon", "that day",
    "for a while", "all day long", "before sunset", "after breakfast", "in the meantime",
]  # fmt: skip
_WHERE = [
    "on the grass", "behind the houses", "by the river", "in the square", "near the old wall",
    "under the trees", "in front of the shops", "beside the road", "on the hill",
]  # fmt: skip
_SMELLS = ["fresh bread", "wet grass", "warm rain", "flowers", "roasted nuts", "wood and smoke"]
_SKIES = ["grey and low", "clear and blue", "pale and calm", "dark in the north", "pink and gold"]
_LOOKS = words_in("quiet happy small sleepy friendly gentle cheerful brown lovely grey")
_MOODS = words_in("happy cheerful lovely funny merry charming")


def draw_aside(w: Words) -> str:
    """A sentence without any name or number."""
    fields = {
        "smell": w.pick(_SMELLS), "sky": w.pick(_SKIES), "where": w.pick(_WHERE),
        "look": w.pick(_LOOKS), "mood": w.pick(_MOODS),
    }  # fmt: skip
    text = w.pick(_ASIDES).format(**fields)
    when = w.pick(_WHEN)
    return upper_first(f"{when}, {text}." if w.chance(0.5) else f"{text} {when}.")


def draw_asides(w: Words, count: int) -> list[str]:
    """`count` different asides."""
    sentences: dict[str, None] = {}
    while len(sentences) < count:
        sentences[draw_aside(w)] = None
    return list(sentences)


@functools.cache
def _slots(template: str) -> frozenset[str]:
    fields = string.Formatter().parse(template)
    return frozenset(name for _, name, _, _ in fields if name)


class Ask(NamedTuple):
    """A question, the name in it that it is about, and the conclusion that answers it.

    For an open question the conclusion names what is missing, such as "who helped Hugo".
    """

    about: str
    question: str
    conclusion: str


@dataclass(frozen=True)
class Fact:
    """A sentence with the questions that it answers."""

    sentence: str
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Event:
    """The facts of one event, the main one first, and the questions that the text leaves open."""

    person: str
    thing: str
    facts: tuple[Fact, ...]
    open_questions: tuple[Ask, ...]


def _ask(question: str, conclusion: str, fields: dict[str, str]) -> Ask:
    """Both templates filled in; the question is about the first person or thing that it names."""
    names = [name for _, name, _, _ in string.Formatter().parse(question) if name in _NAME_SLOTS]
    return Ask(fields[str(names[0])], question.format(**fields), conclusion.format(**fields))


def _fact(kind: Kind, sentence: str, fields: dict[str, str]) -> Fact:
    slots = _slots(sentence)
    return Fact(
        upper_first(sentence.format(**fields)),
        tuple(
            _ask(ask, end, fields) for ask, end in kind.asks if _slots(ask) | _slots(end) <= slots
        ),
    )


def _fields(w: Words, domain: Domain, people: list[str], name: str) -> dict[str, str]:
    thing = w.pick(domain.objects)
    year = w.number(1850, 2024)
    goods = w.plural()
    numbers = {
        "year": year, "later": year + w.number(1, 9), "weeks": w.number(3, 60),
        "date": w.number(1, 28), "age": w.number(18, 90), "cost": w.number(2, 99),
        "few": w.number(2, 9), "crowd": w.number(30, 990), "prize": w.number(2, 99) * 100,
        "count": w.number(11, 99),
    }  # fmt: skip
    keys = ["town", "near", "seat", "goal", *(f"t{number}" for number in range(1, 9))]
    jobs = {key: a(w.pick(JOBS)) for key in ("a_job", "a_job2", "a_job3")}
    return {
        **dict(zip("pqru", people, strict=True)), "x": f"the {name} {thing}",
        **{key: str(number) for key, number in numbers.items()},
        **dict(zip(keys, _towns(w, len(keys), name), strict=True)), **jobs,
        "v": w.pick(domain.verbs), "month": w.pick(MONTHS), "day": w.pick(DAYS),
        "day2": w.pick(DAYS), "season": w.pick(_SEASONS), "thing": w.thing(),
        "thing2": w.thing(), "a_colour": a(w.pick(COLOURS)), "goods": goods,
        "goods2": w.plural(), "treasures": w.pick(_TREASURES), "hour": f"{w.number(7, 11)} o'clock",
        "material": w.pick(_MATERIALS), "instrument": w.pick(_INSTRUMENTS),
        "subject": w.pick(_SUBJECTS), "animal": w.pick(_ANIMALS), "plants": w.pick(_PLANTS),
    }  # fmt: skip


def _names(w: Words, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        name = w.person().name
        # Evaluation has fewer ordinary names than four events need; Florence is a town, too.
        is_unusable = name in names or name in TOWNS
        names[w.coin_word().capitalize() if is_unusable else name] = None
    return list(names)


def _towns(w: Words, count: int, name: str) -> list[str]:
    """Different towns for one event, none of which has the name of the thing it is about."""
    towns: dict[str, None] = {}
    while len(towns) < count:
        town = w.town()
        # Evaluation has fewer ordinary towns than an event has places for them.
        town = w.coin_word().capitalize() if town in towns or town == name else town
        if town != name:
            towns[town] = None
    return list(towns)


def draw_events(w: Words, sizes: list[int], domain: str, headline: str) -> list[Event]:
    """One event per size, with at most that many facts; the first has this domain and headline.

    No two of them share a person, the name of a thing, a sphere of life or, besides the main one,
    a kind of fact, so that a question can mean only one of them; nor do two begin with the same
    words.
    """
    people = _names(w, 4 * len(sizes))
    names: dict[str, None] = {}
    while len(names) < len(sizes):
        names[w.coin_word().capitalize() if w.chance(w.invented) else w.town()] = None
    openings = [headline, *w.shuffled([other for other in HEADLINES if other != headline])]
    spheres = [domain, *w.shuffled([other for other in DOMAIN_NAMES if other != domain])]
    used: set[str] = set()
    contents: list[tuple[list[Fact], dict[str, str]]] = []
    for index, (size, name) in enumerate(zip(sizes, names, strict=True)):
        sphere = DOMAINS[spheres[index]]
        fields = _fields(w, sphere, people[4 * index : 4 * index + 4], name)
        own_kinds = [(str(number), kind) for number, kind in enumerate(sphere.kinds)]
        unused = [(key, kind) for key, kind in SHARED.items() if key not in used]
        kinds = w.shuffled([*own_kinds, *unused])
        if w.split == "train" and w.chance(0.4):
            # A sphere's own facts are rare and learnt late, so training sometimes puts them first.
            kinds = w.shuffled(own_kinds) + w.shuffled(unused)
        selection = kinds[: size - 1]
        used.update(key for key, _ in selection)
        facts = [_fact(Kind((), HEADLINE_ASKS), openings[index], fields)]
        facts += [_fact(kind, w.pick(kind.sentences), fields) for _, kind in selection]
        contents.append((facts, fields))
    unsaid = [key for key in OPEN_CONCLUSIONS if key not in used]
    return [
        Event(
            fields["p"],
            fields["x"],
            tuple(facts),
            tuple(_ask(SHARED[key].asks[0][0], OPEN_CONCLUSIONS[key], fields) for key in unsaid),
        )
        for facts, fields in contents
    ]
