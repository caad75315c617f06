"""German and English, both directions, in a small world with a correct lexicon."""

from __future__ import annotations

from dataclasses import dataclass

from logitspec.builtin.tasks import Sample
from logitspec.builtin.words import Words, listed, upper_first


@dataclass(frozen=True)
class Noun:
    """A German noun with its gender (m, f, n) and its English word."""

    german: str
    gender: str
    english: str


_THINGS = [
    Noun(*entry.split("/"))
    for entry in listed("""
    Buch/n/book Apfel/m/apple Lampe/f/lamp Stuhl/m/chair Auto/n/car Brief/m/letter
    Blume/f/flower Bild/n/picture Hut/m/hat Tasche/f/bag Schlüssel/m/key Uhr/f/clock Haus/n/house
    Fahrrad/n/bicycle Kiste/f/box Boot/n/boat Ball/m/ball Mantel/m/coat Tisch/m/table Gabel/f/fork
    Messer/n/knife Flasche/f/bottle Kuchen/m/cake Brot/n/bread Jacke/f/jacket Spiegel/m/mirror
    Zelt/n/tent Karte/f/map Ring/m/ring Kleid/n/dress""")
]
_BEINGS = [
    Noun(*entry.split("/"))
    for entry in listed("""
    Lehrer/m/teacher Mutter/f/mother Kind/n/child Hund/m/dog Katze/f/cat
    Vater/m/father Schwester/f/sister Mädchen/n/girl Arzt/m/doctor Frau/f/woman Mann/m/man
    Bruder/m/brother Tochter/f/daughter Freund/m/friend Gast/m/guest Koch/m/cook""")
]
_ADJECTIVES = [
    tuple(pair.split("/"))
    for pair in listed("""
    rot/red alt/old neu/new klein/small groß/big schön/beautiful blau/blue
    grün/green schwer/heavy schwarz/black weiß/white billig/cheap lang/long kurz/short
    gelb/yellow braun/brown""")
]
_VERBS = [
    tuple(pair.split("/"))
    for pair in listed("""
    kauft/buys sieht/sees findet/finds trägt/carries sucht/seeks bringt/brings
    verkauft/sells putzt/cleans liebt/loves braucht/needs nimmt/takes zeigt/shows""")
]
_RESTING = [
    tuple(pair.split("/"))
    for pair in listed("""
    schläft/sleeps singt/sings arbeitet/works spielt/plays wartet/waits tanzt/dances
    lacht/laughs liest/reads sitzt/sits""")
]
_PLACES = [
    ("im Garten", "in the garden"), ("im Park", "in the park"), ("in der Schule", "at school"),
    ("in der Stadt", "in the city"), ("auf dem Markt", "at the market"),
    ("in der Küche", "in the kitchen"), ("am Bahnhof", "at the station"),
    ("am See", "at the lake"), ("im Wald", "in the forest"), ("zu Hause", "at home"),
]  # fmt: skip
_TIMES = [
    ("heute", "today"), ("jeden Tag", "every day"), ("am Abend", "in the evening"),
    ("am Morgen", "in the morning"), ("am Montag", "on Monday"), ("am Freitag", "on Friday"),
    ("im Sommer", "in summer"), ("im Winter", "in winter"), ("oft", "often"),
    ("am Sonntag", "on Sunday"),
]  # fmt: skip
_FIXED = [
    ("Das Wetter ist schön.", "The weather is beautiful."),
    ("Die Sonne scheint.", "The sun is shining."),
    ("Es regnet.", "It is raining."),
    ("Es ist sehr kalt.", "It is very cold."),
    ("Alle sind müde.", "Everyone is tired."),
    ("Alle sind froh.", "Everyone is happy."),
    ("Das Essen ist gut.", "The food is good."),
    ("Der Abend ist ruhig.", "The evening is quiet."),
    ("Das ist sehr gut.", "That is very good."),
    ("Der Weg ist lang.", "The way is long."),
]
_THE = {"m": "der", "f": "die", "n": "das"}
_THE_OBJECT = {"m": "den", "f": "die", "n": "das"}
_A_OBJECT = {"m": "einen", "f": "eine", "n": "ein"}
_IT = {"m": "er", "f": "sie", "n": "es"}
_WEAK_OBJECT = {"m": "en", "f": "e", "n": "e"}
_MIXED_OBJECT = {"m": "en", "f": "e", "n": "es"}


def _subject(w: Words) -> tuple[str, str]:
    if w.chance(0.5):
        name = w.person().name
        return name, name
    noun = w.pick(_BEINGS)
    return f"{_THE[noun.gender]} {noun.german}", f"the {noun.english}"


def _place(w: Words) -> tuple[str, str]:
    if w.chance(0.3):
        town = w.town()
        return f"in {town}", f"in {town}"
    return w.pick(_PLACES)


def _buying(w: Words) -> tuple[str, str]:
    (who, who_en), noun = _subject(w), w.pick(_THINGS)
    verb, verb_en = w.pick(_VERBS)
    adjective, adjective_en = w.pick(_ADJECTIVES)
    if w.chance(0.5):
        article, article_en, ending = _THE_OBJECT[noun.gender], "the", _WEAK_OBJECT[noun.gender]
    else:
        article, ending = _A_OBJECT[noun.gender], _MIXED_OBJECT[noun.gender]
        article_en = "an" if adjective_en[0] in "aeiou" else "a"
    thing = f"{article} {adjective}{ending} {noun.german}"
    thing_en = f"{article_en} {adjective_en} {noun.english}"
    if w.chance(0.3):
        why, why_en = w.pick(_ADJECTIVES)
        return (
            f"{who} {verb} {thing}, weil {_IT[noun.gender]} {why} ist",
            f"{who_en} {verb_en} {thing_en} because it is {why_en}",
        )
    if w.chance(0.5):
        time, time_en = w.pick(_TIMES)
        return f"{time} {verb} {who} {thing}", f"{time_en} {who_en} {verb_en} {thing_en}"
    place, place_en = _place(w)
    return f"{who} {verb} {thing} {place}", f"{who_en} {verb_en} {thing_en} {place_en}"


def _resting(w: Words) -> tuple[str, str]:
    (who, who_en), (verb, verb_en) = _subject(w), w.pick(_RESTING)
    place, place_en = _place(w)
    if w.chance(0.5):
        time, time_en = w.pick(_TIMES)
        return f"{time} {verb} {who} {place}", f"{time_en} {who_en} {verb_en} {place_en}"
    return f"{who} {verb} {place}", f"{who_en} {verb_en} {place_en}"


def _being(w: Words) -> tuple[str, str]:
    noun = w.pick(_THINGS)
    (look, look_en), (other, other_en) = w.rng.sample(_ADJECTIVES, 2)
    return (
        f"{_THE[noun.gender]} {noun.german} ist {look} und {other}",
        f"the {noun.english} is {look_en} and {other_en}",
    )


def _text(w: Words) -> tuple[str, str]:
    german, english = [], []
    for _ in range(w.number(2, 6)):
        if w.chance(0.15):
            first, second = w.pick(_FIXED)
        else:
            first, second = w.pick([_buying, _buying, _resting, _being])(w)
            first, second = f"{upper_first(first)}.", f"{upper_first(second)}."
        german.append(first)
        english.append(second)
    return " ".join(german), " ".join(english)


def _turn(w: Words) -> tuple[str, str]:
    german, english = _text(w)
    source, target, language = (
        (german, english, "English") if w.chance(0.5) else (english, german, "German")
    )
    other = "German" if language == "English" else "English"
    ask = w.pick(
        [
            f"Translate into {language}: ",
            f"Translate from {other} to {language}: ",
            f"Translate {other} to {language}: ",
            f"Please translate this text into {language}:\n",
            f"How do you say this in {language}?\n",
        ]
    )
    return ask + source, target


def sample(w: Words) -> Sample:
    """Two to six sentences to translate, in one case of five followed by a second text."""
    turns = [_turn(w)]
    if w.chance(0.2):
        turns.append(_turn(w))
    return Sample("translation", tuple(turns))
