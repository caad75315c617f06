"""The outline of every page that is exported, in which its parts take their places."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

from logitspec.paths import ASSETS

# Where the parts of an exported page go in document.json.
PLACE = re.compile(r"\{(\w+)\}")


def filled(data: str, **parts: str) -> str:
    """The outline of an exported page with `data`, JSON, and the other parts in their places."""
    text = data.replace("<", "\\u003c")
    # The nonce can't be foreseen by whoever wrote the data, and yet is the same for the same data.
    parts |= {"trace": text, "nonce": sha256(text.encode()).hexdigest()[:32]}
    return PLACE.sub(lambda place: parts[place[1]], "\n".join(outline()["lines"]))


def outline() -> dict[str, Any]:
    """What the player's own button writes pages from, too."""
    document: dict[str, Any] = json.loads(
        (ASSETS / "player" / "document.json").read_text(encoding="utf-8")
    )
    return document
