"""The texts of `assets/words` for Python, which writes English; `assets/page/translated.js` finds their counterparts in
the reader's language.

A language is a folder there, and a room is a file in it, with keys and texts. A text has placeholders: `{name}`,
`{name:.2}` for two decimals, `{name:%1}` for a share as a percentage with one decimal; or it is an object of plural
forms by CLDR category, among which the value `n` chooses.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from logitspec.publish.modules import DEFAULT_LANGUAGE, WORDS
from logitspec.trace.rounding import decimal, percentage

Texts = dict[str, str | dict[str, str]]

PLACE = re.compile(r"\{(\w+)(?::([.%])(\d))?\}")
LANGUAGES = sorted(folder.name for folder in WORDS.iterdir() if folder.is_dir())


@cache
def texts(language: str) -> Texts:
    """All texts of a language, by key."""
    rooms = sorted((WORDS / language).glob("*.json"))
    return {
        key: text
        for room in rooms
        for key, text in json.loads(room.read_text(encoding="utf-8")).items()
    }


def say(key: str, /, **values: Any) -> str:
    """The English text of a key with values for its placeholders.

    Raises KeyError if the key, or a placeholder's value, is missing.
    """
    text = texts(DEFAULT_LANGUAGE)[key]
    if isinstance(text, dict):
        text = text.get("one", text["other"]) if values["n"] == 1 else text["other"]
    return PLACE.sub(lambda place: _written(values[place[1]], place[2], place[3]), text)


def _written(value: Any, kind: str | None, digits: str | None) -> str:
    if isinstance(value, str) or not isinstance(value, (int, float)):
        return str(value)
    if kind is None:
        return f"{value:,}"
    return (percentage if kind == "%" else decimal)(value, int(digits or 0))
