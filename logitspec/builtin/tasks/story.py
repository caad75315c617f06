"""Short stories: written from a few given words, or continued from a beginning."""

from __future__ import annotations

from logitspec.builtin.tasks import Sample
from logitspec.builtin.words import ANIMALS, COLOURS, PLACES, Words, a, upper_first

_HERE = ["small", "clever", "quiet", "brave", "curious", "kind", "old", "young", "shy", "merry"]
_OPEN = [
    "Once upon a time there was {a_look} {animal} called {name}, who lived near {place}.",
    "Long ago, {a_look} {animal} named {name} lived close to {place}.",
    "Near {place} lived {a_look} {animal} whose name was {name}.",
]
_FIND = [
    "One morning, {name} found {a_colour} {thing} in the grass.",
    "One evening, {name} saw {a_colour} {thing} under a tree.",
    "One day, {name} discovered {a_colour} {thing} beside the road.",
]
_WONDER = [
    '"Who does this {thing} belong to?" asked {name}.',
    '"What a lovely {thing}!" said {name}. "Somebody must be looking for it."',
    "{name} picked up the {thing} and looked at it for a long time.",
]
_TROUBLE = [
    "But a strong wind came and carried the {thing} into the water.",
    "But the {thing} was broken, and nobody knew how to mend it.",
    "But it grew dark, and {name} could not find the way home.",
    "But a loud noise came from the bushes, and {name} was afraid.",
]
_FRIEND = [
    'Just then {friend} the {other} came along. "Do not worry," said {friend}. "I will help you."',
    "{friend} the {other} heard about it and came as fast as the wind.",
    '"I know what to do," said {friend} the {other}, and together they set off.',
]
_WORK = [
    "They worked side by side until the sun went down.",
    "They walked past {place} and over the hill, and they sang all the way.",
    "First they tried it one way, and then they tried it another way.",
    "{friend} held the lamp, and {name} did the rest.",
]
_SOLVE = [
    "At last the {colour} {thing} was safe again.",
    "In the end the {thing} shone as brightly as before.",
    "Soon they stood in front of the door, and the {thing} was still with them.",
]
_END = [
    "{name} thanked {friend}, and they were friends from that day on.",
    '"Thank you, {friend}," said {name}. They shared some bread and went to sleep.',
    "{name} gave the {thing} to {friend}, for a good friend is worth more than any {thing}.",
]
_MORE = [
    "The next day {name} and {friend} met again near {place}.",
    'They talked about the {colour} {thing}. "Let us look for another one," said {friend}.',
    "They looked everywhere, and {name} laughed at every little thing they found.",
    "In the evening they sat by the fire, and {friend} told a story about {a_look} {animal}.",
]


def _fields(w: Words) -> dict[str, str]:
    hero, friend = w.people(2)
    animal, other = w.rng.sample(ANIMALS, 2)
    look, colour = w.pick(_HERE), w.pick(COLOURS)
    return {
        "name": hero.name, "friend": friend.name, "animal": animal, "other": other,
        "a_look": a(look), "colour": colour, "a_colour": a(colour), "thing": w.thing(),
        "place": w.pick(PLACES),
    }  # fmt: skip


def sample(w: Words) -> Sample:
    """A story of six to eight sentences, at times with a request to go on."""
    fields = _fields(w)
    parts = [_OPEN, _FIND, _WONDER, _TROUBLE, _FRIEND, _WORK, _SOLVE, _END]
    lines = [w.pick(part).format(**fields) for part in parts]
    if w.chance(0.5):
        known = w.number(1, 5)
        ask = w.pick(["Continue the story: ", "Continue this story.\n", "What happens next?\n"])
        turns = [(ask + " ".join(lines[:known]), " ".join(lines[known:]))]
    else:
        ask = w.pick(
            [
                "Write a short story about {a_look} {animal} called {name} and {a_colour} {thing}.",
                "Tell me a story about {name} the {animal}, {friend} the {other} "
                "and {a_colour} {thing}.",
                "Tell me a story about {a_look} {animal} named {name} near {place}.",
            ]
        )
        turns = [(ask.format(**fields), " ".join(lines))]
    if w.chance(0.25):
        ask = w.pick(["What happens the next day?", "Please go on.", "Continue."])
        turns.append((ask, " ".join(line.format(**fields) for line in _MORE)))
    elif w.chance(0.15):
        who = f"{upper_first(fields['name'])} and {fields['friend']}."
        turns.append(("Who are the two friends in the story?", f"The two friends are {who}"))
    return Sample("story", tuple(turns))
