"""German and English, both directions, in a small world with a correct lexicon and grammar.

The text in one language decides every choice in the other: a word has one
counterpart, the present tense is the simple one, a time comes first, and "a" after "does not"
is "kein" where "the" asks for "nicht" after the object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.lexicon import (
    ANIMAL_RESTS,
    ANIMALS,
    BUILDINGS,
    CHOICES,
    DEEDS,
    FEELINGS,
    GOODS,
    HAS,
    IS,
    IT,
    LOOKS,
    MANNERS,
    MOODS,
    NUMBERS,
    OUTSIDE,
    PEOPLE,
    PLACES,
    PRONOUNS,
    REASONS,
    RESTS,
    SIGHTS,
    THE,
    TIMES,
    Clause,
    Noun,
    Pair,
    Subject,
    conjugate,
    indefinite,
    negate,
    the,
    with_number,
)
from logitspec.builtin.words import Person, Words, upper_first


class Scene:
    """Who and what a text is about, so that its sentences belong together."""

    def __init__(self, w: Words) -> None:
        people = [_person_subject(person) for person in w.people(3)]
        nouns = w.rng.sample(PEOPLE, 6)
        noun_subjects = [_noun_subject(w, noun) for noun in nouns[:2]]
        self.cast = [
            people[0],
            w.pick([people[1], noun_subjects[0]]),
            w.pick([people[2], noun_subjects[1]]),
        ]
        self.others = nouns[2:]
        animals = w.rng.sample(ANIMALS, 2)
        self.animal, self.pet = _noun_subject(w, animals[0]), animals[1]
        self.goods = w.rng.sample(GOODS, 3)
        self.buildings = w.rng.sample(BUILDINGS, 2)
        self.looks = {
            noun.english: [w.pick(group) for group in LOOKS[noun.kind]]
            for noun in self.goods + self.buildings
        }
        town = w.town()
        self.town = Pair(f"in {town}", f"in {town}")
        self.places = [*w.rng.sample(PLACES, 2), self.town]

    def look(self, w: Words, noun: Noun) -> Pair:
        """One of the adjectives that describe the noun throughout the text."""
        return w.pick(self.looks[noun.english])


def _person_subject(person: Person) -> Subject:
    return Subject(Pair(person.name, person.name), "f" if person.kind == "woman" else "m")


def _noun_subject(w: Words, noun: Noun) -> Subject:
    if noun.kind == "person" and w.chance(0.3):
        manner = w.pick(MANNERS)
        german = f"{THE[noun.gender]} {manner.german}e {noun.german}"
        return Subject(Pair(german, f"the {manner.english} {noun.english}"), noun.gender)
    return Subject(Pair(f"{THE[noun.gender]} {noun.german}", f"the {noun.english}"), noun.gender)


def _two(w: Words, scene: Scene) -> tuple[Subject, Subject]:
    first, second = w.rng.sample(scene.cast, 2)
    return (first, scene.animal) if w.chance(0.15) else (first, second)


def _object(w: Words, scene: Scene, noun: Noun) -> Pair:
    look = scene.look(w, noun) if w.chance(0.6) else None
    return w.pick(
        [the(noun, look), indefinite(noun, look), with_number(w.pick(NUMBERS), noun, look)]
    )


def _join(first: Pair, second: Pair, between: Pair) -> Pair:
    return Pair(
        first.german + between.german + second.german,
        first.english + between.english + second.english,
    )


def _because(first: Pair, second: Pair) -> Pair:
    return _join(first, second, Pair(", weil ", " because "))


def _deed(w: Words, scene: Scene, subject: Subject, place: bool = False) -> Clause:
    """Somebody does something with a thing, or visits a building."""
    noun = w.pick(scene.buildings) if w.chance(0.15) else w.pick(scene.goods)
    what, verbs = _object(w, scene, noun), DEEDS[noun.kind]
    if place:
        verbs = [verb for verb in verbs if verb.english != "needs"]
        spot = w.pick([*OUTSIDE, scene.town]) if noun.kind == "building" else w.pick(scene.places)
        what = _join(what, spot, Pair(" ", " "))
    return Clause(subject.name, conjugate(subject, w.pick(verbs)), what)


def _rest(w: Words, scene: Scene, subject: Subject) -> Clause:
    verbs = ANIMAL_RESTS if subject is scene.animal else RESTS
    return Clause(subject.name, conjugate(subject, w.pick(verbs)), w.pick(scene.places))


def _deny(w: Words, scene: Scene, subject: Subject) -> Clause:
    noun = w.pick(scene.goods)
    if w.chance(0.3):
        spot = w.pick(scene.places)
        rest = Pair(f"nicht {spot.german}", spot.english)
        return Clause(subject.name, negate(subject, w.pick(RESTS)), rest)
    if w.chance(0.5):
        german, english = indefinite(noun)
        verb = w.pick([HAS, *DEEDS[noun.kind]])
        return Clause(subject.name, negate(subject, verb), Pair(f"k{german}", english))
    german, english = the(noun, scene.look(w, noun) if w.chance(0.3) else None)
    verb = w.pick(DEEDS[noun.kind])
    return Clause(subject.name, negate(subject, verb), Pair(f"{german} nicht", english))


def _own(w: Words, scene: Scene, subject: Subject) -> Clause:
    noun = w.pick(scene.goods)
    look = scene.look(w, noun) if w.chance(0.6) else None
    what = indefinite(noun, look) if w.chance(0.5) else with_number(w.pick(NUMBERS), noun, look)
    return Clause(subject.name, conjugate(subject, HAS), what)


def _meet(w: Words, scene: Scene, subject: Subject) -> Clause:
    noun = w.pick([*scene.others, scene.pet])
    manner = w.pick(MANNERS) if noun.kind == "person" and w.chance(0.4) else None
    return Clause(subject.name, conjugate(subject, w.pick(DEEDS[noun.kind])), the(noun, manner))


def does(w: Words, scene: Scene) -> Pair:
    """Anna kauft eine rote Lampe."""
    return _deed(w, scene, w.pick(scene.cast)).first()


def does_there(w: Words, scene: Scene) -> Pair:
    """Anna kauft eine rote Lampe in der Stadt."""
    return _deed(w, scene, w.pick(scene.cast), place=True).first()


def does_then(w: Words, scene: Scene) -> Pair:
    """Am Montag kauft Anna eine rote Lampe."""
    return _deed(w, scene, w.pick(scene.cast), place=w.chance(0.3)).after(w.pick(TIMES))


def rests(w: Words, scene: Scene) -> Pair:
    """Der Hund schläft im Garten."""
    return _rest(w, scene, w.pick([*scene.cast, scene.animal])).first()


def rests_then(w: Words, scene: Scene) -> Pair:
    """Am Montag arbeitet Anna im Garten."""
    return _rest(w, scene, w.pick([*scene.cast, scene.animal])).after(w.pick(TIMES))


def because_of_look(w: Words, scene: Scene) -> Pair:
    """Anna kauft die Lampe, weil sie billig ist."""
    subject, noun = w.pick(scene.cast), w.pick([*scene.goods, scene.buildings[0]])
    verb = w.pick([verb for verb in DEEDS[noun.kind] if verb.english in CHOICES])
    look = scene.look(w, noun)
    clause = Clause(subject.name, conjugate(subject, verb), the(noun))
    reason = Pair(f"{IT[noun.gender]} {look.german} ist", f"it is {look.english}")
    return _because(clause.first(), reason)


def because_of_mood(w: Words, scene: Scene) -> Pair:
    """Anna schläft im Garten, weil sie müde ist."""
    subject = w.pick([person for person in scene.cast if person.gender != "n"])
    verb = w.pick([verb for verb in RESTS if verb.english in REASONS])
    mood = w.pick([mood for mood in MOODS if mood.english in REASONS[verb.english]])
    he = PRONOUNS[subject.gender]
    clause = Clause(subject.name, conjugate(subject, verb), w.pick(scene.places))
    reason = Pair(f"{he.german} {mood.german} ist", f"{he.english} is {mood.english}")
    return _because(clause.first(), reason)


def because_of_deed(w: Words, scene: Scene) -> Pair:
    """Anna wartet im Garten, weil Paul keinen Schlüssel hat."""
    first, second = _two(w, scene)
    if second is scene.animal:
        return _because(_rest(w, scene, first).first(), _rest(w, scene, second).last())
    reason = w.pick([_deed, _rest, _deny, _deny, _own, _meet])(w, scene, second)
    return _because(_rest(w, scene, first).first(), reason.last())


def looks(w: Words, scene: Scene) -> Pair:
    """Die Lampe ist rot und alt."""
    noun = w.pick([*scene.goods, *scene.buildings])
    true = scene.looks[noun.english]
    look, other = w.rng.sample(true, 2)
    if w.chance(0.3):
        subject = Subject(Pair(f"die {noun.germans}", f"the {noun.englishes}"), plural=True)
    else:
        subject = Subject(Pair(f"{THE[noun.gender]} {noun.german}", f"the {noun.english}"))
    predicate = _join(look, other, Pair(" und ", " and "))
    if w.chance(0.2):
        false = w.pick([look for group in LOOKS[noun.kind] for look in group if look not in true])
        predicate = Pair(f"nicht {false.german}", f"not {false.english}")
    return Clause(subject.name, conjugate(subject, IS), predicate).first()


def feels(w: Words, scene: Scene) -> Pair:
    """Anna ist müde und hungrig."""
    subject = w.pick([*scene.cast, scene.animal])
    return Clause(subject.name, conjugate(subject, IS), w.pick(FEELINGS)).first()


def together(w: Words, scene: Scene) -> Pair:
    """Anna und der Lehrer kaufen zwei Lampen."""
    first, second = _two(w, scene)
    both = Subject(_join(first.name, second.name, Pair(" und ", " and ")), plural=True)
    if second is scene.animal:
        verb = conjugate(both, w.pick(ANIMAL_RESTS))
        return Clause(both.name, verb, w.pick(scene.places)).first()
    clause = w.pick([_deed, _deed, _rest, _deny, _own, _meet])(w, scene, both)
    return clause.after(w.pick(TIMES)) if w.chance(0.3) else clause.first()


def owns(w: Words, scene: Scene) -> Pair:
    """Anna hat drei rote Lampen."""
    return _own(w, scene, w.pick(scene.cast)).first()


def denies(w: Words, scene: Scene) -> Pair:
    """Anna findet die Lampe nicht."""
    return _deny(w, scene, w.pick(scene.cast)).first()


def meets(w: Words, scene: Scene) -> Pair:
    """Am Montag trifft Anna den freundlichen Arzt."""
    clause = _meet(w, scene, w.pick(scene.cast))
    return clause.after(w.pick(TIMES)) if w.chance(0.4) else clause.first()


def contrasts(w: Words, scene: Scene) -> Pair:
    """Anna kauft eine Lampe, aber Paul wartet am See."""
    first, second = _two(w, scene)
    joint = w.pick([Pair(", und ", ", and "), Pair(", aber ", ", but ")])
    makers = [_rest] if second is scene.animal else [_rest, _deny, _own]
    start = w.pick([_deed, _rest, _own])(w, scene, first).first()
    return _join(start, w.pick(makers)(w, scene, second).first(), joint)


def says(w: Words, scene: Scene) -> Pair:
    """Anna sagt, was die anderen tun oder wie etwas aussieht."""
    (speaker, _, _), other = _two(w, scene)
    make = w.pick([_deed, _rest, _deny, _own, _meet])
    clause = _rest(w, scene, other) if other is scene.animal else make(w, scene, other)
    quote = looks(w, scene) if w.chance(0.3) else clause.first()
    return Pair(
        f'{speaker.german} sagt: "{upper_first(quote.german)}."',
        f'{speaker.english} says, "{upper_first(quote.english)}."',
    )


Pattern = Callable[[Words, Scene], Pair]
_PATTERNS: list[Pattern] = [
    does, does_there, does_then, rests, rests_then, because_of_look, because_of_mood,
    because_of_deed, looks, feels, together, owns, denies, meets, contrasts, says,
]  # fmt: skip
# Sentences of two clauses; texts have more of these, to be long enough.
_LONG = [
    because_of_look, because_of_mood, because_of_deed, together, contrasts, says,
]  # fmt: skip
_WORDINGS = [
    "Translate into {language}: ",
    "Translate from {other} to {language}: ",
    "Translate {other} to {language}: ",
    "Please translate this text into {language}:\n",
    "Put this into {language}: ",
    "How do you say this in {language}?\n",
]
_AGAIN = [
    "And now into {language}: ",
    "Now this text into {language}: ",
    "Thank you! Now into {language}: ",
]


def _punctuate(sentence: Pair) -> Pair:
    end = "" if sentence.english.endswith('"') else "."
    return Pair(upper_first(sentence.german) + end, upper_first(sentence.english) + end)


def _turn(w: Words, wordings: Sequence[str]) -> tuple[str, str]:
    wording, language, *patterns = w.combination(
        wordings, ["English", "German"], _PATTERNS, _PATTERNS
    )
    scene = Scene(w)
    for _ in range(w.pick([2, 3, 4, 5, 5, 5])):
        patterns.append(w.pick(_LONG if w.chance(0.75) else _PATTERNS))
    pairs = [pattern(w, scene) for pattern in patterns]
    if len(pairs) > 2 and w.chance(0.3):
        pairs[w.number(2, len(pairs) - 1)] = w.pick(SIGHTS)
    german, english = (" ".join(texts) for texts in zip(*map(_punctuate, pairs), strict=True))
    ask = wording.format(language=language, other={"English": "German"}.get(language, "English"))
    return (ask + english, german) if language == "German" else (ask + german, english)


def sample(w: Words) -> Sample:
    """Four to seven sentences to translate, with a second text one time in five."""
    turns = [_turn(w, _WORDINGS)]
    if w.chance(0.2):
        turns.append(_turn(w, _AGAIN))
    return Sample("translation", tuple(turns))
