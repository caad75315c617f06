"""Axe and its options, and a wait until a page is at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

# With a rule that axe leaves out by default: no targets smaller than 24 px.
OPTIONS: dict[str, Any] = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
}
# In another language everything but the colours differs.
WORDS_OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {**OPTIONS["rules"], "color-contrast": {"enabled": False}},
}
# In the dark theme only the colours differ.
COLOUR_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
THEME_OPTIONS = {"light": OPTIONS, "dark": COLOUR_OPTIONS}
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((each) => each.effect.getTiming().iterations !== Infinity)
  .map((each) => each.finished.catch(() => null)))"""


def violations(page: Page, options: Any, context: Any = None) -> list[dict[str, Any]]:
    """What axe finds wrong. Its script is loaded once per document, since that costs as much as running it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found: list[dict[str, Any]] = page.evaluate(
        "([context, options]) => axe.run(context || document, options).then((all) => all.violations)",
        [context, options or {}],
    )
    return found
