"""The translation task: its German is rebuilt from its English by independent means, word by word."""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from logitspec.builtin.tasks import lexicon, translation
from logitspec.builtin.words import Split, Words

SAMPLES = 20_000
GENDERS = {
    "m": """Brief Schlüssel Ball Spiegel Stuhl Tisch Korb Teller Hut Mantel Apfel Kuchen Turm
    Lehrer Arzt Koch Bäcker Vater Bruder Sohn Mann Onkel Hund Vogel""".split(),
    "f": """Lampe Blume Uhr Tasche Kiste Gabel Flasche Karte Tasse Jacke Decke Birne Tomate
    Kartoffel Banane Kirche Brücke Mutter Schwester Tochter Frau Tante Katze""".split(),
    "n": """Buch Bild Messer Kleid Hemd Ei Auto Fahrrad Boot Haus Museum Schloss Kind Mädchen
    Pferd""".split(),
}
GENDER = {noun: gender for gender, nouns in GENDERS.items() for noun in nouns}
NOUNS = [*lexicon.GOODS, *lexicon.BUILDINGS, *lexicon.PEOPLE, *lexicon.ANIMALS]
SINGULAR = {noun.english: noun.german for noun in NOUNS}
PLURAL = {noun.englishes: noun.germans for noun in NOUNS}
GROUPS = [group for groups in lexicon.LOOKS.values() for group in groups]
ADJECTIVE = {e: g for g, e in itertools.chain(lexicon.MOODS, lexicon.MANNERS, *GROUPS)}
NUMBER = {e: g for g, e in lexicon.NUMBERS}
TIME = {e: g for g, e in lexicon.TIMES}
PLACE = {e: g for g, e in lexicon.PLACES}
SIGHT = {e: g for g, e in lexicon.SIGHTS}
VERBS = [*itertools.chain(*lexicon.DEEDS.values()), *lexicon.RESTS, lexicon.HAS, lexicon.IS]
VERB = {v.english: v.german for v in VERBS} | {v.englishes: v.germans for v in VERBS}
BASE = {v.englishes: v.german for v in VERBS}
SUBJECT = r"(?:the (?:[a-z-]+ )?[a-z]+|[A-Z]\w+)"
CLAUSE = re.compile(
    rf"(?:({'|'.join(TIME)}) )?({SUBJECT}(?: and {SUBJECT})?) (does not |do not |)"
    rf"({'|'.join(sorted(VERB, key=len, reverse=True))})(?: (.*))?"
)
PLACED = re.compile(rf"(?:(.*) )?({'|'.join(PLACE)}|in [A-Z]\w+)")
# The nominative takes the object's endings except in the masculine: (article, adjective ending).
ENDINGS = {
    ("the", "m", True): ("der", "e"), ("the", "m", False): ("den", "en"),
    ("the", "f", True): ("die", "e"), ("the", "f", False): ("die", "e"),
    ("the", "n", True): ("das", "e"), ("the", "n", False): ("das", "e"),
    ("a", "m", False): ("einen", "en"), ("a", "f", False): ("eine", "e"),
    ("a", "n", False): ("ein", "es"),
}  # fmt: skip


def noun_phrase(text: str, subject: bool) -> str:
    """A name, "the red lamp", "a lamp", "three lamps" or, as a subject, "the lamps"."""
    first, *looks, noun = ["", *text.split()] if text[0].isupper() else text.split()
    if not first:
        return noun
    if noun in PLURAL and (subject or first in NUMBER):
        article, ending, german = NUMBER.get(first, "die"), "e", PLURAL[noun]
    else:
        german = SINGULAR[noun]
        article, ending = ENDINGS[first.replace("an", "a"), GENDER[german], subject]
    return " ".join([article, *(ADJECTIVE[look] + ending for look in looks), german])


def predicate(text: str) -> str:
    """ "not red" or "red and old"."""
    if text.startswith("not "):
        return f"nicht {ADJECTIVE[text[4:]]}"
    return " und ".join(ADJECTIVE[look] for look in text.split(" and "))


def behind_the_verb(rest: str, negated: bool) -> str:
    """Object and place; "a" becomes "kein" and "the" is followed by "nicht" in a negation."""
    placed = PLACED.fullmatch(rest)
    what, where = (placed[1] or "", placed[2]) if placed else (rest, "")
    parts = [noun_phrase(what, subject=False)] if what else []
    if negated and what.startswith("a"):
        parts = ["k" + parts[0]]
    elif negated:
        parts.append("nicht")
    return " ".join([*parts, *([PLACE.get(where, where)] if where else [])])


def clause(english: str, last: bool = False) -> str:
    result = CLAUSE.fullmatch(english)
    assert result, english
    time, subject, negation, verb, rest = result.groups()
    german = " und ".join(noun_phrase(part, subject=True) for part in subject.split(" and "))
    verb = BASE[verb] if negation == "does not " else VERB[verb]
    is_predicate = verb in {"ist", "sind"}
    rest = predicate(rest) if is_predicate else behind_the_verb(rest, bool(negation))
    if last:
        return f"{german} {rest} {verb}"
    return f"{TIME[time]} {verb} {german} {rest}" if time else f"{german} {verb} {rest}"


def reason(english: str, main: str) -> str:
    pronoun = re.fullmatch(r"(he|she|it) is ([\w-]+)", english)
    if not pronoun:
        return clause(english, last=True)
    thing = GENDER.get(main.split()[-1], "")
    german = {"he": "er", "she": "sie"}.get(pronoun[1]) or {"m": "er", "f": "sie", "n": "es"}[thing]
    return f"{german} {ADJECTIVE[pronoun[2]]} ist"


@functools.cache
def to_german(english: str) -> str:
    """The German of an English sentence, which is given with its full stop."""
    quoted = re.fullmatch(r'(.*) says, "(.*)"', english)
    if quoted:
        speaker = lower_start(quoted[1])
        return upper(f'{noun_phrase(speaker, subject=True)} sagt: "{to_german(quoted[2])}"')
    text = english.removesuffix(".")
    if text in SIGHT:
        return SIGHT[text] + "."
    text = lower_start(text)
    if " because " in text:
        main, why = text.split(" because ")
        german = clause(main)
        return upper(f"{german}, weil {reason(why, german)}.")
    first, *joined = re.split(r", (and|but) ", text)
    words = {"and": "und", "but": "aber"}
    german = clause(first)
    if joined:
        german += f", {words[joined[0]]} {clause(joined[1])}"
    return upper(german + ".")


def lower_start(text: str) -> str:
    small = text[0].lower() + text[1:]
    known = small.startswith("the ") or any(small.startswith(f"{time} ") for time in TIME)
    return small if known else text


def upper(text: str) -> str:
    return text[0].upper() + text[1:]


def sentences(text: str) -> list[str]:
    return re.split(r'(?<=[."]) (?=[A-ZÄÖÜ])', text)


def made(count: int, split: Split = "train", seed: int = 11) -> list[Any]:
    w = Words(random.Random(seed), split)
    return [translation.sample(w) for _ in range(count)]


@pytest.fixture(scope="module")
def many() -> list[Any]:
    return made(SAMPLES)


def pairs(matches: Sequence[Any]) -> list[tuple[str, str]]:
    """All turns as (German, English)."""
    texts = []
    for ask, answer in itertools.chain.from_iterable(sample.turns for sample in matches):
        wording, source = re.split(r"(?<=[:?]) |\n", ask, maxsplit=1)
        german_is_asked = wording.split()[-1].strip(":?") == "German" or "in German" in wording
        texts.append((answer, source) if german_is_asked else (source, answer))
    return texts


def test_english_maps_back_to_the_same_german() -> None:
    for german, english in pairs(made(1500) + made(500, "eval")):
        originals = sentences(english)
        assert 4 <= len(originals) <= 7
        assert [to_german(sentence) for sentence in originals] == sentences(german)


def test_articles_agree_with_the_gender(many: list[Any]) -> None:
    endings = {"m": {"der", "den", "einen"}, "f": {"die", "eine"}, "n": {"das", "ein"}}
    seen = set()
    pattern = re.compile(
        rf"\b([Dd](?:er|ie|as|en)|k?ein\w*) (?:[a-zäöüß]+ )?({'|'.join(GENDER)})\b"
    )
    unchanged = {noun.germans for noun in NOUNS if noun.german == noun.germans}
    for german, _ in pairs(many[:3000]):
        for article, noun in pattern.findall(german):
            plural = article.lower() == "die" and noun in unchanged
            assert plural or article.lower().removeprefix("k") in endings[GENDER[noun]], german
            seen.add(noun)
    assert seen == set(GENDER) == {noun.german for noun in NOUNS}


def test_no_sentence_has_two_translations(many: list[Any]) -> None:
    to_english: dict[str, str] = {}
    back: dict[str, str] = {}
    count = 0
    starts = {text.split()[0].capitalize() for text in [*TIME, *SIGHT, "the"]}
    days = {text.split()[1] for text in TIME if text.startswith("on ")}
    for german, english in pairs(many[:7500]):
        # All names become one, so that sentences differing in their names alone are compared too.
        names = set(re.findall(r"\b[A-Z]\w+", english)) - starts - days
        if names:
            anyone = re.compile(rf"\b(?:{'|'.join(names)})\b")
            german, english = anyone.sub("Anna", german), anyone.sub("Anna", english)
        for first, second in zip(sentences(german), sentences(english), strict=True):
            assert to_english.setdefault(first, second) == second
            assert back.setdefault(second, first) == first
            count += 1
    assert count > 30_000


def test_prompts_do_not_repeat_and_stay_short(many: list[Any]) -> None:
    assert len({sample.prompt for sample in many}) == SAMPLES
    assert 0.15 < sum(len(sample.turns) == 2 for sample in many) / SAMPLES < 0.25
    assert max(len(f"{sample.turns}".split()) for sample in many) < 400


def test_words_have_one_counterpart() -> None:
    words = [*itertools.chain.from_iterable(GROUPS), *lexicon.MOODS]
    words += [*lexicon.PLACES, *lexicon.TIMES, *lexicon.NUMBERS]
    words += [lexicon.Pair(noun.german, noun.english) for noun in NOUNS]
    words += [lexicon.Pair(verb.german, verb.english) for verb in VERBS]
    distinct = set(words)
    assert len({pair.german for pair in distinct}) == len(distinct)
    assert len({pair.english for pair in distinct}) == len(distinct)


class Recorder(Words):
    """Remembers the combinations it has drawn."""

    seen: set[tuple[str, ...]]

    def combination(self, *lists: Sequence[Any]) -> tuple[Any, ...]:
        chosen = super().combination(*lists)
        self.seen.add(tuple(getattr(option, "__name__", str(option)) for option in chosen))
        return chosen


def test_evaluation_combines_templates_as_training_never_does() -> None:
    seen: dict[str, set[tuple[str, ...]]] = {}
    splits: list[Split] = ["train", "eval"]
    for split in splits:
        w = Recorder(random.Random(2), split)
        w.seen = seen[split] = set()
        for _ in range(800):
            translation.sample(w)
    assert not seen["train"] & seen["eval"]
    for position in range(4):
        options = {combination[position] for combination in seen["train"]}
        assert options >= {combination[position] for combination in seen["eval"]}


def test_samples_depend_on_the_seed_alone() -> None:
    assert made(50) == made(50) != made(50, seed=12)
