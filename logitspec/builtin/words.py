"""Names, places and things that the samples are about, split into training and evaluation.

A closed list of names would be memorised and the model would never learn to copy from its
prompt. About half of all names are therefore made up from syllables; whether a made-up word
belongs to training or to evaluation is decided by its checksum, so the two never meet.
"""

from __future__ import annotations

import builtins
import keyword
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Split = Literal["train", "eval"]
T = TypeVar("T")


def words_in(text: str) -> list[str]:
    """The words of a text; lists of words are shorter this way."""
    return text.split()


WOMEN = words_in("""
Anna Clara Emma Hannah Julia Laura Maria Nina Olga Paula Rosa Sarah Tina Vera Lisa
Martha Ellen Grace Alice Helen Ruth Nora Eva Ida Lucy Molly Kate Jane Mary Susan
Amelia Beatrice Charlotte Diana Florence Miriam Sophie Olivia Greta Esther Agnes Bertha
Cecilia Dora Edith Frieda Gloria Irene Judith Karen Lydia Monica Nancy Pauline Rachel
Sylvia Teresa Ursula Violet Wendy""")
MEN = words_in("""
Ben Carl David Erik Felix George Henry Ivan Jack Karl Leo Mark Noah Oscar Peter Robert
Simon Thomas Victor Walter Max Paul Otto Frank John James Sam Tom Will Adam
Albert Daniel Edward Hugo Martin Oliver Stefan Anton Bruno Arthur Bernard Conrad Dennis
Eugene Francis Gilbert Harold Isaac Jacob Kenneth Lewis Michael Nathan Oswald Philip
Richard Samuel Theodore Vincent William""")
TOWNS = words_in("""
Berlin London Paris Rome Vienna Prague Oslo Madrid Hamburg Dublin Boston Milan Geneva
Lisbon Warsaw Athens Munich Chicago Toronto Sydney Bristol Oxford Leipzig Kiel
Bremen Cambridge Copenhagen Edinburgh Glasgow Zurich Antwerp Budapest Cologne Dresden
Florence Granada Hanover Istanbul Jena Kassel Leeds Marseille Naples Odessa Porto Riga
Stockholm Turin Utrecht Venice""")
# Only evaluation sees the next three lists; no prose used in training contains them either.
EVAL_WOMEN = words_in("Ingrid Jasmin Renata Fiona Tamara")
EVAL_MEN = words_in("Gustav Marek Soren Valentin Fabian Nils Matteo Torsten")
EVAL_TOWNS = words_in("Helsinki Salzburg Krakow Basel Malmo Tallinn Vilnius Nairobi")
NAMES = frozenset([*WOMEN, *MEN, *TOWNS, *EVAL_WOMEN, *EVAL_MEN, *EVAL_TOWNS])
THINGS = words_in("""
lamp table chair clock boat bicycle piano guitar coat hat basket bottle camera carpet
cup mirror painting radio sofa tent wagon drum ladder kettle violin blanket pillow vase map coin
ring rope shovel hammer candle telescope compass lantern kite puppet""")
FRUIT = words_in("""
apples pears plums oranges lemons cherries peaches melons tomatoes carrots onions
potatoes pumpkins eggs cookies muffins pancakes rolls pies sandwiches""")
GOODS = words_in("""
books pencils stamps marbles stickers balloons buttons shells stones coins cards
flowers bottles boxes tickets toys candles cups plates photos""")
ANIMALS = words_in(
    "fox bear rabbit owl mouse cat dog goose hedgehog squirrel donkey frog horse crow"
)
COLOURS = words_in("red blue green yellow white black grey brown silver golden")
JOBS = words_in("""
teacher baker doctor farmer painter pilot nurse sailor gardener engineer librarian
carpenter singer writer cook tailor driver mayor""")
MONTHS = words_in("""
January February March April May June July August September October November
December""")
DAYS = words_in("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
PLACES = [
    "the old mill", "the harbour", "the forest", "the market", "the school garden", "the lake",
    "the railway station", "the library", "the castle", "the bakery", "the lighthouse",
    "the bridge", "the village square", "the river", "the museum", "the park",
]  # fmt: skip

# Common words that the syllables below can spell and the lists above may lack.
_COMMON = frozenset(words_in("""
able about above across adore after again alone along also always area around away babe baby bake
balance ball banana bare bark base basic bathe beard became beds before began behave bone bore
bored bored brake brave bread break broke bulls cabin cake calm came camel canal candid canoe care
cares carol cave cedar china choir cobra code coda cola colon color come comes coral core cola
cruel cute damage dance dare date decor delay denim dine done dose drama drive drove dual duel
fame fare fable fatal fate file final fine fire fires five flame flare flora focal fuel game gate
gave gaze genial global gone grade grape grave guard hare hate have here hero hide hole home hope
hose hotel human idea jade joke jokes june juror label lake lame lane laser late lazy legal lemon
level life like line linen lion lives local lone lore lose loser love lunar lure made major make
male mane manor maple mare mark mate maze meat melon menu metal mile mine minor minus miser mode
model mole moral more moral motel motor move mole muse music name nasal naval navel nature nine
none norm nose note novel nude okra opal oval over page pale panda pane panel paper parade pare
past pasta paste patio peril petal photo pile pilot pine pipe piper pirate place plane plate
player poke polar pole polite pore pork pose post potato prime primer prone prose pure quite quote
radio rail rake rare rate rather razor real recall recent relax relay remain remark remove repair
repeat reply reside resin retail return ride ripe rise rite rival river robe robin robot role
roman rope rose rotor route royal rude rule ruler rumor rural sake salad sale salon same sane save
saber sedan senior series sewer side sigma silo similar siren site size slave slide smile sofa
solar sole solo some soma sonar sore store story strange stone stove style sugar super sure table
tailor take tale talk tame tape taper taxi teak telex those tide tidal tile time timer tire token
tone topaz torn total totem tower trade trail train trial tribe tribal triple tunes tuner tulip
tutor tyre united vague vale value valor vase venom viola viral virus visa vital vocal vole vote
wade wage wake walk ware water wave wide wife wine wipe wire wise wives woke wolf woman yoke yoga
zebra zero zone
aber alle alles beide dame dose drei dinar euro freude gerade gute haben habe heute jahr jede jeder
karte kein keine klar kleine komma kraut lange leider leise liebe mal malen manuel meine meiner
moral name natur neun neue oder ohne rasen raten regal reise rosa roman ruhe sache sahen sagen
seide seine seiner seite sohn sonne tal tasse taube teile tiere traum treue vase vater warum weise
weile wenig werden wieder zahl zeile zeit ziel zwei
"""))  # fmt: skip
_ORDINARY_WORDS = _COMMON | {
    word.lower()
    for words in [
        WOMEN, MEN, TOWNS, EVAL_WOMEN, EVAL_MEN, EVAL_TOWNS, THINGS, FRUIT, GOODS, ANIMALS,
        COLOURS, JOBS, MONTHS, DAYS, words_in(" ".join(PLACES)),
    ]
    for word in words
}  # fmt: skip
_ORDINARY_WORDS |= {word.removesuffix("s") for word in _ORDINARY_WORDS}

COMBINATIONS_HELD_OUT = 8
# A made-up word that holds one of these would make an audience laugh for the wrong reason.
_UNFIT = ("sex", "fuk", "fuc", "tit", "cun", "cum", "nig", "fag", "pis", "rap", "dik", "kak", "kok")
_ONSETS = words_in("b br c cl d dr f fl g gr h j k kl l m n p pl qu r s st t tr v w y z")
_VOWELS = words_in("a e i o u ai ei oa ia ou")
_CODAS = ["", "", "", "l", "n", "r", "s", "m", "k", "th", "x", "rd"]


def is_held_out(text: str, one_in: int = 8) -> bool:
    """True for the fixed `1 / one_in` of all texts that only evaluation may use."""
    return zlib.crc32(text.lower().encode()) % one_in == 0


@dataclass(frozen=True)
class Person:
    """A name with its pronouns; `kind` is "woman" or "man"."""

    name: str
    kind: str
    he: str
    him: str
    his: str


class Words:
    """Draws words for one split from a seeded generator.

    `invented` is the share of names, places and things that are made up (0 to 1).
    """

    def __init__(self, rng: random.Random, split: Split = "train", invented: float = 0.5) -> None:
        self.rng = rng
        self.split = split
        self.invented = invented

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return self.rng.choice(options)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.rng.random() < probability

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.rng.randint(low, high)

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """All options in random order."""
        return self.rng.sample(options, len(options))

    def combination(self, *lists: Sequence[Any]) -> tuple[Any, ...]:
        """One option of each list, such that the options together belong to this split.

        One combination in `COMBINATIONS_HELD_OUT` belongs to evaluation alone, so that templates
        meet there in ways that training never showed. An option counts by its text, or by its
        name if it is a function: renaming such a function changes the samples.
        """
        while True:
            choice = tuple(self.pick(options) for options in lists)
            label = "|".join(getattr(option, "__name__", str(option)) for option in choice)
            if is_held_out(label, COMBINATIONS_HELD_OUT) == (self.split == "eval"):
                return choice

    def coin_word(self) -> str:
        """A made-up lower-case word of two or three syllables that belongs to this split.

        It is no Python keyword or builtin, since code uses these words as names, and no ordinary
        word or name.
        """
        while True:
            syllables = [
                self.pick(_ONSETS) + self.pick(_VOWELS) + self.pick(_CODAS)
                for _ in range(self.pick([2, 2, 2, 3]))
            ]
            word = "".join(syllables)
            reserved = keyword.iskeyword(word) or hasattr(builtins, word) or word in _ORDINARY_WORDS
            unfit = any(part in word for part in _UNFIT)
            if not reserved and not unfit and is_held_out(word) == (self.split == "eval"):
                return word

    def person(self) -> Person:
        """A person with an ordinary or made-up name."""
        woman = self.chance(0.5)
        train = self.split == "train"
        ordinary = (WOMEN if train else EVAL_WOMEN) if woman else (MEN if train else EVAL_MEN)
        name = self.coin_word().capitalize() if self.chance(self.invented) else self.pick(ordinary)
        if woman:
            return Person(name, "woman", "she", "her", "her")
        return Person(name, "man", "he", "him", "his")

    def people(self, count: int) -> list[Person]:
        """`count` people with different names."""
        people: dict[str, Person] = {}
        while len(people) < count:
            person = self.person()
            people[person.name] = person
        return list(people.values())

    def town(self) -> str:
        """A town with an ordinary or made-up name."""
        if self.chance(self.invented):
            return self.coin_word().capitalize()
        return self.pick(TOWNS if self.split == "train" else EVAL_TOWNS)

    def towns(self, count: int) -> list[str]:
        """`count` different towns."""
        towns: dict[str, None] = {}
        while len(towns) < count:
            towns[self.town()] = None
        return list(towns)

    def countable(self) -> str:
        """A made-up noun whose plural ends in a plain s."""
        while True:
            word = self.coin_word()
            if word.endswith(("l", "n", "r", "m", "k", "rd")):
                return word

    def thing(self) -> str:
        """A countable thing, singular; made up half as often as names are."""
        return self.countable() if self.chance(self.invented / 2) else self.pick(THINGS)

    def things(self, count: int) -> list[str]:
        """`count` different things, singular."""
        things: dict[str, None] = {}
        while len(things) < count:
            things[self.thing()] = None
        return list(things)

    def plural(self) -> str:
        """Countable goods, plural."""
        if self.chance(self.invented / 3):
            return self.countable() + "s"
        return self.pick(FRUIT + GOODS)


def a(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def plural_of(noun: str) -> str:
    """The plural of one of the things."""
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def upper_first(text: str) -> str:
    """The text with its first letter in upper case and the rest unchanged."""
    return text[:1].upper() + text[1:]
