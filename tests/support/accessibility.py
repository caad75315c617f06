"""Options for axe, and a wait until a page is at rest."""

from __future__ import annotations

from typing import Any

# Also what axe leaves out by default: targets smaller than 24 px.
OPTIONS: dict[str, Any] = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
}
# In another language all but colours is.
WORDS_OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {**OPTIONS["rules"], "color-contrast": {"enabled": False}},
}
# In the dark only colours are others.
COLOUR_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
THEME_OPTIONS = {"light": OPTIONS, "dark": COLOUR_OPTIONS}
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((each) => each.effect.getTiming().iterations !== Infinity)
  .map((each) => each.finished.catch(() => null)))"""
