"""One file says what origins of tokens are called and how they look; Python, styles and scripts read it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support.player_page import PAGES, story

from logitspec.paths import ASSETS
from logitspec.publish.export import player_markup, player_style
from logitspec.publish.modules import inline_modules
from logitspec.trace.origins import FILE, LOOKS, looks
from logitspec.trace.tree import Origin

DATA: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
DREAM = {
    **DATA["retrieved"],
    "name": "dreamt",
    "meaning": "from a dream",
    "title": "from a dream",
    "always": False,
    "colour": {"light": "#112233", "dark": "#ddeeff"},
    "corners": [0.3],
    "chart": {"label": "Dreamt", "colour": "#778899", "pattern": "+"},
}


def test_python_knows_the_origins_of_the_file() -> None:
    assert list(DATA) == [origin.value for origin in Origin] == list(LOOKS)


def test_a_new_origin_has_its_words_and_colours_in_python() -> None:
    look = looks({**DATA, "dream": DREAM})["dream"]
    assert (look.label, look.colour, look.pattern) == ("Dreamt", "#778899", "+")


def test_no_other_file_has_a_colour_of_an_origin() -> None:
    colours = {
        colour.lower()
        for look in DATA.values()
        for part in ("colour", "more_contrast", "chart")
        for colour in re.findall("#[0-9a-f]{6}", json.dumps(look[part]))
    }
    shared = {
        "#6cbdf0",
        "#8fd0f8",
        "#333d49",
        "#dde2e8",
        "#7b8593",
        "#4f5967",
    }  # of lines and buttons, too
    for folder in ("player", "compare"):
        for file in (ASSETS / folder).glob("*.[cj]s*"):
            used = set(re.findall("#[0-9a-f]{6}", file.read_text(encoding="utf-8").lower()))
            assert not used & (colours - shared), file.name


@pytest.fixture
def page_with_a_new_origin(tmp_path: Path) -> str:
    """A page with a player, whose scripts read a file with one more origin."""
    for folder in ("player", "compare", "page", "take", "words", "present"):
        shutil.copytree(ASSETS / folder, tmp_path / "assets" / folder)
    pages = tmp_path / "tests" / "scripts" / "pages"
    shutil.copytree(PAGES, pages)
    shutil.copy(ASSETS / "schema.json", tmp_path / "assets")
    (tmp_path / "assets" / "origins.json").write_text(json.dumps({**DATA, "dream": DREAM}))
    return (
        f"<!doctype html><style>{player_style()}</style>{player_markup()}"
        f'<script type="module">{inline_modules(pages / "player.js")}</script>'
    )


def test_a_new_origin_is_seen_in_legend_tree_and_text(
    chromium: Browser, page_with_a_new_origin: str
) -> None:
    run = story()
    rejected = next(
        number
        for number, step in enumerate(run.steps)
        for origin, state in zip(step.tree.provenance, step.states(), strict=True)
        if origin.origin is Origin.RETRIEVED and state == "rejected"
    )
    trace = json.loads(run.to_json())
    for step in trace["steps"]:
        for row in step["provenance"]:
            if row[0] == "retrieved":
                row[:] = ["dream"]
    page = chromium.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_content(page_with_a_new_origin)
    item = page.locator("[data-legend=dream]")
    assert item.is_hidden()
    page.evaluate("text => player.receive(text)", json.dumps(trace))
    page.wait_for_selector("[data-token][data-origin=dream]")
    assert item.inner_text().split("\n")[1:] == ["dreamt", ", from a dream"]
    looks_of = "each => { const s = getComputedStyle(each); return [s.borderBottomColor, s.borderRadius]; }"
    dark_blue = "rgb(17, 34, 51)"
    token = page.locator("[data-token][data-origin=dream]").first.evaluate(looks_of)
    assert token[0] == dark_blue
    page.evaluate("number => player.show(number)", rejected + 1)
    page.wait_for_selector(f"[data-cursor='{rejected + 1}']")
    node = page.locator("[data-node][data-origin=dream][data-state=rejected]").first
    colour, radius = node.evaluate(looks_of)
    size = node.evaluate("each => parseFloat(getComputedStyle(each).fontSize)")
    assert colour == dark_blue
    assert float(radius.removesuffix("px")) == pytest.approx(0.3 * size, abs=0.01)
    assert "from a dream" in (node.get_attribute("aria-label") or "")
    page.close()
    assert faults == []
