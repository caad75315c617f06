"""Axe and its options, and a wait until a page is at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

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


def violations(page: Page, options: Any, context: Any = None) -> list[dict[str, Any]]:
    """What axe finds wrong. A document takes its script once, which costs as much as to run it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found: list[dict[str, Any]] = page.evaluate(
        "([context, options]) => axe.run(context || document, options).then((all) => all.violations)",
        [context, options or {}],
    )
    return found
