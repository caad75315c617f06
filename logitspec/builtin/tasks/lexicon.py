"""Words and grammar of the German and English world: a word has exactly one counterpart.

Classes of things decide which verbs and adjectives go with them, so that people eat apples and
visit castles and not the reverse. Underscores stand for spaces.
"""

from __future__ import annotations

from typing import NamedTuple

from logitspec.builtin.words import a, words_in


class Pair(NamedTuple):
    """The same text in both languages."""

    german: str
    english: str


class Noun(NamedTuple):
    """A noun with its German gender (m, f, n), its plurals and its class."""

    german: str
    gender: str
    germans: str
    english: str
    englishes: str
    kind: str


class Verb(NamedTuple):
    """A verb in the third person: "kauft", "kaufen", "buys" and "buy"."""

    german: str
    germans: str
    english: str
    englishes: str


def _pairs(text: str) -> list[Pair]:
    return [Pair(*entry.replace("_", " ").split("/")) for entry in words_in(text)]


def _nouns(kind: str, text: str) -> list[Noun]:
    return [Noun(*f"{entry}/{kind}".split("/")) for entry in words_in(text)]


def _verbs(text: str) -> list[Verb]:
    return [Verb(*entry.replace("_", " ").split("/")) for entry in words_in(text)]


GOODS = _nouns(
    "tool",
    """
    Buch/n/Bücher/book/books Lampe/f/Lampen/lamp/lamps Brief/m/Briefe/letter/letters
    Blume/f/Blumen/flower/flowers Bild/n/Bilder/picture/pictures Uhr/f/Uhren/clock/clocks
    Tasche/f/Taschen/bag/bags Schlüssel/m/Schlüssel/key/keys Kiste/f/Kisten/box/boxes
    Ball/m/Bälle/ball/balls Gabel/f/Gabeln/fork/forks Messer/n/Messer/knife/knives
    Flasche/f/Flaschen/bottle/bottles Spiegel/m/Spiegel/mirror/mirrors
    Karte/f/Karten/map/maps Stuhl/m/Stühle/chair/chairs Tisch/m/Tische/table/tables
    Korb/m/Körbe/basket/baskets Teller/m/Teller/plate/plates Tasse/f/Tassen/cup/cups""",
) + _nouns(
    "clothing",
    """
    Hut/m/Hüte/hat/hats Mantel/m/Mäntel/coat/coats Jacke/f/Jacken/jacket/jackets
    Kleid/n/Kleider/dress/dresses Hemd/n/Hemden/shirt/shirts Decke/f/Decken/blanket/blankets""",
) + _nouns(
    "food",
    """
    Apfel/m/Äpfel/apple/apples Birne/f/Birnen/pear/pears Ei/n/Eier/egg/eggs
    Kuchen/m/Kuchen/cake/cakes Tomate/f/Tomaten/tomato/tomatoes
    Kartoffel/f/Kartoffeln/potato/potatoes Banane/f/Bananen/banana/bananas""",
) + _nouns(
    "vehicle",
    "Auto/n/Autos/car/cars Fahrrad/n/Fahrräder/bicycle/bicycles Boot/n/Boote/boat/boats",
)  # fmt: skip
BUILDINGS = _nouns(
    "building",
    """
    Haus/n/Häuser/house/houses Kirche/f/Kirchen/church/churches Turm/m/Türme/tower/towers
    Brücke/f/Brücken/bridge/bridges Museum/n/Museen/museum/museums
    Schloss/n/Schlösser/castle/castles""",
)
PEOPLE = _nouns(
    "person",
    """
    Lehrer/m/Lehrer/teacher/teachers Arzt/m/Ärzte/doctor/doctors Koch/m/Köche/cook/cooks
    Bäcker/m/Bäcker/baker/bakers Vater/m/Väter/father/fathers Mutter/f/Mütter/mother/mothers
    Bruder/m/Brüder/brother/brothers Schwester/f/Schwestern/sister/sisters
    Sohn/m/Söhne/son/sons Tochter/f/Töchter/daughter/daughters Mann/m/Männer/man/men
    Frau/f/Frauen/woman/women Onkel/m/Onkel/uncle/uncles Tante/f/Tanten/aunt/aunts
    Kind/n/Kinder/child/children Mädchen/n/Mädchen/girl/girls""",
)
ANIMALS = _nouns(
    "animal",
    """
    Hund/m/Hunde/dog/dogs Katze/f/Katzen/cat/cats Pferd/n/Pferde/horse/horses
    Vogel/m/Vögel/bird/birds""",
)

_COLOURS = _pairs("rot/red blau/blue grün/green gelb/yellow schwarz/black weiß/white braun/brown")
_SIZES = _pairs("klein/small groß/big")
_AGES = _pairs("alt/old neu/new")
# One adjective of each group may describe the same thing without contradiction.
LOOKS = {
    "tool": [_COLOURS, _SIZES, _AGES, _pairs("schön/beautiful schwer/heavy billig/cheap")],
    "clothing": [_COLOURS, _SIZES, _AGES, _pairs("schön/beautiful warm/warm billig/cheap")],
    "vehicle": [_COLOURS, _SIZES, _AGES, _pairs("schön/beautiful billig/cheap")],
    "food": [_SIZES, _pairs("frisch/fresh gut/good billig/cheap")],
    "building": [_COLOURS, _SIZES, _AGES, _pairs("schön/beautiful berühmt/famous")],
}
# No mood is a look: "weil sie müde ist" is a person's reason, "weil sie neu ist" a thing's.
MOODS = _pairs(
    """müde/tired hungrig/hungry glücklich/happy krank/sick freundlich/friendly
    stark/strong traurig/sad fleißig/hard-working"""
)
FEELINGS = _pairs(
    """müde_und_hungrig/tired_and_hungry müde_und_krank/tired_and_sick nicht_müde/not_tired
    traurig_und_müde/sad_and_tired krank_und_traurig/sick_and_sad nicht_krank/not_sick
    hungrig_und_traurig/hungry_and_sad glücklich_und_müde/happy_and_tired
    nicht_hungrig/not_hungry nicht_traurig/not_sad"""
)
MANNERS = _pairs("freundlich/friendly stark/strong fleißig/hard-working")

_TRADE = """kauft/kaufen/buys/buy verkauft/verkaufen/sells/sell sucht/suchen/looks_for/look_for
    findet/finden/finds/find braucht/brauchen/needs/need """
_HANDLE = _TRADE + "nimmt/nehmen/takes/take holt/holen/fetches/fetch "
DEEDS = {
    "tool": _verbs(_HANDLE + "trägt/tragen/carries/carry putzt/putzen/cleans/clean"),
    "clothing": _verbs(_HANDLE + "wäscht/waschen/washes/wash"),
    "food": _verbs(_HANDLE + "isst/essen/eats/eat isst/essen/eats/eat isst/essen/eats/eat"),
    "vehicle": _verbs(
        _TRADE + "repariert/reparieren/repairs/repair wäscht/waschen/washes/wash"
    ),
    "building": _verbs(
        "besucht/besuchen/visits/visit sieht/sehen/sees/see malt/malen/paints/paint"
    ),
    "person": _verbs(
        """trifft/treffen/meets/meet besucht/besuchen/visits/visit sieht/sehen/sees/see
        grüßt/grüßen/greets/greet sucht/suchen/looks_for/look_for"""
    ),
    "animal": _verbs(
        """sieht/sehen/sees/see sucht/suchen/looks_for/look_for wäscht/waschen/washes/wash
        malt/malen/paints/paint"""
    ),
}  # fmt: skip
CHOICES = words_in("buys sells takes eats visits paints")  # deeds that a look can be a reason for
HAS = Verb("hat", "haben", "has", "have")
IS = Verb("ist", "sind", "is", "are")
RESTS = _verbs(
    """schläft/schlafen/sleeps/sleep spielt/spielen/plays/play wartet/warten/waits/wait
    sitzt/sitzen/sits/sit singt/singen/sings/sing arbeitet/arbeiten/works/work
    tanzt/tanzen/dances/dance lacht/lachen/laughs/laugh liest/lesen/reads/read
    kocht/kochen/cooks/cook"""
)
ANIMAL_RESTS = RESTS[:4]
REASONS = {
    "sleeps": words_in("tired sick"),
    "plays": words_in("happy"),
    "sits": words_in("tired sad sick"),
    "sings": words_in("happy"),
    "works": words_in("hard-working strong"),
    "dances": words_in("happy"),
    "laughs": words_in("happy friendly"),
    "cooks": words_in("hungry"),
}

OUTSIDE = _pairs(
    """in_der_Stadt/in_the_city im_Dorf/in_the_village im_Wald/in_the_forest am_See/at_the_lake
    am_Fluss/at_the_river"""
)
PLACES = OUTSIDE + _pairs(
    """im_Garten/in_the_garden im_Park/in_the_park in_der_Schule/at_school
    auf_dem_Markt/at_the_market in_der_Küche/in_the_kitchen am_Bahnhof/at_the_station
    im_Hotel/at_the_hotel im_Zug/on_the_train zu_Hause/at_home"""
)
TIMES = _pairs(
    """heute/today jeden_Tag/every_day jede_Woche/every_week am_Morgen/in_the_morning
    am_Nachmittag/in_the_afternoon am_Abend/in_the_evening am_Montag/on_Monday
    am_Freitag/on_Friday am_Sonntag/on_Sunday im_Sommer/in_summer im_Winter/in_winter
    manchmal/sometimes"""
)
NUMBERS = _pairs(
    "zwei/two drei/three vier/four fünf/five sechs/six sieben/seven acht/eight neun/nine zehn/ten"
)
SIGHTS = _pairs(
    """Das_Wetter_ist_schön/The_weather_is_beautiful Die_Sonne_scheint/The_sun_is_shining
    Es_regnet/It_is_raining Es_ist_sehr_kalt/It_is_very_cold Alle_sind_müde/Everyone_is_tired
    Das_Essen_ist_gut/The_food_is_good Der_Abend_ist_ruhig/The_evening_is_quiet
    Der_Weg_ist_lang/The_way_is_long"""
)

THE = {"m": "der", "f": "die", "n": "das"}
_THE_OBJECT = {"m": "den", "f": "die", "n": "das"}
_A_OBJECT = {"m": "einen", "f": "eine", "n": "ein"}
IT = {"m": "er", "f": "sie", "n": "es"}
_WEAK_OBJECT = {"m": "en", "f": "e", "n": "e"}
_MIXED_OBJECT = {"m": "en", "f": "e", "n": "es"}
PRONOUNS = {"m": Pair("er", "he"), "f": Pair("sie", "she")}


class Subject(NamedTuple):
    """Somebody or something that a clause is about; `gender` is n where no pronoun is used."""

    name: Pair
    gender: str = "n"
    plural: bool = False


class Clause(NamedTuple):
    """Subject, verb and the rest, which German orders in three ways."""

    subject: Pair
    verb: Pair
    rest: Pair

    def first(self) -> Pair:
        """The clause on its own."""
        return Pair(*(" ".join(words) for words in zip(*self, strict=True)))

    def after(self, time: Pair) -> Pair:
        """The clause after a leading time: German puts the verb before the subject."""
        german = f"{time.german} {self.verb.german} {self.subject.german} {self.rest.german}"
        return Pair(german, f"{time.english} {self.first().english}")

    def last(self) -> Pair:
        """The clause after "weil": German puts the verb at the end."""
        german = f"{self.subject.german} {self.rest.german} {self.verb.german}"
        return Pair(german, self.first().english)


def conjugate(subject: Subject, verb: Verb) -> Pair:
    """The verb in the number of its subject."""
    if subject.plural:
        return Pair(verb.germans, verb.englishes)
    return Pair(verb.german, verb.english)


def negate(subject: Subject, verb: Verb) -> Pair:
    """The verb of a negated clause; German says nicht or kein elsewhere."""
    do = "do not" if subject.plural else "does not"
    return Pair(conjugate(subject, verb).german, f"{do} {verb.englishes}")


def the(noun: Noun, look: Pair | None = None) -> Pair:
    """The noun as a definite object: "den roten Hut"."""
    if look is None:
        return Pair(f"{_THE_OBJECT[noun.gender]} {noun.german}", f"the {noun.english}")
    article, ending = _THE_OBJECT[noun.gender], _WEAK_OBJECT[noun.gender]
    return Pair(
        f"{article} {look.german}{ending} {noun.german}", f"the {look.english} {noun.english}"
    )


def indefinite(noun: Noun, look: Pair | None = None) -> Pair:
    """The noun as an indefinite object: "einen roten Hut"."""
    article = _A_OBJECT[noun.gender]
    if look is None:
        return Pair(f"{article} {noun.german}", a(noun.english))
    german = f"{article} {look.german}{_MIXED_OBJECT[noun.gender]} {noun.german}"
    return Pair(german, a(f"{look.english} {noun.english}"))


def with_number(number: Pair, noun: Noun, look: Pair | None = None) -> Pair:
    """Several of something, as in "drei rote Lampen"; the ending is the same for all genders."""
    if look is None:
        return Pair(f"{number.german} {noun.germans}", f"{number.english} {noun.englishes}")
    german = f"{number.german} {look.german}e {noun.germans}"
    return Pair(german, f"{number.english} {look.english} {noun.englishes}")
