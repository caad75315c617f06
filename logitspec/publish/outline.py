"""The outline of exported pages, and filling it with their parts."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

from logitspec.paths import ASSETS

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def fill_outline(data: str, **parts: str) -> str:
    """An exported page. data: JSON. parts: texts for the placeholders of the outline, by name."""
    text = data.replace("<", "\\u003c")
    # Nobody can write data that contains its own nonce, and yet the same data give the same page.
    parts |= {"trace": text, "nonce": sha256(text.encode()).hexdigest()[:32]}
    return PLACEHOLDER.sub(lambda match: parts[match[1]], "\n".join(read_outline()["lines"]))


def read_outline() -> dict[str, Any]:
    """assets/player/document.json, from which the player's own button writes pages, too."""
    document: dict[str, Any] = json.loads(
        (ASSETS / "player" / "document.json").read_text(encoding="utf-8")
    )
    return document
