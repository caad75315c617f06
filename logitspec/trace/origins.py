"""Names, words and looks of the origins of tokens, which the page's scripts and styles read too.

A new origin is an entry of `assets/origins.json` and a member of `logitspec.trace.tree.Origin`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from logitspec.paths import ASSETS

FILE = ASSETS / "origins.json"


@dataclass(frozen=True, slots=True)
class Look:
    """What Python shows of an origin.

    title: its name in sentences. label, colour and pattern: its name in texts and charts, its colour there (a contrast
    of 3:1 and more on white and on black), and plotly's name for the fill of its bars. words: its text in the
    terminal's legend; style and style_without_colour: parameters of the terminal's escape sequence.
    """

    title: str
    label: str
    colour: str
    pattern: str
    words: str
    style: str
    style_without_colour: str


def looks(origins: dict[str, Any]) -> dict[str, Look]:
    """The looks by origin, in the order of legends; `origins`: the content of the file."""
    return {
        name: Look(each["title"], **each["chart"], **each["terminal"])
        for name, each in origins.items()
    }


LOOKS = looks(json.loads(FILE.read_text(encoding="utf-8")))
