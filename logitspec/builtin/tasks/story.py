"""Short stories: written from a few words, or continued from a beginning."""

from __future__ import annotations

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.plots import BEGINNINGS, PLOTS
from logitspec.builtin.words import ANIMALS, COLOURS, JOBS, PLACES, Words, a

_LOOKS = ["small", "clever", "quiet", "brave", "curious", "kind", "old", "young", "shy", "merry"]
_REQUESTS = [
    "Tell me a story about {about}.",
    "Write a short story about {about}.",
    "Please write a story with the title: {about}.",
    "I would like to hear a story about {about}.",
    "May I have a story about {about}?",
]
# Each shows by a pronoun whether the hero is a woman or a man, since a made-up name does not.
_HEROES = [
    "{name} is {who}. {He} has a friend, {friend} {helper}.",
    "The hero is {name}, {who}. {friend} {helper} should help {him}.",
    "{name} is {who}, and {his} friend is {friend} {helper}.",
    "{name} is {who}. Please let {him} meet {friend} {helper}.",
]
_THINGS = [
    "There should be {a_thing} in it, and {place}.",
    "It happens near {place}, with {a_thing}.",
    "Put in {a_thing} and {place}.",
]
_CONTINUE = ["Continue the story: {0}", "Continue this story.\n{0}", "What happens next?\n{0}",
             "Please finish this story.\n{0}", "{0}\nGo on with this story."]  # fmt: skip
_NEXT_DAY = [
    "The next day {name} and {friend} met again near {place}.",
    '"Do you still think of the {thing}?" asked {friend}. "Every hour," said {name}.',
    "They sat down by the fire, and {friend} made a pot of tea.",
    "Then they told each other stories until the stars came out.",
    '"Let us meet again tomorrow," said {name}, and {friend} nodded.',
]
_ASK_NEXT = ["What happens the next day?", "Please go on.", "Continue.", "And then?"]


def _fields(w: Words) -> dict[str, str]:
    hero, friend = w.people(2)
    what, helper = w.rng.sample(w.pick([ANIMALS, JOBS, ANIMALS + JOBS]), 2)
    thing = f"{w.pick(COLOURS)} {w.thing()}" if w.chance(0.5) else w.thing()
    return {
        "name": hero.name, "he": hero.he, "He": hero.he.capitalize(), "him": hero.him,
        "his": hero.his, "himself": f"{hero.him}self", "friend": friend.name,
        "who": a(f"{w.pick(_LOOKS)} {what}"), "helper": f"the {helper}", "thing": thing,
        "a_thing": a(thing), "place": w.pick(PLACES),
    }  # fmt: skip


def _with_cast(beginning: str, fields: dict[str, str]) -> str:
    """A beginning, with a hint about the friend and the thing if it does not mention them."""
    cast = [f"{fields['friend']} {fields['helper']}"] if fields["friend"] not in beginning else []
    cast += [fields["a_thing"]] if fields["thing"] not in beginning else []
    hint = f"{fields['He']} will also see {' and '.join(cast)}."
    return f"{beginning} ({hint})" if cast else beginning


def _later(w: Words, fields: dict[str, str]) -> list[tuple[str, str]]:
    """Sometimes a question about the story, or a request to continue."""
    name, friend, helper = fields["name"], fields["friend"], fields["helper"]
    turns = [
        (w.pick(_ASK_NEXT), " ".join(_NEXT_DAY).format(**fields)),
        ("Who are the two friends in the story?", f"The two friends are {name} and {friend}."),
        (f"Who is {friend}?", f"{friend} is {helper}, a friend of {name}."),
        (f"Who is {name}?", f"{name} is {fields['who']}."),
    ]
    return [w.pick([turns[0], *turns])] if w.chance(0.4) else []


def sample(w: Words) -> Sample:
    """A story of ten to twelve sentences, or the rest of one after its beginning."""
    fields = _fields(w)
    if w.chance(0.4):
        plot, ask, length = w.combination(list(PLOTS), _CONTINUE, [1, 2, 3, 4, 5])
    else:
        plot, ask, heroes, things = w.combination(list(PLOTS), _REQUESTS, _HEROES, _THINGS)
        length, ask = 0, f"{ask} {heroes} {things}".replace("{about}", plot)
    rest = [w.pick(line.strip().split(" | ")) for line in PLOTS[plot].strip().splitlines()]
    lines = [line.format(**fields) for line in [w.pick(BEGINNINGS), *rest]]
    # The sentences of the beginning, which the prompt quotes, and those of the answer.
    beginning, answer = lines[: length + bool(length)], lines[length + bool(length) :]
    prompt = ask.format(_with_cast(" ".join(beginning), fields), **fields)
    turns = [(prompt, " ".join(answer)), *_later(w, fields)]
    return Sample("story", tuple(turns))
