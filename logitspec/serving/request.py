"""A visitor's request, and the checks before its turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from logitspec.decoding.race import MAX_LANES, MIN_RIVALS, Entry
from logitspec.drafters import DEFAULT_METHOD, make
from logitspec.errors import LogitSpecError
from logitspec.models.sources import BUILTIN
from logitspec.prompts import refuse_empty
from logitspec.trace.sampling import Sampling

MAX_NEW_TOKENS = 4096
MAX_CHARACTERS = 200_000
MAX_NAME = 400  # characters of a model's name, which may be a folder, or of a method's


@dataclass(frozen=True, slots=True)
class Request:
    """A run, or a race if there are several `methods`. methods: one lane each, with options by name."""

    prompt: str
    methods: Sequence[Entry] = (DEFAULT_METHOD,)
    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    model: str = BUILTIN

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, seed=self.seed)

    def check(self) -> None:
        """Raise LogitSpecError for requests that no model could run. Other checks need the model, and are made during
        the turn."""
        names = [each if isinstance(each, str) else each[0] for each in self.methods]
        if not all(isinstance(text, str) for text in (self.prompt, self.model, *names)):
            raise LogitSpecError("The prompt, the method and the model must be strings.")
        if len(self.prompt) > MAX_CHARACTERS:
            raise LogitSpecError(too_long(len(self.prompt)))
        refuse_empty(self.prompt)
        if len(self.model) > MAX_NAME or not all(len(name) <= MAX_NAME for name in names):
            raise LogitSpecError(f"Names have at most {MAX_NAME} characters; give a shorter one.")
        tokens = self.max_new_tokens
        whole = isinstance(tokens, int) and not isinstance(tokens, bool)
        if not whole or not 1 <= tokens <= MAX_NEW_TOKENS:
            raise LogitSpecError(
                f"Max new tokens must be a whole number from 1 to {MAX_NEW_TOKENS}; got {tokens!r}."
            )
        Sampling(temperature=self.temperature, seed=self.seed)
        for each in self.methods:
            make(*((each, {}) if isinstance(each, str) else each))


def too_long(characters: int) -> str:
    """The sentence that refuses a prompt of this many characters."""
    return f"The prompt has {characters} characters and at most {MAX_CHARACTERS} are accepted; shorten it."


def rivals(methods: Sequence[Entry]) -> Sequence[Entry]:
    """`methods`, if their number makes a race; otherwise LogitSpecError."""
    if not MIN_RIVALS <= len(methods) <= MAX_LANES:
        raise LogitSpecError(
            f"A race takes {MIN_RIVALS} to {MAX_LANES} methods; got {len(methods)}."
        )
    return methods


def parse_options(text: Any) -> dict[str, Any]:
    """Options from a JSON object, or from such an object's text; LogitSpecError for anything else."""
    text = text or "{}"
    try:
        options = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        raise LogitSpecError(
            f"The options are not JSON ({error}); write an object like {{}}."
        ) from error
    if not isinstance(options, dict):
        raise LogitSpecError("The options must be a JSON object of names and values, like {}.")
    return options
