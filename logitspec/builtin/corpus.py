"""Training and evaluation samples: one endless seeded stream of short conversations.

The two splits share no made-up word, no ordinary person or town name and no list of user
messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from logitspec.builtin.tasks import (
    Sample,
    arithmetic,
    code,
    conversation,
    reading,
    story,
    translation,
)
from logitspec.builtin.words import Split, Words, is_held_out

# The weight of each task in the stream: higher for short answers and for tasks learnt slowly.
TASKS: dict[str, tuple[Callable[[Words], Sample], float]] = {
    "conversation": (conversation.sample, 0.8),
    "translation": (translation.sample, 2.0),
    "summarization": (reading.summary, 1.8),
    "qa": (reading.question, 4.5),
    "math": (arithmetic.sample, 1.5),
    "code": (code.sample, 3.0),
    "story": (story.sample, 0.4),
}


def samples(
    seed: int, split: Split = "train", category: str | None = None, invented: float = 0.5
) -> Iterator[Sample]:
    """Endless samples that depend on nothing but the arguments.

    `category` limits the stream to one key of `TASKS`; `invented` is the share of made-up names.
    One conversation in ten goes on with another task, so that topics change within a chat.
    Raises KeyError for an unknown category.
    """
    words = Words(random.Random(f"{split}-{seed}"), split, invented)
    makers = [TASKS[category]] if category else list(TASKS.values())
    weights = [weight for _, weight in makers]
    while True:
        (make, _), (other, _) = words.rng.choices(makers, weights, k=2)
        sample = make(words)
        if category is None and words.chance(0.1):
            sample = Sample(sample.category, sample.turns + other(words).turns)
        if is_held_out(sample.prompt, one_in=16) == (split == "eval"):
            yield sample
